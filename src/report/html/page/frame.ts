import type { ScanResult } from '../../../scan/index.ts';
import { el, find } from './dom.ts';
import { count, durationOf, number, timeOf } from './words.ts';

/** The cluster and the time, above the answer. */
export const showFacts = ({ cluster, startedAt, version }: ScanResult): void => {
  const entries: readonly (readonly [string, string | null])[] = [
    ['Context', cluster.context],
    ['API server', cluster.server ?? 'the cluster of this pod'],
    ['Kubernetes', cluster.version],
    ['Time', timeOf(startedAt)],
    ['sailmark', version],
  ];
  find('facts').append(
    ...entries
      .filter(([, value]) => value !== null)
      .map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, el('bdi', {}, value ?? '')))),
  );
};

const warning = (text: string, ...more: readonly Node[]): HTMLElement =>
  el('li', {}, el('span', { class: 'glyph', 'aria-hidden': 'true' }, '!'), el('span', {}, text, ...more));

/** Warnings that the answer is not whole, before anything else. */
export const showWarnings = ({ complete, durationMs, coverage, keys }: ScanResult): void => {
  const place = find('warnings');
  if (!complete)
    place.append(
      warning(
        `This scan was interrupted after ${durationOf(durationMs)}. It holds what was known then, and no more.`,
      ),
    );
  const { notSeen, cut } = coverage;
  if (notSeen.length + cut.length > 0) {
    const parts = [
      ...(notSeen.length === 0 ? [] : [`${count(notSeen.length, 'resource')} could not be read`]),
      ...(cut.length === 0 ? [] : [`${count(cut.length, 'limit')} cut it short`]),
    ];
    place.append(
      warning(
        `Not everything was seen: ${parts.join(', and ')}. `,
        el('a', { href: '#coverage' }, 'What is missing'),
      ),
    );
  }
  const missing = keys.filter(({ problem }) => problem !== null).length;
  if (missing > 0)
    place.append(
      warning(
        `${count(missing, 'key')} could not be loaded: what it signed is unknown. `,
        el('a', { href: '#policy' }, 'Keys'),
      ),
    );
};

/** The list of sections, with their numbers. */
export const showContents = (result: ScanResult): void => {
  const entries: readonly (readonly [string, string, number | undefined])[] = [
    ['remedies', 'What to do', result.remedies.length],
    ['images', 'Images', result.images.length],
    ['owners', 'Workloads', result.owners.length],
    ['preflight', 'Pre-flight', result.preflight.length],
    ['drift', 'Drift', result.drift.length],
    ['versions', 'Versions', result.versions.length],
    ['notices', 'Ahead', result.notices.length],
    ['coverage', 'What was read', undefined],
    ['policy', 'How it was judged', undefined],
  ];
  find('contents').append(
    ...entries.map(([id, label, items]) =>
      el(
        'li',
        {},
        el(
          'a',
          { href: `#${id}` },
          label,
          items === undefined ? undefined : el('span', { class: 'count' }, ` ${number(items)}`),
        ),
      ),
    ),
  );
};
