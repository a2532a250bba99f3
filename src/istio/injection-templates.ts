import { memberOf } from '../base/index.ts';
import { type ConfiguredImages, type NamedImage, scalarAt } from './image-choice.ts';
import { findTemplateSettings, type TemplateSetting } from './template-settings.ts';

/** Characters; a longer text is no image. */
const MAX_IMAGE = 4096;

const EXPRESSION = /\{\{-?\s*(.*?)\s*-?\}\}/g;

/** Expressions for the images that `findConfiguredImages` reads from the values. */
const FROM_VALUES =
  /^(?:\.(?:Proxy|ProxyInit|Agentgateway)Image|(?:annotation \.ObjectMeta `[\w./-]+` )?\.Values\.global\.(?:hub|tag|(?:proxy|proxy_init|agentgateway)\.image))(?: \| quote)?$/;

/** True if all of an image comes from settings that `findConfiguredImages` reads. */
const isFromValues = (image: string): boolean => {
  const expressions = [...image.matchAll(EXPRESSION)].map(([, expression = '']) => expression);
  return (
    expressions.every((expression) => FROM_VALUES.test(expression)) &&
    /^[/:]*$/.test(image.replaceAll(EXPRESSION, ''))
  );
};

/** The value of `.Values.a.b`; undefined for any other expression. */
const evaluate = (expression: string, values: unknown): string | undefined => {
  const [, path] = /^\.Values\.([\w.]+)(?: \| quote)?$/.exec(expression) ?? [];
  if (path === undefined) return undefined;
  const names = path.split('.');
  const last = names.pop() ?? '';
  return scalarAt(
    names.reduce<unknown>((at, name) => memberOf(at, name), values),
    last,
  );
};

/** Puts the values into a text. Undefined if it has other expressions too, or values that are not set. */
const complete = (text: string, values: unknown): string | undefined => {
  let isComplete = true;
  const completed = text.replaceAll(EXPRESSION, (_whole, expression: string) => {
    const value = evaluate(expression, values);
    isComplete &&= value !== undefined;
    return value ?? '';
  });
  return isComplete ? completed : undefined;
};

const isReference = (image: string): boolean => image.length <= MAX_IMAGE && /^[\w./:@[\]-]+$/.test(image);

/** The image of one setting, and a sentence about what is not known of it. */
const imageOf = (
  { image: text, container: name }: TemplateSetting,
  values: unknown,
): readonly [image: Omit<NamedImage, 'path'> | undefined, unknown?: string] => {
  if (isFromValues(text)) return [undefined];
  const image = complete(text, values);
  if (image === undefined)
    return [undefined, `the injector's template has an image that only injection completes: ${text}`];
  if (!isReference(image))
    return [undefined, `the injector's template has an image that is not read: ${text}`];
  const container = name === undefined ? undefined : complete(name, values);
  if (container !== undefined) return [{ image, container }];
  const unknown = `the injector's template has an image in a container that is not known by name: ${text}`;
  return [{ image, container: 'injected' }, unknown];
};

/**
 * Finds the images that the injector's templates name themselves, with the values put in. Those that come from the values
 * alone are left out. `path` is that of the text in the document.
 */
export const templateImages = (text: string, values: unknown, path: string): ConfiguredImages => {
  const { read, unread } = findTemplateSettings(text);
  const results = read.map((setting) => imageOf(setting, values));
  const images = results.flatMap(([image]) => (image === undefined ? [] : [{ ...image, path }]));
  const unknown = [
    ...results.flatMap(([, sentence]) => (sentence === undefined ? [] : [sentence])),
    ...unread.map((excerpt) => `the injector's template has an image in a form that is not read: ${excerpt}`),
  ];
  const distinct = new Map(images.map((image) => [`${image.container} ${image.image}`, image]));
  return { images: [...distinct.values()], unknown: [...new Set(unknown)] };
};
