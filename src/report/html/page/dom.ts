/*
 * Elements, made of names and attributes that this code writes. Text of the cluster becomes text nodes, never markup, an
 * attribute, a class or a URL.
 */

type Child = Node | string | number | undefined;
type Attributes = Readonly<Record<string, string | boolean>>;

/** UTF-16 code units of one text. */
const MAX_TEXT = 4_000;

/** Control and format characters (bidirectional overrides too), separators and lone surrogates; a line break stays. */
const UNPRINTABLE = /[^\P{C}\n]|[\p{Zl}\p{Zp}]/gu;

const escapeCharacter = (character: string): string => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;

/** An untrusted text as it may be shown: its length is bounded, and what is invisible or reorders a line is written out. */
export const shown = (text: string): string => {
  const more = text.length - MAX_TEXT;
  const part = more > 0 ? `${text.slice(0, MAX_TEXT)}… (${more} more characters)` : text;
  return part.replaceAll(UNPRINTABLE, escapeCharacter);
};

/** True if a reader sees all of a text, so that what is copied is what was shown. */
export const isShownWhole = (text: string): boolean => shown(text) === text;

const setAttributes = (element: Element, attributes: Attributes): void => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false) continue;
    element.setAttribute(name, value === true ? '' : value);
  }
};

const nodesOf = (children: readonly Child[]): readonly (Node | string)[] =>
  children.flatMap((child): readonly (Node | string)[] => {
    if (child === undefined) return [];
    return [child instanceof Node ? child : shown(String(child))];
  });

/** Makes an element; children that are text are shown as text. */
export const el = <K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] => {
  const element = document.createElement(name);
  setAttributes(element, attributes);
  element.append(...nodesOf(children));
  return element;
};

/** Makes an SVG element. */
export const svg = <K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] => {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  setAttributes(element, attributes);
  element.append(...nodesOf(children));
  return element;
};

/** The element of page.html with this id. */
export const find = (id: string): HTMLElement => {
  const element = document.querySelector<HTMLElement>(`#${id}`);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
};

/** A button that calls `onClick`. */
export const button = (
  attributes: Attributes,
  onClick: () => void,
  ...children: readonly Child[]
): HTMLButtonElement => {
  const element = el('button', { type: 'button', ...attributes }, ...children);
  element.addEventListener('click', onClick);
  return element;
};

/** Says a text to a screen reader. */
export const say = (text: string): void => {
  find('status').textContent = text;
};
