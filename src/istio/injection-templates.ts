import { memberOf } from '../base/index.ts';
import { type ConfiguredImages, scalarAt } from './image-choice.ts';

/** The images of a template: of a container, in YAML that Go's templates complete. */
const IMAGE_LINE = /^[ \t-]*["']?image["']?[ \t]*:[ \t]*(\S.*)$/gm;

/** Characters; bounds the search for expressions. A longer text is no image. */
const MAX_IMAGE = 4096;

const EXPRESSION = /\{\{-?\s*(.*?)\s*-?\}\}/g;

/** True if all of an image comes from settings that `findConfiguredImages` reads: the `.ProxyImage` of the injector's values. */
const isFromValues = (image: string): boolean => /^[/:@\s-]*$/.test(image.replaceAll(EXPRESSION, ''));

const unquoted = (text: string): string =>
  text
    .replace(/(^|\s)#.*$/, '')
    .trim()
    .replace(/^(["'])(.*)\1$/, '$2');

/** The value of `.Values.a.b`; undefined for any other expression. */
const evaluate = (expression: string, values: unknown): string | undefined => {
  const [, path] = /^\.Values\.([\w.]+)$/.exec(expression) ?? [];
  if (path === undefined) return undefined;
  const names = path.split('.');
  const last = names.pop() ?? '';
  return scalarAt(
    names.reduce<unknown>((at, name) => memberOf(at, name), values),
    last,
  );
};

/**
 * Finds the images that the injector's templates name themselves, with the values put in. Those that come from the values
 * alone are left out.
 */
export const templateImages = (config: string, values: unknown): ConfiguredImages => {
  const written = [...config.matchAll(IMAGE_LINE)].map(([, rest = '']) => unquoted(rest));
  const images: ConfiguredImages['images'][number][] = [];
  const unknown: string[] = [];
  for (const text of new Set(
    written.filter((image) => image !== '' && image.length <= MAX_IMAGE && !isFromValues(image)),
  )) {
    let isComplete = true;
    const image = text.replaceAll(EXPRESSION, (whole, expression: string) => {
      const value = evaluate(expression, values);
      isComplete &&= value !== undefined;
      return value ?? whole;
    });
    if (isComplete) images.push({ image, path: 'data.config', container: 'injected' });
    else unknown.push(`the injector's template has an image that only injection completes: ${text}`);
  }
  return { images, unknown };
};
