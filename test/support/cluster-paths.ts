/** The parts of a path of the Kubernetes API (API concepts, "Resource URIs"). */
export interface ApiPath {
  readonly group: string;
  readonly version: string;
  readonly namespace: string | undefined;
  readonly plural: string;
  /** Undefined: the path of a collection. */
  readonly name: string | undefined;
}

const PATH =
  /^\/(?:api|apis\/(?<group>[^/]+))\/(?<version>v[^/]+)(?:\/namespaces\/(?<namespace>[^/]+)(?=\/))?\/(?<plural>[^/]+)(?:\/(?<name>[^/]+))?$/;

/** Undefined: the path is that of no resource. */
export const parseApiPath = (path: string): ApiPath | undefined => {
  const groups = PATH.exec(path)?.groups;
  if (groups === undefined) return undefined;
  const { group = '', version = '', namespace, plural = '', name } = groups;
  return { group, version, namespace, plural, name };
};

/** The aggregated discovery (apidiscovery.k8s.io/v2) of a server that stores objects of these kinds at these paths. */
export const discoveryOf = (objects: ReadonlyMap<string, { readonly kind?: unknown }>): object => {
  const kinds = new Map<string, object>();
  for (const [path, { kind }] of objects) {
    const parsed = parseApiPath(path);
    if (parsed === undefined || parsed.group === '') continue;
    const { group, version, plural, namespace } = parsed;
    const scope = namespace === undefined ? 'Cluster' : 'Namespaced';
    kinds.set(`${group}/${version}/${plural}`, {
      metadata: { name: group },
      versions: [
        {
          version,
          freshness: 'Current',
          resources: [{ resource: plural, scope, responseKind: { group, version, kind } }],
        },
      ],
    });
  }
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: [...kinds.values()],
  };
};
