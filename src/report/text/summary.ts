import { listWithin } from '../../base/index.ts';
import type { ScanResult, ScanStatus } from '../../scan/index.ts';
import { answerOf } from '../answer.ts';
import { count } from '../count.ts';
import { fit, labelled, type Page, table, wrap } from './layout.ts';

/** Columns of the labels. */
const LABEL = 11;
/** The lines of a screen: the lowest terminal that is in use. */
const SCREEN = 24;
/** Lines of a remedy. */
const MAX_REMEDY = 2;

const STATUSES = [
  'refused',
  'unknown',
  'reported',
  'exempt',
  'verified',
] as const satisfies readonly ScanStatus[];

/** Red if something would be refused, yellow if something is unknown, green if all is well. */
const answerStyle = ({ complete, summary: { pods, ownersRefused } }: ScanResult) => {
  if (pods.refused > 0 || ownersRefused > 0) return 'red';
  return !complete || pods.unknown > 0 || pods.all === 0 ? 'yellow' : 'green';
};

/** The answer, on one line or two. */
export const answerLines = (result: ScanResult, page: Page): readonly string[] =>
  wrap(answerOf(result), '', page).map((line) => page.paint(line, answerStyle(result)));

const seconds = (milliseconds: number): string => `${(milliseconds / 1_000).toFixed(1)} s`;

const clusterOf = ({ cluster: { context, version, server } }: ScanResult): string =>
  [
    context ?? (server === null ? 'this one, from a pod of it' : ''),
    version ?? 'of unknown version',
    server ?? '',
  ]
    .filter((part) => part !== '')
    .join(', ');

const scannedOf = ({ startedAt, durationMs, summary: { pods, namespaces } }: ScanResult): string =>
  `${count(pods.all, 'pod')} in ${count(namespaces, 'namespace')}, ${startedAt.slice(0, 16).replace('T', ' ')} UTC, in ${seconds(durationMs)}`;

const rulesOf = ({ policy: { mode, webhook } }: ScanResult): string =>
  `mode ${mode}; ${webhook === null ? "the chart's default lists, as no webhook is installed" : `lists of the installed webhook ${webhook}`}`;

const countsOf = ({ summary: { pods, images } }: ScanResult): readonly string[] =>
  table(
    [{ title: '' }, ...[...STATUSES, "not Istio's"].map((title) => ({ title, isNumber: true }))],
    [
      ['pods', ...STATUSES.map((status) => String(pods[status])), String(pods.other)],
      ['images', ...STATUSES.map((status) => String(images[status])), '-'],
    ],
  );

const reasonsOf = ({ summary: { reasons } }: ScanResult, columns: number): string =>
  listWithin(
    Object.entries(reasons)
      .toSorted(([, a], [, b]) => b - a)
      .map(([reason, images]) => `${reason} ${images}`),
    columns,
  );

const ownersOf = ({ summary, owners }: ScanResult): string => {
  const refused = owners.filter(({ status }) => status === 'refused');
  const namespaces = new Set(refused.map(({ namespace }) => namespace)).size;
  return summary.ownersRefused === 0
    ? ''
    : `${count(summary.ownersRefused, 'workload')} in ${count(namespaces, 'namespace')} would be refused`;
};

/** The first lines of a remedy; the last one shows that it was cut. */
const remedyOf = (text: string, head: string, page: Page): readonly string[] => {
  const lines = wrap(text, head, page);
  if (lines.length <= MAX_REMEDY) return lines;
  const narrower = wrap(text, head, { ...page, columns: page.columns - 2 }).slice(0, MAX_REMEDY);
  return [...narrower.slice(0, -1), `${narrower.at(-1) ?? ''} …`];
};

/** The remedies, as many of them as fit in `room` lines. */
const remedyRows = ({ remedies }: ScanResult, page: Page, room: number): readonly string[] => {
  const inside = { ...page, columns: page.columns - LABEL - 2 };
  const lines: string[] = [];
  for (const [index, { title, pods }] of remedies.entries()) {
    const head = `${index + 1}. `;
    const next = remedyOf(`${title} (${count(pods, 'pod')})`, head, inside);
    // The last line is kept for the number of the others.
    if (lines.length + next.length > room - (index === remedies.length - 1 ? 0 : 1))
      return [...lines, `… and ${remedies.length - index} more below`];
    lines.push(...next);
  }
  return lines;
};

const preflightOf = ({ preflight, summary }: ScanResult): string => {
  if (preflight.length === 0) return 'nothing was found that Istio is configured to inject or install';
  const { preflightRefused: refused, preflightUnknown: unknown } = summary;
  const configured = count(preflight.length, 'configured image');
  return refused + unknown === 0
    ? `none of ${configured} would be refused`
    : `of ${configured} ${refused} would be refused, ${unknown} unknown`;
};

const driftOf = ({ summary: { drifted, driftUnknown } }: ScanResult): string =>
  drifted + driftUnknown === 0
    ? 'none found'
    : `${count(drifted, 'container')} with another digest than the verified one, ${driftUnknown} unknown`;

const noticesOf = ({ notices }: ScanResult): string => {
  const [first] = notices;
  if (first === undefined) return '';
  return notices.length === 1 ? first.message : `(${notices.length}, below) ${first.message}`;
};

const keysOf = ({ keys }: ScanResult): string => {
  const missing = keys.filter(({ problem }) => problem !== null);
  const [first] = missing;
  return first === undefined
    ? ''
    : `${missing.length} of ${keys.length} not loaded: ${first.source}: ${first.problem ?? ''}`;
};

const notSeenOf = ({ coverage: { notSeen, cut } }: ScanResult): string => {
  const [first] = notSeen;
  const texts = [...(first === undefined ? [] : [`${first.resource}: ${first.why}`]), ...cut];
  const [text] = texts;
  if (text === undefined) return '';
  const all = notSeen.length + cut.length;
  return all === 1 ? text : `(${all}, below) ${text}`;
};

/** Returns the summary: at most one screen of 24 lines, each cut to the columns of the page. */
export const summaryLines = (result: ScanResult, page: Page): readonly string[] => {
  const columns = page.columns - LABEL - 2;
  const row = (label: string, ...texts: readonly string[]): readonly string[] =>
    labelled(
      label,
      texts.filter((text) => text !== '').map((text) => fit(text, columns)),
      LABEL,
    );
  const head = [
    ...answerLines(result, page),
    '',
    ...row('Cluster', clusterOf(result)),
    ...row('Scanned', scannedOf(result)),
    ...row('Judged in', rulesOf(result)),
    '',
    ...countsOf(result),
    '',
    ...row('Reasons', reasonsOf(result, columns)),
    ...row('Workloads', ownersOf(result)),
  ];
  const tail = [
    ...row('Preflight', preflightOf(result)),
    ...row('Drift', driftOf(result)),
    ...row('Notices', noticesOf(result)),
    ...row('Keys', keysOf(result)),
    ...row('Not seen', notSeenOf(result)),
  ];
  const room = SCREEN - head.length - tail.length;
  return [...head, ...row('To do', ...remedyRows(result, page, room)), ...tail];
};
