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
const LABELLED_WIDTH = 7;

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

/** A bar of parts whose lengths are in the proportion of their counts. */
const bar = (parts: readonly Part[], name: string): SVGElement => {
  const present = parts.filter((part) => part.count > 0);
  const widths = widthsOf(present);
  let x = 0;
  const shapes = present.flatMap((part, index) => {
    const width = widths[index] ?? 0;
    const shape = rect(part.group, { x: `${x}%`, y: '0', width: `${width}%`, height: '100%' });
    const label =
      width < LABELLED_WIDTH
        ? []
        : [
            svg(
              'text',
              { x: `${x + width / 2}%`, y: '50%', dy: '0.36em', class: `in-part ${part.group}` },
              number(part.count),
            ),
          ];
    const gap = x === 0 ? [] : [svg('line', { x1: `${x}%`, x2: `${x}%`, y1: '0', y2: '100%', class: 'gap' })];
    x += width;
    return [shape, ...gap, ...label];
  });
  const words = present.map(({ label, count: parts_ }) => `${number(parts_)} ${label}`).join(', ');
  return svg('svg', { class: 'bar', role: 'img', 'aria-label': `${name}: ${words || 'none'}` }, ...shapes);
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
  pods: number | undefined,
  images: number | undefined,
  className = '',
): HTMLElement =>
  el(
    'tr',
    { class: className },
    el('th', { scope: 'row' }, className === '' ? swatch(group) : undefined, label),
    el('td', { class: 'number' }, pods === undefined ? '' : number(pods)),
    el('td', { class: 'number' }, images === undefined ? '' : number(images)),
  );

/** The numbers, with a button for each that shows its images. */
const legend = (
  { summary }: ScanResult,
  reasons: readonly Part[],
  show: (conditions: Conditions) => void,
) => {
  const rows = STATUSES.flatMap((status) => {
    const { label } = WORDS[status];
    const images = summary.images[status];
    const name = images === 0 ? label : button({ class: 'link' }, () => show({ status }), label);
    const row = legendRow(status, name, summary.pods[status], images);
    if (status !== 'refused') return [row];
    const reasonRows = reasons.map((part) =>
      legendRow(
        'refused',
        button({ class: 'link' }, () => show({ status: 'refused', reason: part.label }), part.label),
        undefined,
        part.count,
        'reason',
      ),
    );
    return [row, ...reasonRows];
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
        el('th', { scope: 'col' }, 'If you enforced now'),
        el('th', { scope: 'col', class: 'number' }, 'Pods'),
        el('th', { scope: 'col', class: 'number' }, 'Images'),
      ),
    ),
    el('tbody', {}, ...rows, legendRow('other', WORDS.other.label, summary.pods.other, undefined)),
  );
};

/** The picture that the page opens with: a bar of pods, a bar of images, and their numbers. */
export const showPicture = (result: ScanResult, filters: Filters): void => {
  const { summary, images } = result;
  const reasons = reasonsOf(images, summary.images.refused);
  const podParts = [...STATUSES, 'other' as const].map(
    (group): Part => ({ group, label: WORDS[group].label, count: summary.pods[group] }),
  );
  const imageParts = STATUSES.flatMap((group): readonly Part[] =>
    group === 'refused'
      ? reasons.map((part) => ({ ...part, label: `would be refused for ${part.label}` }))
      : [{ group, label: WORDS[group].label, count: summary.images[group] }],
  );
  const show = (conditions: Conditions): void => {
    filters.choose(conditions);
    find('images-title').focus();
    find('images').scrollIntoView();
  };
  const line = (name: string, parts: readonly Part[]): HTMLElement => {
    const total = parts.reduce((sum, part) => sum + part.count, 0);
    return el(
      'div',
      { class: 'line' },
      el('div', { class: 'name' }, count(total, name)),
      bar(parts, `${name}s`),
    );
  };
  find('picture').append(
    patterns(),
    el('div', { class: 'bars' }, line('pod', podParts), line('image', imageParts)),
    legend(result, reasons, show),
  );
};
