import type { ScanResult } from '../../scan/index.ts';
import { count } from '../count.ts';
import { labelled, type Page, table, within, wrap } from './layout.ts';

const MAX_ROWS = 50;

/** Columns of the labels. */
const LABEL = 12;

const listOf = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '));

const PINS = {
  enforce: 'where a namespace enforces, as the webhook would',
  always: 'everywhere, as the webhook would',
  never: 'nowhere',
} as const;

/** By which rules and keys the cluster was judged. */
export const rulesSection = ({ policy, keys }: ScanResult, page: Page): readonly string[] => {
  const inside = { ...page, columns: page.columns - LABEL - 2 };
  const row = (label: string, text: string) => labelled(label, wrap(text, '', inside), LABEL);
  const keyOf = ({ source, covers, problem, keyId }: (typeof keys)[number]): string =>
    `${source}${covers === null ? '' : `, for Istio ${covers}`}: ${problem === null ? `key id ${keyId}` : `NOT LOADED: ${problem}`}`;
  return [
    '',
    page.paint('HOW IT WAS JUDGED', 'bold'),
    '',
    ...row('mode', `${policy.mode} in namespaces without a label that counts`),
    ...row(
      'lists',
      policy.webhook === null ? "the chart's defaults" : `of the webhook configuration ${policy.webhook}`,
    ),
    ...row('critical', listOf(policy.criticalNamespaces)),
    ...row('excluded', listOf(policy.excludedNamespaces)),
    ...row('pinned', PINS[policy.pin]),
    ...within(keys, MAX_ROWS, (key, index) => row(index === 0 ? 'keys' : '', keyOf(key))),
  ];
};

/** The section on coverage: what was not seen, what was read, and at which cost. */
export const coverageSection = (
  { coverage, cost, durationMs }: ScanResult,
  page: Page,
): readonly string[] => {
  const { resources, notSeen, cut } = coverage;
  const rows = resources
    .slice(0, MAX_ROWS)
    .map(({ resource, objects, requests }) => [String(objects), String(requests), resource]);
  return [
    ...(notSeen.length + cut.length === 0
      ? []
      : [
          '',
          page.paint('NOT SEEN', 'yellow'),
          '',
          ...within(notSeen, MAX_ROWS, ({ resource, why, remedy }) =>
            wrap(`${resource}: ${why}; ${remedy}`, '  - ', page),
          ),
          ...within(cut, MAX_ROWS, (sentence) => wrap(sentence, '  - ', page)),
        ]),
    '',
    page.paint('READ', 'bold'),
    '',
    ...table(
      [{ title: 'OBJECTS', isNumber: true }, { title: 'REQUESTS', isNumber: true }, { title: 'RESOURCE' }],
      rows,
    ),
    ...within(resources.slice(MAX_ROWS), 0, () => []),
    '',
    ...wrap(
      `${count(cost.apiRequests, 'request')} to the API server and ${count(cost.registryRequests, 'request')} to registries, in ${(durationMs / 1_000).toFixed(1)} s.`,
      '  ',
      page,
    ),
  ];
};
