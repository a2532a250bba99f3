import type { ScannedOwner, ScanResult } from '../../../scan/index.ts';
import { el, find } from './dom.ts';
import { facts, listOf, nothing, textList } from './lists.ts';
import { type Column, createTable } from './table.ts';
import { number, STATUSES, statusMark } from './words.ts';

const COLUMNS: readonly Column<ScannedOwner>[] = [
  {
    label: 'Status',
    cell: ({ status }) => statusMark(status),
    key: ({ status }) => STATUSES.indexOf(status),
  },
  {
    label: 'Workload',
    cell: ({ kind, name }) => el('bdi', {}, el('span', { class: 'hub' }, `${kind}/`), name),
    key: ({ kind, name }) => `${kind}/${name}`,
    kind: 'wide',
  },
  {
    label: 'Namespace',
    cell: ({ namespace }) => el('bdi', {}, namespace),
    key: ({ namespace }) => namespace,
  },
  {
    label: 'Mode',
    cell: ({ mode, critical }) => (critical ? `${mode}, critical` : mode),
    key: ({ mode, critical }) => `${mode} ${critical}`,
    isExtra: true,
  },
  { label: 'Pods', cell: ({ pods }) => number(pods), key: ({ pods }) => pods, kind: 'number' },
];

const podList = (title: string, names: readonly string[]): HTMLElement | undefined =>
  names.length === 0 ? undefined : el('div', {}, el('h3', {}, title), textList(names));

const detailOf = (owner: ScannedOwner): HTMLElement =>
  el(
    'div',
    { class: 'unfolded' },
    el('blockquote', { class: 'denial' }, el('bdi', {}, owner.message)),
    facts([
      ['API version', owner.apiVersion],
      ['Mode', owner.critical ? `${owner.mode}, in a critical namespace` : owner.mode],
      ['UID', owner.uid],
    ]),
    el('h3', {}, 'Findings'),
    listOf(owner.findings, ({ image, path, code, effect }) =>
      el(
        'li',
        {},
        el('bdi', {}, image),
        el('span', { class: 'quiet' }, ' at ', el('bdi', {}, path), `: ${effect} (${code})`),
      ),
    ),
    podList('Pods that would be refused', owner.refusedPods),
    podList('Pods', owner.refusedPods.length === owner.podNames.length ? [] : owner.podNames),
  );

/** Everything that a team has to work on, by its owner. */
export const showOwners = ({ owners }: ScanResult): void => {
  if (owners.length === 0) {
    find('owners').append(nothing('None.'));
    return;
  }
  const table = createTable({
    caption: 'Workloads with a finding, the most serious first',
    noun: 'workloads',
    rows: owners,
    columns: COLUMNS,
    detail: detailOf,
    sortedBy: 0,
    isPrinted: ({ status }) => status === 'refused',
  });
  find('owners').append(table.element);
};
