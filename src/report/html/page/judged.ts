import type { ScannedKey, ScanResult } from '../../../scan/index.ts';
import { el, find } from './dom.ts';
import { facts, fewOf, listOf, textList } from './lists.ts';
import { count, durationOf, number } from './words.ts';

const keyItem = ({ source, keyId, covers, problem }: ScannedKey): HTMLLIElement =>
  el(
    'li',
    {},
    el(
      'span',
      { class: `mark ${problem === null ? 'verified' : 'unknown'}` },
      el('span', { class: 'glyph', 'aria-hidden': 'true' }, problem === null ? '✓' : '!'),
      problem === null ? 'loaded' : 'not loaded',
    ),
    el(
      'span',
      {},
      el('bdi', {}, source),
      covers === null ? undefined : el('span', { class: 'quiet' }, ` covers Istio `, el('bdi', {}, covers)),
      keyId === '' ? undefined : el('span', { class: 'quiet key' }, el('br'), el('bdi', {}, keyId)),
      problem === null ? undefined : el('span', {}, el('br'), el('bdi', {}, problem)),
    ),
  );

const namesOf = (names: readonly string[]): string => (names.length === 0 ? 'none' : fewOf(names, 30));

/** How namespaces are judged, by which keys. */
export const showPolicy = ({ policy, keys }: ScanResult): void => {
  find('policy').append(
    facts([
      ['Mode without a label', policy.mode],
      ['Pin', policy.pin],
      ['Webhook configuration', policy.webhook ?? 'none is installed: the chart’s defaults count'],
      ['Critical namespaces', namesOf(policy.criticalNamespaces)],
      ['Excluded namespaces', namesOf(policy.excludedNamespaces)],
    ]),
    el('h3', {}, 'Keys that may sign'),
    keys.length === 0 ? el('p', { class: 'quiet' }, 'None.') : listOf(keys, keyItem, { class: 'notices' }),
  );
};

/** The section on coverage and cost. */
export const showCoverage = ({ coverage, cost, durationMs }: ScanResult): void => {
  const { resources, notSeen, cut } = coverage;
  const missing = listOf(
    notSeen,
    ({ resource, why, remedy }) =>
      el(
        'li',
        {},
        el('bdi', { class: 'strong' }, resource),
        ': ',
        el('bdi', {}, why),
        el('span', { class: 'quiet' }, '; ', el('bdi', {}, remedy)),
      ),
    { class: 'texts' },
  );
  find('coverage').append(
    el('h3', {}, 'Not seen'),
    notSeen.length === 0 ? el('p', { class: 'quiet' }, 'Everything that was asked for was seen.') : missing,
    ...(cut.length === 0 ? [] : [el('h3', {}, 'Cut short by a limit'), textList(cut)]),
    el('h3', {}, 'Seen'),
    el(
      'table',
      { class: 'small' },
      el('caption', { class: 'unseen' }, 'Objects that were read, by resource'),
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          el('th', { scope: 'col' }, 'Resource'),
          el('th', { scope: 'col', class: 'number' }, 'Objects'),
          el('th', { scope: 'col', class: 'number' }, 'Requests'),
        ),
      ),
      el(
        'tbody',
        {},
        ...resources.map(({ resource, objects, requests }) =>
          el(
            'tr',
            {},
            el('th', { scope: 'row' }, resource),
            el('td', { class: 'number' }, number(objects)),
            el('td', { class: 'number' }, number(requests)),
          ),
        ),
      ),
    ),
    el(
      'p',
      { class: 'quiet' },
      `It took ${durationOf(durationMs)}, ${count(cost.apiRequests, 'request')} to the API server and ${count(cost.registryRequests, 'request')} to registries.`,
    ),
  );
};
