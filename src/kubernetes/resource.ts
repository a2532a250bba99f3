/** What a request is about: a collection, or one object of it where `name` is there. */
export interface Resource {
  /** The API group; empty: the core. */
  readonly group: '' | 'admissionregistration.k8s.io' | 'events.k8s.io';
  /** `secrets`. */
  readonly plural: string;
  /** Undefined: of the whole cluster. */
  readonly namespace?: string;
  readonly name?: string;
}

export type Method = 'GET' | 'PUT' | 'PATCH' | 'POST';

/** The path of a resource (Kubernetes API concepts, "Resource URIs"); every group is asked in its version v1. */
export const pathOf = ({ group, plural, namespace, name }: Resource): string =>
  [
    group === '' ? '/api/v1' : `/apis/${group}/v1`,
    ...(namespace === undefined ? [] : ['namespaces', namespace]),
    plural,
    ...(name === undefined ? [] : [name]),
  ]
    .map((part, place) => (place === 0 ? part : encodeURIComponent(part)))
    .join('/');

/** A resource in a sentence: `secrets sailmark/sailmark-certificates`. */
export const describeResource = ({ plural, namespace, name }: Resource): string => {
  const place = [namespace, name].filter((part) => part !== undefined).join('/');
  return place === '' ? plural : `${plural} ${place}`;
};

const verbOf = (method: Method, { name }: Resource): string => {
  if (method === 'GET') return name === undefined ? 'list' : 'get';
  return { PUT: 'update', PATCH: 'patch', POST: 'create' }[method];
};

/** The rule of RBAC that allows a request: no more than that. Names cannot limit what is created or listed. */
export const ruleFor = (method: Method, resource: Resource): string => {
  const { group, plural, namespace, name } = resource;
  const verb = verbOf(method, resource);
  const names = name === undefined || verb === 'create' ? '' : `, resourceNames: ["${name}"]`;
  const rule = `{apiGroups: ["${group}"], resources: ["${plural}"]${names}, verbs: ["${verb}"]}`;
  return namespace === undefined
    ? `a ClusterRole with the rule ${rule}`
    : `a Role in the namespace ${namespace} with the rule ${rule}`;
};
