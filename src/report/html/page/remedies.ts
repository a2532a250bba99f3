import type { Remedy, ScanResult } from '../../../scan/index.ts';
import { code } from './copy.ts';
import { el, find, say } from './dom.ts';
import { listOf, nothing, textList } from './lists.ts';
import { onPrint } from './print.ts';
import { count, number } from './words.ts';

/** Remedies that are shown at first. */
const FEW = 5;

const affected = (title: string, texts: readonly string[]): HTMLElement | undefined =>
  texts.length === 0 ? undefined : el('div', {}, el('h3', {}, title), textList(texts));

const unfoldsOnPaper = (details: HTMLDetailsElement): HTMLDetailsElement => {
  let wasOpen = false;
  onPrint(
    () => {
      wasOpen = details.open;
      details.open = true;
    },
    () => {
      details.open = wasOpen;
    },
  );
  return details;
};

const bodyOf = ({ images, owners }: Remedy): HTMLElement =>
  unfoldsOnPaper(
    el(
      'details',
      {},
      el('summary', {}, `${count(images.length, 'image')}, ${count(owners.length, 'workload')}`),
      affected('Images', images),
      affected('Workloads', owners),
    ),
  );

/** The remedies, to be worked off. That something was done is remembered until the page is closed, and nowhere else. */
export const showRemedies = ({ remedies, summary }: ScanResult): void => {
  if (remedies.length === 0) {
    const isClean = summary.images.refused + summary.images.unknown === 0;
    const sentence = isClean
      ? 'Nothing to do.'
      : 'Nothing is listed: the message of each image says what helps.';
    find('remedies').append(nothing(sentence));
    return;
  }
  const done = new Set<Remedy>();
  const progress = el('p', { class: 'lead' });
  const update = (): void => {
    progress.textContent = `${number(done.size)} of ${number(remedies.length)} done. The one that helps most pods comes first.`;
  };
  const toItem = (remedy: Remedy): HTMLLIElement => {
    const box = el('input', { type: 'checkbox' });
    const item = el(
      'li',
      {},
      el(
        'label',
        {},
        box,
        el('span', { class: 'title' }, remedy.title),
        el('span', { class: 'quiet' }, ` lets ${count(remedy.pods, 'pod')} start`),
      ),
      remedy.snippet === '' ? undefined : code(remedy.snippet, 'what to use'),
      bodyOf(remedy),
    );
    box.addEventListener('change', () => {
      if (box.checked) done.add(remedy);
      else done.delete(remedy);
      item.classList.toggle('done', box.checked);
      update();
      say(progress.textContent ?? '');
    });
    return item;
  };
  update();
  const list = listOf(remedies, toItem, { class: 'remedies' }, FEW);
  find('remedies').append(progress, list);
  // All of them are printed.
  onPrint(
    () => list.querySelector<HTMLElement>(':scope > .more')?.click(),
    () => {},
  );
};
