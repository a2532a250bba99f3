import { findDocumentImages } from '../../../src/admission/index.ts';
import { type Core, compose } from '../../../src/compose.ts';
import { parseConfig } from '../../../src/config/index.ts';
import { type Cluster, ClusterFault, type ServedResources } from '../../../src/kubernetes/index.ts';
import { createCoverage } from '../../../src/scan/collect/index.ts';
import { findPreflight, type PreflightOptions } from '../../../src/scan/preflight/find-preflight.ts';
import type { JudgeConfigured } from '../../../src/scan/preflight/judge-configured.ts';
import type { Mirror } from '../../support/mirror.ts';

type Json = Readonly<Record<string, unknown>>;

/** A cluster in memory: objects by the path of their collection, and statuses for what is refused. */
export interface MemoryCluster {
  /** By `configmaps istio-system/istio`, or `proxyconfigs` for a list. */
  readonly objects: Readonly<Record<string, Json | readonly Json[]>>;
  /** Statuses by the same names. */
  readonly refused?: Readonly<Record<string, number>>;
}

const refuse = (method: 'GET', resource: { group: string; plural: string }, status: number): ClusterFault =>
  new ClusterFault({ method, resource, status }, `the API server returned ${status}`);

const clusterOf = (
  { objects, refused = {} }: MemoryCluster,
  asked: string[],
): Pick<Cluster, 'list' | 'get'> => ({
  async get({ plural, namespace, name, group }) {
    const key = `${plural} ${namespace}/${name}`;
    asked.push(key);
    const status = refused[key];
    if (status !== undefined) throw refuse('GET', { group, plural }, status);
    return objects[key] as Json | undefined;
  },
  async *list({ plural, group }) {
    asked.push(plural);
    const status = refused[plural];
    if (status !== undefined) throw refuse('GET', { group, plural }, status);
    yield { items: (objects[plural] ?? []) as readonly Json[], remaining: 0, requests: 1 };
  },
});

const KINDS: Readonly<Record<string, string>> = {
  istiooperators: 'IstioOperator',
  istios: 'Istio',
  istiorevisions: 'IstioRevision',
  istiocnis: 'IstioCNI',
  ztunnels: 'ZTunnel',
  proxyconfigs: 'ProxyConfig',
};

const served: ServedResources = {
  find: (group, plural) => {
    const kind = KINDS[plural];
    return kind === undefined ? undefined : { group, version: 'v1', plural, kind, isNamespaced: true };
  },
  unavailable: [],
};

/** Judges every image that an object names by the judge of the webhook. */
const judgeBy =
  (core: Core): JudgeConfigured =>
  async (object) =>
    Promise.all(
      findDocumentImages(object).uses.map(async ({ image, path }) => {
        const { verification } = await core.judge.judge(image, AbortSignal.timeout(10_000));
        return verification?.outcome === 'verified'
          ? ({ image, path, status: 'verified', reason: null, message: '' } as const)
          : ({
              image,
              path,
              status: 'refused',
              reason: 'signature-missing',
              message: `no ${image}`,
            } as const);
      }),
    );

export const composeFor = async (mirror: Mirror): Promise<Core> => {
  const head = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };
  const config = await parseConfig(JSON.stringify({ ...head, ...mirror.configuration }), () =>
    Promise.reject(new Error('no file')),
  );
  const core = compose(config, { report: String, onKeyEvent: () => {}, now: Date.now });
  await core.load();
  return core;
};

/** Finds the preflight of a cluster in memory, with what was asked of it and what its coverage says. */
export const preflightOf = async (
  core: Core,
  cluster: MemoryCluster,
  more: Partial<PreflightOptions> = {},
) => {
  const asked: string[] = [];
  const coverage = createCoverage();
  const rows = await findPreflight({
    cluster: clusterOf(cluster, asked),
    served,
    coverage,
    signal: AbortSignal.timeout(20_000),
    judge: judgeBy(core),
    namespaces: new Map(),
    daemonSets: [],
    ...more,
  });
  return { rows, asked, coverage: coverage.result() };
};
