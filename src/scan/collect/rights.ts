/** A rule of RBAC. */
export interface Right {
  /** The API group; empty: the core group. */
  readonly group: string;
  readonly resource: string;
  readonly verb: 'get' | 'list';
  /** The namespace; undefined: the whole cluster. */
  readonly namespace?: string | undefined;
  /** One object; undefined: all. */
  readonly name?: string;
}

/** `deployments.apps`; `pods` in the core group. */
export const nameOfResource = (group: string, plural: string): string =>
  group === '' ? plural : `${plural}.${group}`;

/** Returns the sentence that names the rule which is missing. */
export const remedyFor = ({ group, resource, verb, namespace, name }: Right): string => {
  const names = name === undefined ? '' : `, resourceNames: ["${name}"]`;
  const rule = `{apiGroups: ["${group}"], resources: ["${resource}"]${names}, verbs: ["${verb}"]}`;
  if (name !== undefined && namespace === undefined)
    return `Let the account have a ClusterRole with the rule ${rule}`;
  return namespace === undefined
    ? `Let the account have a ClusterRole with the rule ${rule}, or name the namespaces that it may see with --namespace`
    : `Let the account have a Role in the namespace ${namespace} with the rule ${rule}`;
};
