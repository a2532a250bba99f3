import { isJsonObject, type JsonObject } from '../../base/index.ts';
import { createCopyTest } from './copies.ts';
import type { Recogniser } from './could-be-istio.ts';
import { isPart, splitImages } from './split-image.ts';
import { findInField } from './unjudged-text.ts';

/** A text in a document that could name an image of Istio's, and that no review judges. */
export interface Unjudged {
  readonly image: string;
  /** `spec.image`. */
  readonly path: string;
}

/** The field that a text stands in: its own name, or the one in a list of names and values (`env`, Helm's parameters). */
const fieldOf = (name: string, { name: sibling }: JsonObject): string =>
  name === 'value' && typeof sibling === 'string' ? sibling : name;

/** Creates a test of what the judged images answer for: themselves, their hubs, and a setting without its variant. */
const createJudgedTest = (judged: ReadonlySet<string>): ((text: string) => boolean) => {
  const hubs = new Set([...judged].map((image) => image.slice(0, image.lastIndexOf('/'))));
  const images = [...judged];
  return (text) => judged.has(text) || hubs.has(text) || images.some((image) => image.startsWith(`${text}-`));
};

const pathTo = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

/**
 * Finds every text in a document that could name an image of Istio's and is not among the `judged` ones, each once. Only
 * a text that is read as a whole, as words, or together with the fields beside it, is found: nothing is decoded.
 */
export const findUnjudged = (
  document: unknown,
  judged: ReadonlySet<string>,
  recogniser: Recogniser,
): readonly Unjudged[] => {
  const found = new Map<string, Unjudged>();
  const isJudged = createJudgedTest(judged);
  const isCopy = createCopyTest(document);
  const add = (image: string, path: string): void => {
    if (!isJudged(image) && !found.has(image)) found.set(image, { image, path });
  };
  const walkObject = (object: JsonObject, path: string): void => {
    const split = splitImages(object).filter(({ image }) => recogniser.isImage(image));
    for (const { image, field } of split) add(image, pathTo(path, field));
    for (const [name, member] of Object.entries(object)) {
      // The parts are named as a whole.
      const isNamed = split.length > 0 && typeof member === 'string' && isPart(name);
      if (!isNamed) walk(member, name, pathTo(path, name), object);
    }
  };
  const walk = (value: unknown, field: string, path: string, parent: JsonObject): void => {
    if (isCopy(path)) return;
    if (typeof value === 'string')
      for (const image of findInField(fieldOf(field, parent), value, recogniser)) add(image, path);
    else if (Array.isArray(value))
      for (const [index, item] of value.entries()) walk(item, field, `${path}[${index}]`, parent);
    else if (isJsonObject(value)) walkObject(value, path);
  };
  walk(document, '', '', {});
  return [...found.values()];
};
