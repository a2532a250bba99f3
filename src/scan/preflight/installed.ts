import { type JsonObject, memberOf, textOf } from '../../base/index.ts';
import type { ConfiguredImage } from '../scan-result.ts';
import { type JudgeConfigured, judgeConfiguration, nameOfObject } from './judge-configured.ts';
import type { PreflightReader } from './preflight-reader.ts';

/** A kind of resource from which an operator installs Istio. */
interface InstallingKind {
  readonly group: string;
  readonly plural: string;
  /** `injector`: the ConfigMap of the injector says precisely what the resource leaves to its operator; `node`: the DaemonSet does. */
  readonly isNamedBy?: 'injector' | 'node';
}

/** Sources: istio/istio `operator/pkg/apis/types.go`; istio-ecosystem/sail-operator `api/v1`. */
const KINDS: readonly InstallingKind[] = [
  { group: 'install.istio.io', plural: 'istiooperators', isNamedBy: 'injector' },
  { group: 'sailoperator.io', plural: 'istios', isNamedBy: 'injector' },
  { group: 'sailoperator.io', plural: 'istiorevisions', isNamedBy: 'injector' },
  { group: 'sailoperator.io', plural: 'istiocnis', isNamedBy: 'node' },
  { group: 'sailoperator.io', plural: 'ztunnels', isNamedBy: 'node' },
];

/** The groups and plurals that preflight asks for, as custom resources. */
export const preflightKinds: readonly Pick<InstallingKind, 'group' | 'plural'>[] = [
  ...KINDS.map(({ group, plural }) => ({ group, plural })),
  { group: 'networking.istio.io', plural: 'proxyconfigs' },
];

const DEFAULT_NAMESPACE = 'istio-system';

const textAt = (object: unknown, ...names: readonly string[]): string =>
  textOf(names.reduce<unknown>((from, name) => memberOf(from, name), object)) ?? '';

/** The namespace that an operator installs into. */
const namespaceOf = (object: JsonObject): string =>
  textAt(object, 'spec', 'namespace') || textAt(object, 'metadata', 'namespace') || DEFAULT_NAMESPACE;

export interface InstalledOptions {
  readonly reader: PreflightReader;
  readonly judge: JudgeConfigured;
  /** Namespaces whose injector was read. */
  readonly injected: ReadonlySet<string>;
  /** The DaemonSets of Istio. */
  readonly daemonSets: readonly JsonObject[];
}

const CONTAINERS: ReadonlySet<unknown> = new Set(['install-cni', 'istio-proxy', 'ztunnel']);

/** True for a DaemonSet that could be Istio's: the CNI plugin, ztunnel, or a gateway on every node. */
export const isNodeAgent = (object: unknown): boolean => {
  if (memberOf(object, 'kind') !== 'DaemonSet') return false;
  const spec = memberOf(memberOf(memberOf(object, 'spec'), 'template'), 'spec');
  const containers = memberOf(spec, 'containers');
  return (
    Array.isArray(containers) && containers.some((one: unknown) => CONTAINERS.has(memberOf(one, 'name')))
  );
};

/** Finds what operators install from resources, and what the DaemonSets of Istio start on every node. Nothing rejects. */
export const findInstalled = async ({
  reader,
  judge,
  injected,
  daemonSets,
}: InstalledOptions): Promise<readonly ConfiguredImage[]> => {
  const rows: ConfiguredImage[] = [];
  for (const { group, plural, isNamedBy } of KINDS)
    for (const object of await reader.listCustom(group, plural)) {
      const namespace = namespaceOf(object);
      const isNamed =
        isNamedBy === 'injector'
          ? injected.has(namespace)
          : isNamedBy === 'node' &&
            daemonSets.some((one) => textAt(one, 'metadata', 'namespace') === namespace);
      const namespaces = isNamedBy === 'node' ? [namespace] : null;
      const configuration = { object, source: nameOfObject(object), namespace, namespaces };
      rows.push(...(await judgeConfiguration({ ...configuration, namesUnknown: !isNamed }, judge)));
    }
  for (const object of daemonSets.filter(isNodeAgent)) {
    const namespace = textAt(object, 'metadata', 'namespace');
    const configuration = { object, source: nameOfObject(object), namespace, namespaces: [namespace] };
    rows.push(...(await judgeConfiguration(configuration, judge)));
  }
  return rows;
};
