import type { Api, ApiResponse } from '../control-plane/api.ts';

/*
 * Every request by which a client can change the labels of a namespace that exists, made from the API server's own
 * discovery: a verb of a resource whose objects are namespaces.
 */

export const LABEL = 'sailmark.dev/mode';
const NAMESPACES = '/api/v1/namespaces';

/** One request that changes the mode label. */
export interface Way {
  /** `PUT namespaces/finalize`. */
  readonly name: string;
  /** Sends it: the label of this namespace becomes `mode`, or is removed if that is null. */
  send(api: Api, namespace: string, mode: string | null): Promise<ApiResponse>;
}

interface Resource {
  readonly name: string;
  readonly kind: string;
  readonly verbs: readonly string[];
}

/** Verbs that change no label of an object that stays. */
const OTHER_VERBS = new Set(['get', 'list', 'watch', 'create', 'delete', 'deletecollection']);

const pathOf = (resource: string, namespace: string): string =>
  resource.replace('namespaces', `${NAMESPACES}/${namespace}`);

const put = (resource: string): Way => ({
  name: `PUT ${resource}`,
  async send(api, namespace, mode) {
    interface Namespace {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
    }
    const old = await api.get<Namespace>(pathOf('namespaces', namespace));
    const { [LABEL]: _, ...others } = old.metadata.labels;
    const labels = mode === null ? others : { ...others, [LABEL]: mode };
    return api.send('PUT', pathOf(resource, namespace), {
      body: { ...old, metadata: { ...old.metadata, labels } },
    });
  },
});

const labelled = (mode: string | null): object => ({ metadata: { labels: { [LABEL]: mode } } });

/** The bodies of the types of a patch, by media type (`application/…`). */
const PATCHES: Readonly<Record<string, (mode: string | null, namespace: string) => unknown>> = {
  'json-patch+json'(mode) {
    const path = `/metadata/labels/${LABEL.replace('/', '~1')}`;
    return [mode === null ? { op: 'remove', path } : { op: 'replace', path, value: mode }];
  },
  'merge-patch+json': labelled,
  'strategic-merge-patch+json': labelled,
  // It removes no field that another manager owns, so it writes the weakest value. JSON is YAML.
  'apply-patch+yaml': (mode, namespace) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, labels: { [LABEL]: mode ?? 'audit' } },
  }),
};

const patches = (resource: string): readonly Way[] =>
  Object.entries(PATCHES).map(([type, bodyOf]) => ({
    name: `PATCH ${resource} (${type})`,
    send(api, namespace, mode) {
      const query = type.startsWith('apply') ? '?fieldManager=test&force=true' : '';
      return api.send('PATCH', `${pathOf(resource, namespace)}${query}`, {
        body: bodyOf(mode, namespace),
        type: `application/${type}`,
      });
    },
  }));

const waysOf = ({ name, verbs }: Resource): readonly Way[] =>
  verbs.flatMap((verb) => {
    if (verb === 'update') return [put(name)];
    if (verb === 'patch') return patches(name);
    if (OTHER_VERBS.has(verb)) return [];
    throw new Error(`this test does not know the verb ${verb} of ${name}`);
  });

/** Lists the resources of every API group and version whose objects are namespaces, or parts of one. */
const findResources = async (api: Api): Promise<readonly Resource[]> => {
  interface Groups {
    readonly groups: readonly { readonly versions: readonly { readonly groupVersion: string }[] }[];
  }
  const { groups } = await api.get<Groups>('/apis');
  const paths = groups.flatMap(({ versions }) => versions.map(({ groupVersion }) => `/apis/${groupVersion}`));
  const lists = await Promise.all(
    ['/api/v1', ...paths].map((path) => api.get<{ readonly resources: readonly Resource[] }>(path)),
  );
  return lists
    .flatMap(({ resources }) => resources)
    .filter(({ name, kind }) => kind === 'Namespace' || /^namespaces(\/|$)/.test(name));
};

/** Resolves with every way that this API server has. */
export const discoverWays = async (api: Api): Promise<readonly Way[]> =>
  (await findResources(api)).flatMap(waysOf);
