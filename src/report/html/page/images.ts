import type { ScannedImage, ScannedUse, ScanResult } from '../../../scan/index.ts';
import { code } from './copy.ts';
import { el, find } from './dom.ts';
import { createFilters, type Filters } from './filters.ts';
import { facts, fewOf, listOf, nothing } from './lists.ts';
import { type Column, createTable } from './table.ts';
import { number, STATUSES, statusMark } from './words.ts';

export const namespacesOf = ({ uses }: ScannedImage): readonly string[] => [
  ...new Set(uses.map(({ namespace }) => namespace)),
];

/** A reference whose last part, the name with its tag, stands out. */
export const referenceOf = (reference: string): HTMLElement => {
  const slash = reference.split('@', 1)[0]?.lastIndexOf('/') ?? -1;
  return el(
    'bdi',
    { class: 'reference' },
    el('span', { class: 'hub' }, reference.slice(0, slash + 1)),
    el('wbr'),
    reference.slice(slash + 1),
  );
};

const COLUMNS: readonly Column<ScannedImage>[] = [
  {
    label: 'Status',
    cell: ({ status }) => statusMark(status),
    key: ({ status }) => STATUSES.indexOf(status),
  },
  {
    label: 'Image',
    cell: ({ reference }) => referenceOf(reference),
    key: ({ reference }) => reference,
    kind: 'wide',
  },
  {
    label: 'Reason',
    cell: ({ reason }) => reason ?? '',
    key: ({ reason }) => reason ?? '',
    isExtra: true,
  },
  {
    label: 'Component',
    cell: ({ component }) => component ?? '–',
    key: ({ component }) => component ?? '',
    isExtra: true,
  },
  {
    label: 'Istio',
    cell: ({ istioVersion }) => istioVersion ?? '–',
    key: ({ istioVersion }) => istioVersion ?? '',
    isExtra: true,
  },
  {
    label: 'Namespaces',
    cell: (image) => fewOf(namespacesOf(image), 2),
    key: (image) => namespacesOf(image).join(' '),
    isExtra: true,
  },
  { label: 'Pods', cell: ({ pods }) => number(pods), key: ({ pods }) => pods, kind: 'number' },
];

const EFFECTS = { deny: 'denied', warn: 'a warning', audit: 'audited', exempt: 'exempt' } as const;

const useItem = ({ namespace, owner, container, path, pods, effect, reason }: ScannedUse): HTMLLIElement =>
  el(
    'li',
    {},
    el('span', { class: 'number' }, number(pods)),
    el(
      'span',
      {},
      el('bdi', {}, `${namespace} ${owner}`),
      el('span', { class: 'quiet' }, ' container ', el('bdi', {}, container), ' at ', el('bdi', {}, path)),
      effect === null
        ? undefined
        : el('span', { class: 'quiet' }, `: ${EFFECTS[effect] ?? effect} (${reason ?? ''})`),
    ),
  );

const usesOf = ({ uses, omittedUses }: ScannedImage): HTMLElement =>
  el(
    'div',
    { class: 'uses' },
    el('h3', {}, 'Where it runs'),
    el('p', { class: 'quiet' }, 'Pods, namespace and owner, container'),
    uses.length === 0
      ? el('p', { class: 'quiet' }, 'No use is listed.')
      : listOf(uses, useItem, { class: 'uses' }),
    omittedUses === 0
      ? undefined
      : el('p', { class: 'quiet' }, `${number(omittedUses)} more uses are counted and not listed.`),
  );

const FORMATS = { 'simple-signing': 'simple signing', 'sigstore-bundle': 'sigstore bundle' } as const;

const detailOf = (image: ScannedImage): HTMLElement =>
  el(
    'div',
    { class: 'unfolded' },
    el('blockquote', { class: image.status === 'verified' ? '' : 'denial' }, el('bdi', {}, image.message)),
    facts([
      ['Reason', image.reason],
      ['Component', image.component],
      ['Istio', image.istioVersion],
      ['Hub or mirror', image.hub ?? 'none that is known'],
      ['Digest', image.digest],
      ['Signed by', image.signedBy.map(({ keyId, source }) => `${source} (key ${keyId})`).join('\n')],
      ['Signature', image.format === null ? null : FORMATS[image.format]],
    ]),
    usesOf(image),
    el('h3', {}, 'See it for yourself'),
    code(image.command, 'the command that reproduces it'),
  );

/** The table of images, and its filters, which others may set. */
export const showImages = ({ images }: ScanResult): Filters => {
  const table = createTable({
    caption: 'Images: the most serious first, then the most used',
    noun: 'images',
    rows: images,
    columns: COLUMNS,
    detail: detailOf,
    sortedBy: 0,
    pageRows: 50,
    isPrinted: ({ status }) => status === 'refused' || status === 'unknown',
  });
  const filters = createFilters(images, table.filter);
  if (images.length === 0) {
    find('images').append(nothing('No image is Istio’s, or could be.'));
    return filters;
  }
  find('images').append(
    filters.element,
    el('p', { class: 'on-paper quiet' }, 'On paper: the images that would be refused or are unknown.'),
    table.element,
  );
  return filters;
};
