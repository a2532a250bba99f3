import { type Cluster, ClusterFault, type ServedResources } from '../../kubernetes/index.ts';
import type { CoverageRecorder } from './coverage.ts';
import { templateKinds } from './kinds.ts';

const NONE: ServedResources = { find: () => undefined, unavailable: [] };

const FORBIDDEN = 403;

const customGroups: ReadonlySet<string> = new Set(
  templateKinds.filter(({ isBuiltIn }) => !isBuiltIn).map(({ group }) => group),
);

/**
 * Finds out which kinds the API server serves. If it does not say, the coverage says so, and only Kubernetes' own kinds are
 * read. Rejects with a `ClusterFault` if it does not respond or does not accept the credentials: nothing can be read then.
 */
export const readServed = async (
  cluster: Pick<Cluster, 'discover'>,
  coverage: CoverageRecorder,
  signal: AbortSignal,
): Promise<ServedResources> => {
  const served = await cluster.discover(signal).catch((error: unknown) => {
    const status = error instanceof ClusterFault ? error.status : undefined;
    if (status !== FORBIDDEN && (status === undefined || status < 500)) throw error;
    coverage.addNotSeen({
      resource: 'custom resources',
      why: `the API server does not say which ones it serves (status ${status})`,
      remedy:
        status === FORBIDDEN
          ? 'Bind the ClusterRole system:discovery to the account'
          : 'Repeat the scan once the API server responds',
    });
    return NONE;
  });
  for (const version of served.unavailable)
    if (customGroups.has(version.split('/')[0] ?? ''))
      coverage.addNotSeen({
        resource: version,
        why: 'its API service does not respond',
        remedy: `Mend the APIService, or remove it: kubectl get apiservices`,
      });
  return served;
};
