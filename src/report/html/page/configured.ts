import type { ConfiguredImage, Drift, ScanResult } from '../../../scan/index.ts';
import { el, find } from './dom.ts';
import { referenceOf } from './images.ts';
import { facts, fewOf, nothing, textList } from './lists.ts';
import { type Column, createTable } from './table.ts';
import { number, STATUSES, statusMark } from './words.ts';

const CONFIGURED: readonly Column<ConfiguredImage>[] = [
  {
    label: 'Status',
    cell: ({ status }) => statusMark(status),
    key: ({ status }) => STATUSES.indexOf(status),
  },
  {
    label: 'Image',
    cell: ({ reference }) => (reference === '' ? 'not known' : referenceOf(reference)),
    key: ({ reference }) => reference,
    kind: 'wide',
  },
  { label: 'Configured in', cell: ({ source }) => el('bdi', {}, source), key: ({ source }) => source },
  {
    label: 'Namespaces',
    cell: ({ namespaces }) => (namespaces === null ? 'not known' : fewOf(namespaces, 2)),
    key: ({ namespaces }) => namespaces?.length ?? -1,
    isExtra: true,
  },
];

const configuredDetail = ({
  message,
  source,
  path,
  reason,
  namespaces,
  status,
}: ConfiguredImage): HTMLElement =>
  el(
    'div',
    { class: 'unfolded' },
    el('blockquote', { class: status === 'verified' ? '' : 'denial' }, el('bdi', {}, message)),
    facts([
      ['Object', source],
      ['Path', path],
      ['Reason', reason],
    ]),
    namespaces === null || namespaces.length === 0
      ? undefined
      : el('div', {}, el('h3', {}, 'Namespaces whose pods get it'), textList(namespaces)),
  );

/** The images that are configured to come. */
export const showPreflight = ({ preflight }: ScanResult): void => {
  if (preflight.length === 0) {
    find('preflight').append(nothing('No configuration of Istio was found.'));
    return;
  }
  const table = createTable({
    caption: 'Images that Istio is configured to inject or install',
    noun: 'images',
    rows: preflight,
    columns: CONFIGURED,
    detail: configuredDetail,
  });
  find('preflight').append(table.element);
};

const DRIFT: readonly Column<Drift>[] = [
  { label: 'Status', cell: ({ status }) => statusMark(status), key: ({ status }) => status },
  {
    label: 'Image',
    cell: ({ reference }) => referenceOf(reference),
    key: ({ reference }) => reference,
    kind: 'wide',
  },
  {
    label: 'Workload',
    cell: ({ namespace, owner }) => el('bdi', {}, `${namespace} ${owner}`),
    key: ({ namespace, owner }) => `${namespace} ${owner}`,
    isExtra: true,
  },
  { label: 'Pods', cell: ({ pods }) => number(pods), key: ({ pods }) => pods, kind: 'number' },
];

const driftDetail = (drift: Drift): HTMLElement =>
  el(
    'div',
    { class: 'unfolded' },
    el('blockquote', { class: 'denial' }, el('bdi', {}, drift.message)),
    facts([
      ['Verified now', drift.verified ?? 'none'],
      ['Running', drift.running],
      ['Workload', `${drift.namespace} ${drift.owner}`],
      ['Container', drift.container],
    ]),
    drift.podNames.length === 0 ? undefined : el('div', {}, el('h3', {}, 'Pods'), textList(drift.podNames)),
  );

/** Containers that run something else than what is verified. */
export const showDrift = ({ drift }: ScanResult): void => {
  if (drift.length === 0) {
    find('drift').append(nothing('None was found.'));
    return;
  }
  const table = createTable({
    caption: 'Containers that run another digest, or of which it is not known',
    noun: 'rows',
    rows: drift,
    columns: DRIFT,
    detail: driftDetail,
  });
  find('drift').append(table.element);
};
