import { button, el } from './dom.ts';
import { count, number } from './words.ts';

/** Items of a list that are shown at first, unless it says otherwise. */
const FEW = 20;

/** A list of items, of which a button shows those past the first `few`. They are not made before, and not printed. */
export const listOf = <T>(
  items: readonly T[],
  toItem: (item: T) => HTMLLIElement,
  attributes = {},
  few = FEW,
): HTMLElement => {
  const list = el('ul', attributes, ...items.slice(0, few).map(toItem));
  const box = el('div', {}, list);
  if (items.length <= few) return box;
  const more = button({ class: 'more' }, () => showAll(), `Show all ${number(items.length)}`);
  const onPaper = el('p', { class: 'on-paper' }, `and ${number(items.length - few)} more`);
  const showAll = (): void => {
    list.append(...items.slice(few).map(toItem));
    more.remove();
    onPaper.remove();
  };
  box.append(more, onPaper);
  return box;
};

/** Texts of the cluster as a list. */
export const textList = (texts: readonly string[]): HTMLElement =>
  listOf(texts, (text) => el('li', {}, el('bdi', {}, text)), { class: 'texts' });

/** Names with what they stand for; those without a value are left out. */
export const facts = (entries: readonly (readonly [string, Node | string | number | null])[]): HTMLElement =>
  el(
    'dl',
    { class: 'pairs' },
    ...entries
      .filter(([, value]) => value !== null && value !== '')
      .map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value ?? ''))),
  );

/** `a, b and 3 more`. */
export const fewOf = (texts: readonly string[], most: number): string => {
  if (texts.length <= most) return texts.join(', ');
  return `${texts.slice(0, most).join(', ')} and ${number(texts.length - most)} more`;
};

/** A sentence instead of a table that would be empty. */
export const nothing = (sentence: string): HTMLElement => el('p', { class: 'quiet' }, sentence);

/** `7 pods`, or that nothing runs. */
export const podsOf = (pods: number): string => (pods === 0 ? 'no pod runs' : count(pods, 'pod'));
