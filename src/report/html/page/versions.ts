import type { ScanResult, VersionUse } from '../../../scan/index.ts';
import { el, find, svg } from './dom.ts';
import { nothing } from './lists.ts';
import { daysBetween, number, spanOf } from './words.ts';

/** Days around the dates of the plot. */
const MARGIN_DAYS = 90;
const YEAR_DAYS = 365.25;

interface Scale {
  /** Percent of the width at which a day stands. */
  readonly at: (day: string) => number;
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
}

const day = (rfc3339: string): string => rfc3339.slice(0, 10);

const scaleOf = (today: string, ends: readonly string[]): Scale => {
  const offsets = [0, ...ends.map((end) => daysBetween(today, end))];
  const from = Math.min(...offsets) - MARGIN_DAYS;
  const to = Math.max(...offsets) + MARGIN_DAYS;
  const at = (end: string): number => (100 * (daysBetween(today, end) - from)) / (to - from);
  const step = Math.max(1, Math.ceil((to - from) / YEAR_DAYS / 6));
  const first = Number(today.slice(0, 4)) + Math.floor(from / YEAR_DAYS);
  const years = Array.from(
    { length: Math.ceil((to - from) / YEAR_DAYS / step) + 2 },
    (_, index) => first + index * step,
  );
  const ticks = years
    .map((year) => ({ at: at(`${year}-01-01`), label: String(year) }))
    .filter(({ at: x }) => x >= 0 && x <= 100);
  return { at, ticks };
};

/** `ended 2022-03-25, 4 years ago`. */
const supportOf = ({ supportEnds, supported }: VersionUse, today: string): string => {
  if (supportEnds === null) return supported === null ? 'not known' : supported ? 'supported' : 'ended';
  const days = daysBetween(today, supportEnds);
  return days < 0 ? `ended ${supportEnds}, ${spanOf(days)} ago` : `ends ${supportEnds}, in ${spanOf(days)}`;
};

const stateOf = ({ supported }: VersionUse): string =>
  supported === null ? 'unknown' : supported ? 'verified' : 'refused';

const plotOf = (use: VersionUse, today: string, { at, ticks }: Scale): SVGElement => {
  const now = at(today);
  const end = use.supportEnds === null ? undefined : at(use.supportEnds);
  const marks =
    end === undefined
      ? [svg('text', { x: `${now}%`, dx: '8', y: '50%', dy: '0.36em', class: 'question' }, '?')]
      : [
          svg('line', { x1: `${now}%`, x2: `${end}%`, y1: '50%', y2: '50%', class: `span ${stateOf(use)}` }),
          svg('circle', { cx: `${end}%`, cy: '50%', r: '5', class: `end ${stateOf(use)}` }),
        ];
  return svg(
    'svg',
    { class: 'plot', 'aria-hidden': 'true' },
    ...ticks.map((tick) =>
      svg('line', { x1: `${tick.at}%`, x2: `${tick.at}%`, y1: '0', y2: '100%', class: 'tick' }),
    ),
    svg('line', { x1: `${now}%`, x2: `${now}%`, y1: '0', y2: '100%', class: 'now' }),
    ...marks,
  );
};

const axisOf = (today: string, { at, ticks }: Scale): SVGElement => {
  const now = at(today);
  return svg(
    'svg',
    { class: 'plot axis', 'aria-hidden': 'true' },
    ...ticks
      .filter((tick) => Math.abs(tick.at - now) > 9)
      .map((tick) => svg('text', { x: `${tick.at}%`, y: '70%', class: 'year' }, tick.label)),
    svg('text', { x: `${now}%`, y: '70%', class: 'year today' }, 'today'),
  );
};

/** Each version against the end of its support, on one axis of time. */
export const showVersions = ({ versions, startedAt }: ScanResult): void => {
  if (versions.length === 0) {
    find('versions').append(nothing('No image names a release of Istio.'));
    return;
  }
  const today = day(startedAt);
  const scale = scaleOf(
    today,
    versions.flatMap(({ supportEnds }) => (supportEnds === null ? [] : [supportEnds])),
  );
  const rows = versions.map((use) =>
    el(
      'tr',
      {},
      el('th', { scope: 'row', class: 'number' }, use.version),
      el('td', { class: 'number' }, number(use.pods)),
      el('td', { class: `support ${stateOf(use)}` }, supportOf(use, today)),
      el('td', { class: 'wide' }, plotOf(use, today, scale)),
    ),
  );
  find('versions').append(
    el(
      'table',
      { class: 'versions' },
      el('caption', { class: 'unseen' }, 'Istio versions in use and the end of their support'),
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          el('th', { scope: 'col', class: 'number' }, 'Version'),
          el('th', { scope: 'col', class: 'number' }, 'Pods'),
          el('th', { scope: 'col' }, 'Support'),
          el(
            'th',
            { scope: 'col', class: 'wide' },
            el('span', { class: 'unseen' }, 'Time'),
            axisOf(today, scale),
          ),
        ),
      ),
      el('tbody', {}, ...rows),
    ),
  );
};
