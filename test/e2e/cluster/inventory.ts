import type { Api } from '../control-plane/api.ts';
import { until } from '../control-plane/until.ts';

/*
 * Lists all objects of every kind that the API server's discovery names as listable.
 */

interface ResourceList {
  readonly groupVersion: string;
  readonly resources: readonly {
    readonly name: string;
    readonly verbs: readonly string[];
  }[];
}

interface Listed {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly namespace?: string };
  }[];
}

/** Kinds that change by themselves: Events expire, pods belong to the tests, leases to the control plane. */
const TRANSIENT: ReadonlySet<string> = new Set(['events', 'pods', 'leases']);
/** For a test that creates no pods of its own, or deletes them. */
export const EVENTS: ReadonlySet<string> = new Set(['events']);

const pathsOf = async (api: Api, without: ReadonlySet<string>): Promise<readonly string[]> => {
  const { groups } = await api.get<{
    readonly groups: readonly { readonly preferredVersion: { readonly groupVersion: string } }[];
  }>('/apis');
  const roots = [
    '/api/v1',
    ...groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`),
  ];
  const lists = roots.map(async (root) => {
    const { resources } = await api.get<ResourceList>(root);
    return resources
      .filter(({ name, verbs }) => verbs.includes('list') && !without.has(name))
      .map(({ name }) => `${root}/${name}`);
  });
  return (await Promise.all(lists)).flat();
};

/** Resolves with every object but those of some resources, as the path of its kind followed by `NAMESPACE/NAME`, sorted. */
export const takeInventory = async (
  api: Api,
  without: ReadonlySet<string> = TRANSIENT,
): Promise<readonly string[]> => {
  const lists = (await pathsOf(api, without)).map(async (path) => {
    const { items } = await api.get<Listed>(path);
    return items.map(({ metadata: { namespace = '', name } }) => `${path} ${namespace}/${name}`);
  });
  return (await Promise.all(lists)).flat().toSorted();
};

/** Resolves with the inventory once two in a row are the same: controllers have created their own objects by then. */
export const takeSettledInventory = async (
  api: Api,
  without?: ReadonlySet<string>,
): Promise<readonly string[]> => {
  let last: readonly string[] = [];
  return until(
    'an inventory that stays',
    async () => {
      const before = last.join('\n');
      last = await takeInventory(api, without);
      return last.join('\n') === before && last;
    },
    { every: 500 },
  );
};
