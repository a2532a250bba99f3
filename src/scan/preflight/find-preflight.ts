import type { JsonObject } from '../../base/index.ts';
import type { Labels } from '../namespaces/selector.ts';
import type { ConfiguredImage } from '../scan-result.ts';
import { findInjected, type InjectorPlace, MAX_PROXY_CONFIGS } from './injected.ts';
import { findInjectors, type Injector } from './injectors.ts';
import { findInstalled } from './installed.ts';
import { type JudgeConfigured, seriousnessOf, unknownRow } from './judge-configured.ts';
import { createPreflightReader, type ReaderOptions } from './preflight-reader.ts';
import { findStaleRevisions } from './stale-revisions.ts';

export interface PreflightOptions extends ReaderOptions {
  readonly judge: JudgeConfigured;
  /** The labels of every namespace; undefined: not known. */
  readonly namespaces: ReadonlyMap<string, Labels> | undefined;
  /** The MutatingWebhookConfigurations, if they were read; undefined: they are read here. */
  readonly webhooks?: readonly JsonObject[] | undefined;
  /** The DaemonSets for which `isNodeAgent` is true. */
  readonly daemonSets: readonly JsonObject[];
}

/** Bounds what is reported; of more, the most serious stay. */
const MAX_ROWS = 2_000;

/** The place of an installation without a revision; looked at even if no webhook can be read. */
const DEFAULT_PLACE = { namespace: 'istio-system', revision: 'default' };

const placesOf = (injectors: readonly Injector[], areWebhooksKnown: boolean): readonly InjectorPlace[] => {
  const places = injectors.flatMap((injector): readonly InjectorPlace[] => {
    const { namespace, revision } = injector;
    return namespace === undefined ? [] : [{ namespace, revision, injector, areWebhooksKnown }];
  });
  const hasDefault = places.some(
    ({ namespace, revision }) => namespace === DEFAULT_PLACE.namespace && revision === DEFAULT_PLACE.revision,
  );
  return hasDefault ? places : [...places, { ...DEFAULT_PLACE, injector: undefined, areWebhooksKnown }];
};

/** The injectors that are outside of the cluster, each a row: their templates cannot be read here. */
const externalRows = (
  injectors: readonly Injector[],
  namespaces: PreflightOptions['namespaces'],
): readonly ConfiguredImage[] =>
  injectors
    .filter(({ namespace }) => namespace === undefined)
    .map(({ configurations, isFor }) => {
      const listed = namespaces && [...namespaces].flatMap(([name, labels]) => (isFor(labels) ? [name] : []));
      const source = `MutatingWebhookConfiguration ${configurations.join(', ')}`;
      const why = 'its injector is outside of the cluster, so what it injects is not known';
      return unknownRow({ source, namespaces: listed ?? null }, 'webhooks', why);
    });

const compareRows = (left: ConfiguredImage, right: ConfiguredImage): number =>
  seriousnessOf(left) - seriousnessOf(right) ||
  left.source.localeCompare(right.source) ||
  left.reference.localeCompare(right.reference);

/**
 * Finds the images that Istio is configured to inject or install from now on, each judged as admission would judge the pods
 * that get it. What the account may not read is in the coverage. Rights: `list` on mutatingwebhookconfigurations and on the
 * kinds of `preflightKinds` that are served, `get` on the ConfigMaps `istio-sidecar-injector[-<revision>]` and
 * `istio[-<revision>]` in the namespaces of istiod. Nothing rejects.
 */
export const findPreflight = async (options: PreflightOptions): Promise<readonly ConfiguredImage[]> => {
  const { judge, namespaces, daemonSets, coverage, signal } = options;
  const reader = createPreflightReader(options);
  const webhooks =
    options.webhooks ??
    (await reader.list('admissionregistration.k8s.io', 'v1', 'mutatingwebhookconfigurations'));
  const injectors = findInjectors(webhooks ?? []);
  const proxyConfigs = await reader.listCustom('networking.istio.io', 'proxyconfigs');
  if (proxyConfigs.length > MAX_PROXY_CONFIGS)
    coverage.addCut(
      `Only the first ${MAX_PROXY_CONFIGS} of ${proxyConfigs.length} ProxyConfigs were judged.`,
    );
  const rows: ConfiguredImage[] = [];
  const injected = new Set<string>();
  for (const place of placesOf(injectors, webhooks !== undefined)) {
    const found = await findInjected(place, { reader, judge, namespaces, proxyConfigs });
    if (found.some(({ reference }) => reference !== '')) injected.add(place.namespace);
    rows.push(...found);
  }
  rows.push(
    ...externalRows(injectors, namespaces),
    ...(namespaces === undefined ? [] : findStaleRevisions(namespaces, injectors)),
    ...(await findInstalled({ reader, judge, injected, daemonSets })),
  );
  // An image that an interrupted scan did not get to is not unknown: the scan says that it is not complete.
  const known = signal.aborted ? rows.filter(({ status }) => status !== 'unknown') : rows;
  if (known.length > MAX_ROWS)
    coverage.addCut(`${known.length - MAX_ROWS} images that Istio is configured to use are not listed.`);
  return known.toSorted(compareRows).slice(0, MAX_ROWS);
};
