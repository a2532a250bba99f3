import { quoted } from '../../base/index.ts';
import type { Labels } from '../namespaces/selector.ts';
import type { ConfiguredImage } from '../scan-result.ts';
import type { Injector } from './injectors.ts';
import { unknownRow } from './judge-configured.ts';

/** Bounds the rows: whoever can label namespaces can make as many revisions. */
const MAX_REVISIONS = 100;
const MAX_LABEL = 80;

const LABELS = ['istio-injection', 'istio.io/rev'] as const;

/** The label by which a namespace asks for injection; undefined: it does not. */
const wishOf = (labels: Labels): readonly [name: string, value: string] | undefined => {
  // Ambient mode uses the revision without an injector.
  if (labels['istio.io/dataplane-mode'] === 'ambient' && labels['istio-injection'] !== 'enabled')
    return undefined;
  const [legacy, revision] = LABELS;
  if (labels[legacy] !== undefined)
    return labels[legacy] === 'enabled' ? [legacy, labels[legacy]] : undefined;
  const value = labels[revision] ?? '';
  return value === '' ? undefined : [revision, value];
};

/**
 * Finds namespaces whose label asks for a revision that no injector of the cluster serves: one that is gone, or never was.
 * None if there is no injector at all: then nothing is injected anywhere.
 */
export const findStaleRevisions = (
  namespaces: ReadonlyMap<string, Labels>,
  injectors: readonly Injector[],
): readonly ConfiguredImage[] => {
  if (injectors.length === 0) return [];
  const wishes = new Map<string, { readonly wish: readonly [string, string]; readonly names: string[] }>();
  for (const [name, labels] of namespaces) {
    const wish = wishOf(labels);
    if (wish === undefined || injectors.some(({ isFor }) => isFor(labels))) continue;
    const key = wish.join('=');
    const known = wishes.get(key) ?? { wish, names: [] };
    if (wishes.size < MAX_REVISIONS || wishes.has(key)) wishes.set(key, known);
    known.names.push(name);
  }
  return [...wishes.values()].map(({ wish: [label, value], names }) =>
    unknownRow(
      { source: 'Namespace labels', namespaces: names },
      `metadata.labels[${quoted(label, MAX_LABEL)}]`,
      `no injector of the cluster serves ${label}=${quoted(value, MAX_LABEL)}: new pods start without a proxy, and what they would get is not known; name a revision that is installed`,
    ),
  );
};
