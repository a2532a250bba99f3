import type { Api } from '../control-plane/api.ts';
import { until } from '../control-plane/until.ts';

/*
 * Everything that the API server has, of every kind that can be listed, as its own discovery says.
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

/** What comes and goes by itself: Events end with the hour, pods are the tests', leases are the control plane's. */
const PASSING = new Set(['events', 'pods', 'leases']);

const pathsOf = async (api: Api): Promise<readonly string[]> => {
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
      .filter(({ name, verbs }) => verbs.includes('list') && !PASSING.has(name))
      .map(({ name }) => `${root}/${name}`);
  });
  return (await Promise.all(lists)).flat();
};

/** Every object, as the path of its kind followed by `NAMESPACE/NAME`, in order. */
export const takeInventory = async (api: Api): Promise<readonly string[]> => {
  const lists = (await pathsOf(api)).map(async (path) => {
    const { items } = await api.get<Listed>(path);
    return items.map(({ metadata: { namespace = '', name } }) => `${path} ${namespace}/${name}`);
  });
  return (await Promise.all(lists)).flat().toSorted();
};

/** Takes it when two in a row are the same: what controllers make of their own is there by then. */
export const takeSettledInventory = async (api: Api): Promise<readonly string[]> => {
  let last: readonly string[] = [];
  return until(
    'an inventory that stays',
    async () => {
      const before = last.join('\n');
      last = await takeInventory(api);
      return last.join('\n') === before && last;
    },
    { every: 500 },
  );
};
