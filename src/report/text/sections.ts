import type { ConfiguredImage, Drift, Notice, Remedy, ScanResult } from '../../scan/index.ts';
import { count } from '../count.ts';
import { labelled, type Page, table, whole, within, wrap } from './layout.ts';

const MAX_ROWS = 50;
const MAX_NAMES = 5;
const MAX_SNIPPET_LINES = 60;

/** Columns of the labels. */
const LABEL = 10;

const inside = (page: Page): Page => ({ ...page, columns: page.columns - LABEL - 2 });

const section = (title: string, { paint }: Page, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ['', paint(title, 'bold'), ...lines];

/** At most a few of many names, in one line. */
const namesOf = (names: readonly string[], separator = ', '): string => {
  const rest = names.length - MAX_NAMES;
  return [...names.slice(0, MAX_NAMES), ...(rest > 0 ? [`and ${rest} more`] : [])].join(separator);
};

/** The lines of a snippet, none of which a terminal obeys. */
const snippetLines = (snippet: string): readonly string[] =>
  within(
    snippet.replaceAll('\t', '  ').trimEnd().split('\n'),
    MAX_SNIPPET_LINES,
    (line) => [`       ${whole(line)}`.trimEnd()],
    { indent: '       ' },
  );

const remedyLines = (
  { title, snippet, images, owners, pods }: Remedy,
  number: number,
  page: Page,
): readonly string[] => [
  '',
  ...wrap(title, `  ${String(number).padStart(2)}. `, page),
  ...wrap(
    `for ${count(pods, 'pod')} with ${count(images.length, 'image')}${owners.length === 0 ? '' : `: ${namesOf(owners)}`}`,
    '      ',
    page,
  ),
  ...(snippet.trim() === '' ? [] : ['', ...snippetLines(snippet)]),
];

/** The remedies, the one that helps most pods first. */
export const remedySection = ({ remedies }: ScanResult, page: Page): readonly string[] =>
  section(
    'WHAT TO DO, in this order',
    page,
    within(remedies, MAX_ROWS, (remedy, index) => remedyLines(remedy, index + 1, page)),
  );

const STYLES = {
  refused: 'red',
  unknown: 'yellow',
  reported: 'yellow',
  exempt: 'green',
  verified: 'green',
} as const;

const configuredLines = (image: ConfiguredImage, page: Page): readonly string[] => {
  const { status, reference, source, path, namespaces, message } = image;
  const lines = [
    whole(`${source}, ${path}`),
    ...(namespaces === null
      ? []
      : wrap(`for ${count(namespaces.length, 'namespace')}: ${namesOf(namespaces)}`, '', inside(page))),
    ...(status === 'verified' ? [] : wrap(message, '', inside(page))),
  ];
  const head = `  ${page.paint(status.padEnd(LABEL), STYLES[status])}${reference === '' ? 'an image that is not named' : whole(reference)}`;
  return [head, ...labelled('', lines, LABEL)];
};

/** The images that Istio will inject or install. */
export const preflightSection = ({ preflight }: ScanResult, page: Page): readonly string[] =>
  section('CONFIGURED to be injected or installed from now on', page, [
    ...(preflight.length === 0 ? [] : ['']),
    ...within(preflight, MAX_ROWS, (image) => configuredLines(image, page)),
  ]);

const driftLines = (drift: Drift, page: Page): readonly string[] => [
  `  ${page.paint(drift.status.padEnd(LABEL), drift.status === 'drifted' ? 'red' : 'yellow')}${whole(drift.reference)}`,
  ...labelled('', wrap(drift.message, '', inside(page)), LABEL),
  ...labelled(
    '',
    [`verified  ${whole(drift.verified ?? 'no digest')}`, `running   ${whole(drift.running)}`],
    LABEL,
  ),
  ...labelled(
    '',
    wrap(
      `in ${drift.namespace} ${drift.owner}, container ${drift.container}: ${count(drift.pods, 'pod')} (${namesOf(drift.podNames)})`,
      '',
      inside(page),
    ),
    LABEL,
  ),
];

/** Containers that run something else than what is verified now. */
export const driftSection = ({ drift }: ScanResult, page: Page): readonly string[] =>
  section('DRIFT: the digest that runs, and the one verified now', page, [
    ...(drift.length === 0 ? [] : ['']),
    ...within(drift, MAX_ROWS, (one) => driftLines(one, page)),
  ]);

const noticeLines = ({ severity, message, pods }: Notice, page: Page): readonly string[] =>
  wrap(
    `${message}${pods === 0 ? '' : ` (${count(pods, 'pod')})`}`,
    severity === 'warning' ? '  ! ' : '  - ',
    page,
  );

/** The notices: what is going to matter. */
export const noticeSection = ({ notices }: ScanResult, page: Page): readonly string[] =>
  section('NOTICES', page, [
    ...(notices.length === 0 ? [] : ['']),
    ...within(notices, MAX_ROWS, (notice) => noticeLines(notice, page)),
  ]);

const supportOf = (supported: boolean | null): string => {
  if (supported === null) return 'not known';
  return supported ? 'supported' : 'out of support';
};

/** The Istio versions in use. */
export const versionSection = ({ versions }: ScanResult, page: Page): readonly string[] =>
  section('ISTIO VERSIONS in use', page, [
    ...(versions.length === 0 ? [] : ['']),
    ...(versions.length === 0
      ? []
      : table(
          [
            { title: 'VERSION' },
            { title: 'PODS', isNumber: true },
            { title: 'IMAGES', isNumber: true },
            { title: 'SUPPORT' },
            { title: 'ENDS' },
          ],
          versions
            .slice(0, MAX_ROWS)
            .map(({ version, pods, images, supported, supportEnds }) => [
              version,
              String(pods),
              String(images.length),
              supportOf(supported),
              supportEnds ?? 'not known',
            ]),
        )),
    ...within(versions.slice(MAX_ROWS), 0, () => []),
  ]);
