import { isJsonObject, type JsonObject } from '../../base/index.ts';
import type { Recogniser } from './could-be-istio.ts';

/** A text in a document that could name an image of Istio's, and that no review judges. */
export interface Unjudged {
  readonly image: string;
  /** `spec.image`. */
  readonly path: string;
}

/**
 * What starts nothing and only repeats what is, or was, elsewhere: what Kubernetes writes about an object, kubectl's copy of
 * what was applied, and the values that Istio's chart leaves behind for debugging.
 */
const COPIES: ReadonlySet<string> = new Set([
  'status',
  'metadata.managedFields',
  'metadata.annotations.kubectl.kubernetes.io/last-applied-configuration',
  'data.merged-values',
  'data.original-values',
]);

const isImageName = (name: string): boolean => /image|^reference$|^repository$/i.test(name);
const isHubName = (name: string): boolean => /(?:^|\.)hub$|registry$/i.test(name);

/**
 * The settings in a text that is YAML or JSON itself: `image: …`. A name is tried from its beginning alone, so that a long
 * text without blanks takes linear time.
 */
const SETTING =
  /(["']?)(?<![\w.-])([\w.-]*(?:image|hub|registry|repository|reference))\1\s*[:=]\s*["']?([^\s"',{}]+)/gi;

const WORDS = /[^\s"'`,;|<>()[\]{}=]+/g;

/** Returns what could be Istio's in a text of several words, which may be YAML, JSON, a template or a command. */
const findInText = (text: string, { isImage, isClearlyImage, isHub }: Recogniser): readonly string[] => {
  const settings = [...text.matchAll(SETTING)].flatMap(([, , name = '', value = '']) => {
    const found = isHubName(name) ? isHub(value) : isImageName(name) && isImage(value);
    return found ? [value] : [];
  });
  const words = [...text.matchAll(WORDS)].map(([word]) => word).filter(isClearlyImage);
  return [...settings, ...words];
};

/** The field that a text stands in: its own name, or the one in a list of names and values (`env`, Helm's parameters). */
const fieldOf = (name: string, { name: sibling }: JsonObject): string =>
  name === 'value' && typeof sibling === 'string' ? sibling : name;

const findInField = (field: string, text: string, recogniser: Recogniser): readonly string[] => {
  const trimmed = text.trim();
  if (/[\s=]/.test(trimmed)) return findInText(text, recogniser);
  const { isImage, isClearlyImage, isHub } = recogniser;
  if (isHubName(field)) return isHub(trimmed) ? [trimmed] : [];
  const found = isImageName(field) ? isImage(trimmed) : isClearlyImage(trimmed);
  return found ? [trimmed] : findInText(text, recogniser);
};

/**
 * Finds every text in a document that could name an image of Istio's and is not among the `judged` ones, each once. Only
 * a text that is read as a whole, or as words, is found: nothing is decoded.
 */
export const findUnjudged = (
  document: unknown,
  judged: ReadonlySet<string>,
  recogniser: Recogniser,
): readonly Unjudged[] => {
  const found = new Map<string, Unjudged>();
  /** Hubs are judged by the images below them. */
  const judgedHubs = new Set([...judged].map((image) => image.slice(0, image.lastIndexOf('/'))));
  const isJudged = (text: string): boolean => judged.has(text) || judgedHubs.has(text);
  const look = (field: string, text: string, path: string): void => {
    for (const image of findInField(field, text, recogniser))
      if (!isJudged(image) && !found.has(image)) found.set(image, { image, path });
  };
  const walk = (value: unknown, field: string, path: string, parent: JsonObject): void => {
    if (COPIES.has(path)) return;
    if (typeof value === 'string') look(fieldOf(field, parent), value, path);
    else if (Array.isArray(value))
      for (const [index, item] of value.entries()) walk(item, field, `${path}[${index}]`, parent);
    else if (isJsonObject(value))
      for (const [name, member] of Object.entries(value))
        walk(member, name, path === '' ? name : `${path}.${name}`, value);
  };
  walk(document, '', '', {});
  return [...found.values()];
};
