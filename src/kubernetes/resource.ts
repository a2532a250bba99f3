/**
 * The resource of a request: a collection, or one object of it if `name` is set. A path that is no resource (`/version`) is
 * its own `plural`, in the core group.
 */
export interface Resource {
  /** The API group; empty: the core group. */
  readonly group: string;
  /** Undefined: `v1`. */
  readonly version?: string;
  /** `secrets`. */
  readonly plural: string;
  /** Undefined: the whole cluster. */
  readonly namespace?: string;
  readonly name?: string;
}

/** `WATCH` is a GET that goes on. */
export type Method = 'GET' | 'WATCH' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';

const isPath = ({ plural }: Resource): boolean => plural.startsWith('/');

/** Returns the path of a resource (Kubernetes API concepts, "Resource URIs"). */
export const pathOf = (resource: Resource): string => {
  const { group, version = 'v1', plural, namespace, name } = resource;
  if (isPath(resource)) return plural;
  const parts = [
    ...(group === '' ? ['api', version] : ['apis', group, version]),
    ...(namespace === undefined ? [] : ['namespaces', namespace]),
    plural,
    ...(name === undefined ? [] : [name]),
  ];
  return `/${parts.map((part) => encodeURIComponent(part)).join('/')}`;
};

/** Returns a resource for messages: `secrets sailmark/sailmark-certificates`. */
export const describeResource = ({ plural, namespace, name }: Resource): string => {
  const fullName = [namespace, name].filter((part) => part !== undefined).join('/');
  return fullName === '' ? plural : `${plural} ${fullName}`;
};

const verbOf = (method: Method, { name }: Resource): string => {
  if (method === 'GET') return name === undefined ? 'list' : 'get';
  return { WATCH: 'watch', PUT: 'update', PATCH: 'patch', POST: 'create', DELETE: 'delete' }[method];
};

/** Returns the RBAC rule that allows a request and nothing more. `create` and `list` cannot be limited by names. */
export const ruleFor = (method: Method, resource: Resource): string => {
  const { group, plural, namespace, name } = resource;
  if (isPath(resource)) return `a ClusterRole with the rule {nonResourceURLs: ["${plural}"], verbs: ["get"]}`;
  const verb = verbOf(method, resource);
  const names = name === undefined || verb === 'create' ? '' : `, resourceNames: ["${name}"]`;
  const rule = `{apiGroups: ["${group}"], resources: ["${plural}"]${names}, verbs: ["${verb}"]}`;
  return namespace === undefined
    ? `a ClusterRole with the rule ${rule}`
    : `a Role in the namespace ${namespace} with the rule ${rule}`;
};
