import type { ScannedImage, ScanResult } from '../../../scan/index.ts';
import { button, el, find, svg } from './dom.ts';
import type { Conditions, Filters } from './filters.ts';
import { count, type Group, number, STATUSES, WORDS } from './words.ts';

interface Part {
  readonly group: Group;
  readonly label: string;
  readonly count: number;
}

/** Percent of the width that a part has at least, so that one of ten thousand is seen. */
const MIN_WIDTH = 0.8;
/** Percent from which the number fits into the part. */
const LABELLED_WIDTH = 5.5;

/** Widths in percent, in the proportion of the counts as far as the smallest are still seen. */
const widthsOf = (parts: readonly Part[]): readonly number[] => {
  const total = parts.reduce((sum, part) => sum + part.count, 0);
  const raised = parts.map((part) => Math.max((100 * part.count) / total, MIN_WIDTH));
  const sum = raised.reduce((all, width) => all + width, 0);
  return raised.map((width) => (100 * width) / sum);
};

/** Hatches and dots tell parts apart where colours do not. */
const patterns = (): SVGElement => {
  const pattern = (id: string, size: number, group: Group, ...marks: readonly SVGElement[]): SVGElement =>
    svg(
      'pattern',
      {
        id,
        width: String(size),
        height: String(size),
        patternUnits: 'userSpaceOnUse',
        class: `fill ${group}`,
      },
      svg('rect', { width: String(size), height: String(size), class: 'ground' }),
      ...marks,
    );
  return svg(
    'svg',
    { class: 'unseen', 'aria-hidden': 'true', width: '0', height: '0' },
    svg(
      'defs',
      {},
      pattern(
        'pattern-unknown',
        8,
        'unknown',
        svg('path', { d: 'M-2 2 2-2M0 8 8 0M6 10 10 6', class: 'stroke' }),
      ),
      pattern('pattern-reported', 6, 'reported', svg('path', { d: 'M0 3H6', class: 'stroke' })),
      pattern('pattern-exempt', 6, 'exempt', svg('circle', { cx: '3', cy: '3', r: '1.2', class: 'dot' })),
    ),
  );
};

const PATTERNED: ReadonlySet<Group> = new Set(['unknown', 'reported', 'exempt']);

const rect = (group: Group, attributes: Readonly<Record<string, string>>): SVGElement =>
  svg('rect', {
    class: `part ${group}`,
    ...attributes,
    ...(PATTERNED.has(group) ? { fill: `url(#pattern-${group})` } : {}),
  });

const partLabel = ({ group, count: value }: Part, x: number, width: number): readonly SVGElement[] => {
  if (width < LABELLED_WIDTH) return [];
  const tight = width < 2 * LABELLED_WIDTH ? ' tight' : '';
  const place = { x: `${x + width / 2}%`, y: '50%', dy: '0.36em' };
  return [svg('text', { ...place, class: `in-part ${group}${tight}` }, number(value))];
};

const gapAt = (x: number): readonly SVGElement[] =>
  x === 0 ? [] : [svg('line', { x1: `${x}%`, x2: `${x}%`, y1: '0', y2: '100%', class: 'gap' })];

/** A bar of parts whose lengths are in the proportion of their counts. */
const bar = (parts: readonly Part[], name: string): SVGElement => {
  const present = parts.filter((part) => part.count > 0);
  const widths = widthsOf(present);
  let x = 0;
  const shapes = present.flatMap((part, index) => {
    const width = widths[index] ?? 0;
    const shape = rect(part.group, { x: `${x}%`, y: '0', width: `${width}%`, height: '100%' });
    const drawn = [shape, ...gapAt(x), ...partLabel(part, x, width)];
    x += width;
    return drawn;
  });
  const words = present.map(({ label, count: value }) => `${number(value)} ${label}`).join(', ');
  return svg(
    'svg',
    { class: 'bar', role: 'img', 'aria-label': `${name}: ${words || 'none'}` },
    svg('rect', { class: 'part none', width: '100%', height: '100%' }),
    ...shapes,
  );
};

const swatch = (group: Group): SVGElement =>
  svg('svg', { class: 'swatch', 'aria-hidden': 'true' }, rect(group, { width: '100%', height: '100%' }));

/** Numbers of refused images by their reason, the most frequent first; images that no list holds have none. */
const reasonsOf = (images: readonly ScannedImage[], refused: number): readonly Part[] => {
  const counts = new Map<string, number>();
  for (const { status, reason } of images)
    if (status === 'refused')
      counts.set(reason ?? 'without a reason', (counts.get(reason ?? 'without a reason') ?? 0) + 1);
  const parts = [...counts]
    .map(([label, images_]): Part => ({ group: 'refused', label, count: images_ }))
    .toSorted((a, b) => b.count - a.count);
  const rest = refused - parts.reduce((sum, part) => sum + part.count, 0);
  return rest > 0 ? [...parts, { group: 'refused', label: 'not listed', count: rest }] : parts;
};

const legendRow = (
  group: Group,
  label: Node | string,
  pods: number,
  images: number | undefined,
): HTMLElement =>
  el(
    'tr',
    {},
    el('th', { scope: 'row' }, swatch(group), label),
    el('td', { class: 'number' }, number(pods)),
    el('td', { class: 'number' }, images === undefined ? '' : number(images)),
  );

/** The numbers, with a button for each that shows its images. */
const legend = ({ summary, policy }: ScanResult, show: (conditions: Conditions) => void): HTMLElement => {
  const rows = STATUSES.map((status) => {
    const { label } = WORDS[status];
    const images = summary.images[status];
    const name = images === 0 ? label : button({ class: 'link' }, () => show({ status }), label);
    return legendRow(status, name, summary.pods[status], images);
  });
  return el(
    'table',
    { class: 'legend' },
    el('caption', { class: 'unseen' }, 'How many of what'),
    el(
      'thead',
      {},
      el(
        'tr',
        {},
        el(
          'th',
          { scope: 'col' },
          policy.mode === 'enforce' ? 'If you enforced now' : `In mode ${policy.mode}`,
        ),
        el('th', { scope: 'col', class: 'number' }, 'Pods'),
        el('th', { scope: 'col', class: 'number' }, 'Images'),
      ),
    ),
    el('tbody', {}, ...rows, legendRow('other', WORDS.other.label, summary.pods.other, undefined)),
  );
};

/** Reasons that are drawn; the filter has them all. */
const MAX_REASONS = 8;

/** Refused images by their reason, each as a bar of its share and a button that shows its images. */
const reasonBars = (
  reasons: readonly Part[],
  show: (conditions: Conditions) => void,
): HTMLElement | undefined => {
  const most = reasons[0]?.count;
  if (most === undefined) return undefined;
  const items = reasons.slice(0, MAX_REASONS).map(({ label, count: images }) =>
    el(
      'li',
      {},
      button({ class: 'link' }, () => show({ status: 'refused', reason: label }), label),
      svg(
        'svg',
        { class: 'share', 'aria-hidden': 'true' },
        rect('refused', { width: `${Math.max((100 * images) / most, MIN_WIDTH)}%`, height: '100%' }),
      ),
      el('span', { class: 'number' }, number(images)),
    ),
  );
  const more = reasons.length - MAX_REASONS;
  return el(
    'div',
    { class: 'line' },
    el('h2', { class: 'name' }, 'Refused images, by reason'),
    el('ul', { class: 'reasons' }, ...items),
    more > 0 ? el('p', { class: 'quiet' }, `and ${count(more, 'reason')} more`) : undefined,
  );
};

const line = (noun: string, parts: readonly Part[]): HTMLElement => {
  const total = parts.reduce((sum, part) => sum + part.count, 0);
  return el('div', { class: 'line' }, el('p', { class: 'name' }, count(total, noun)), bar(parts, `${noun}s`));
};

/** The picture that the page opens with: a bar of pods, a bar of images, the reasons, and all numbers. */
export const showPicture = (result: ScanResult, filters: Filters): void => {
  const { summary, images } = result;
  const part =
    (counts: Readonly<Record<string, number>>) =>
    (group: Group): Part => ({ group, label: WORDS[group].label, count: counts[group] ?? 0 });
  const show = (conditions: Conditions): void => {
    filters.choose(conditions);
    find('images-title').focus();
    find('images').scrollIntoView();
  };
  find('picture').append(
    patterns(),
    el(
      'div',
      { class: 'bars' },
      line('pod', [...STATUSES, 'other' as const].map(part(summary.pods))),
      line('image', STATUSES.map(part(summary.images))),
      reasonBars(reasonsOf(images, summary.images.refused), show),
    ),
    legend(result, show),
  );
};
