import { isJsonObject, listMemberOf, memberOf, textOf } from '../base/index.ts';
import type { CallApi } from './call-api.ts';
import type { Cluster, ServedResource, ServedResources } from './cluster.ts';

/** Everything in one response (Kubernetes 1.27 and later); an older API server returns the list of groups. */
const DISCOVERY_TYPES = ['v2', 'v2beta1']
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat('application/json')
  .join(',');

/** Group versions that are asked for at the same time. */
const MAX_CONCURRENT = 8;

/** The resources of one group version, the preferred version of its group first; undefined: it does not respond. */
interface GroupVersion {
  readonly group: string;
  readonly version: string;
  readonly resources: readonly ServedResource[] | undefined;
}

const listOf = (value: unknown, name: string): readonly unknown[] => listMemberOf(value, name) ?? [];

const textAt = (value: unknown, name: string): string => textOf(memberOf(value, name)) ?? '';

/** Reads an APIGroupDiscovery (apidiscovery.k8s.io/v2). A `Stale` version is what was known before its server failed. */
const readAggregated = (item: unknown): readonly GroupVersion[] => {
  const group = textAt(memberOf(item, 'metadata'), 'name');
  return listOf(item, 'versions').map((entry) => {
    const version = textAt(entry, 'version');
    const resources = listOf(entry, 'resources').map(
      (resource): ServedResource => ({
        group,
        version,
        plural: textAt(resource, 'resource'),
        kind: textAt(memberOf(resource, 'responseKind'), 'kind'),
        isNamespaced: textAt(resource, 'scope') === 'Namespaced',
      }),
    );
    const isStale = textAt(entry, 'freshness') === 'Stale' && resources.length === 0;
    return { group, version, resources: isStale ? undefined : resources };
  });
};

/** Reads an APIResourceList (meta/v1); subresources have a slash in their names. */
const readResourceList = (body: unknown, group: string, version: string): readonly ServedResource[] =>
  listOf(body, 'resources').flatMap((resource) => {
    const plural = textAt(resource, 'name');
    if (plural.includes('/')) return [];
    const isNamespaced = memberOf(resource, 'namespaced') === true;
    return [{ group, version, plural, kind: textAt(resource, 'kind'), isNamespaced }];
  });

/** Returns the versions of an APIGroup (meta/v1), the preferred one first. */
const versionsOf = (item: unknown): readonly string[] => {
  const preferred = textAt(memberOf(item, 'preferredVersion'), 'version');
  return [
    ...new Set([preferred, ...listOf(item, 'versions').map((entry) => textAt(entry, 'version'))]),
  ].filter((version) => version !== '');
};

const resultOf = (versions: readonly GroupVersion[]): ServedResources => {
  const served = new Map<string, ServedResource>();
  for (const { resources = [] } of versions)
    for (const resource of resources) {
      const key = `${resource.group}/${resource.plural}`;
      if (!served.has(key)) served.set(key, resource);
    }
  return {
    find: (group, plural) => served.get(`${group}/${plural}`),
    unavailable: versions
      .filter(({ resources }) => resources === undefined)
      .map(({ group, version }) => `${group}/${version}`),
  };
};

/** Creates the function that finds out which kinds of objects are served. Everyone who can log in may ask. */
export const createDiscover = (callApi: CallApi): Cluster['discover'] => {
  const readGroupVersion = async (
    group: string,
    version: string,
    signal: AbortSignal,
  ): Promise<GroupVersion> => {
    const resource = {
      group: '',
      plural: `/apis/${encodeURIComponent(group)}/${encodeURIComponent(version)}`,
    };
    const resources = await callApi({ method: 'GET', resource }, signal).then(
      ({ body }) => readResourceList(body, group, version),
      (error: unknown) => {
        if (signal.aborted) throw error;
        return undefined;
      },
    );
    return { group, version, resources };
  };

  const readEach = async (
    groups: readonly unknown[],
    signal: AbortSignal,
  ): Promise<readonly GroupVersion[]> => {
    const wanted = groups.flatMap((item) =>
      versionsOf(item).map((version) => ({ group: textAt(item, 'name'), version })),
    );
    const found: GroupVersion[] = [];
    for (let from = 0; from < wanted.length; from += MAX_CONCURRENT)
      found.push(
        ...(await Promise.all(
          wanted
            .slice(from, from + MAX_CONCURRENT)
            .map(({ group, version }) => readGroupVersion(group, version, signal)),
        )),
      );
    return found;
  };

  return async (signal) => {
    const resource = { group: '', plural: '/apis' };
    const { body } = await callApi({ method: 'GET', resource, mediaType: DISCOVERY_TYPES }, signal);
    const items = listOf(body, 'items').filter(isJsonObject);
    return resultOf(
      items.length > 0 ? items.flatMap(readAggregated) : await readEach(listOf(body, 'groups'), signal),
    );
  };
};
