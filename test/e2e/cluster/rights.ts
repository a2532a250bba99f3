import type { AuditEvent } from '../control-plane/audit-log.ts';
import { until } from '../control-plane/until.ts';
import { type Cluster, NAMESPACE } from './cluster.ts';

/*
 * The rights that the roles of the release grant to the webhook's service account (rbac.authorization.k8s.io/v1), and
 * the rights that it used according to the API server's audit log.
 */

const ACCOUNT = `system:serviceaccount:${NAMESPACE}:sailmark`;
const RBAC = '/apis/rbac.authorization.k8s.io/v1';

/** A role of the release; a ClusterRole if it has no namespace. */
export interface Role {
  readonly name: string;
  readonly namespace?: string;
}

/** One verb on one resource. */
export interface Right extends Role {
  readonly verb: string;
  readonly resource: string;
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const pathOf = ({ name, namespace }: Role): string =>
  namespace === undefined ? `${RBAC}/clusterroles/${name}` : `${RBAC}/namespaces/${namespace}/roles/${name}`;

const rulesOf = async ({ api }: Cluster, role: Role): Promise<readonly Rule[]> =>
  (await api.get<{ readonly rules: readonly Rule[] }>(pathOf(role))).rules;

/** Formats a right as `VERB RESOURCE`, followed by namespace and name if the rule names an object. */
const spell = (verb: string, resource: string, place: readonly (string | undefined)[]): string =>
  [verb, [resource, ...place].filter((part) => part !== undefined).join('/')].join(' ');

/** Resolves with the rights that these roles grant. */
export const grantedRights = async (
  cluster: Cluster,
  roles: readonly Role[],
): Promise<ReadonlySet<string>> => {
  const spelled = roles.map(async (role) =>
    (await rulesOf(cluster, role)).flatMap(({ verbs, resources, resourceNames = [undefined] }) =>
      verbs.flatMap((verb) =>
        resources.flatMap((resource) =>
          resourceNames.map((name) => spell(verb, resource, [name && role.namespace, name])),
        ),
      ),
    ),
  );
  return new Set((await Promise.all(spelled)).flat());
};

/** Resources for which rules name single objects. */
const NAMED = new Set([
  'secrets',
  'configmaps',
  'validatingwebhookconfigurations',
  'mutatingwebhookconfigurations',
]);

const spellRequest = ({ verb, objectRef, requestURI }: AuditEvent): string => {
  if (objectRef === undefined) return `${verb} ${requestURI}`;
  const { resource, namespace, name } = objectRef;
  return spell(verb, resource, NAMED.has(resource) ? [namespace, name] : []);
};

/** The rights that the account requested. `count` is the number of its requests so far: the `from` of a later call. */
export interface RequestedRights {
  readonly allowed: ReadonlySet<string>;
  readonly forbidden: ReadonlySet<string>;
  readonly count: number;
}

/** Resolves with the rights that the account requested since its request number `from`. */
export const rightsRequestedSince = async ({ audit }: Cluster, from: number): Promise<RequestedRights> => {
  const all = (await audit.all()).filter(({ user }) => user.username === ACCOUNT);
  const recent = all.slice(from);
  const isForbidden = ({ responseStatus }: AuditEvent): boolean => responseStatus?.code === 403;
  return {
    allowed: new Set(recent.filter((event) => !isForbidden(event)).map(spellRequest)),
    forbidden: new Set(recent.filter(isForbidden).map(spellRequest)),
    count: all.length,
  };
};

const isAllowed = async (
  { api }: Cluster,
  right: Right,
  { apiGroups, resourceNames }: Rule,
): Promise<boolean> => {
  const { status } = await api.create<{ readonly status: { readonly allowed: boolean } }>({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    metadata: {},
    spec: {
      user: ACCOUNT,
      resourceAttributes: {
        group: apiGroups[0],
        resource: right.resource,
        verb: right.verb,
        namespace: right.namespace,
        name: resourceNames?.[0],
      },
    },
  });
  return status.allowed;
};

/**
 * Removes a right from its role, and waits until it is forbidden. Resolves with a function that restores it the same
 * way.
 */
export const withdraw = async (cluster: Cluster, right: Right): Promise<() => Promise<void>> => {
  const before = await rulesOf(cluster, right);
  const rule = before.find(
    ({ resources, verbs }) => resources.includes(right.resource) && verbs.includes(right.verb),
  );
  if (rule === undefined) throw new Error(`${right.name} does not grant ${right.verb} on ${right.resource}`);
  const others = rule.verbs.filter((verb) => verb !== right.verb);
  const put = async (rules: readonly Rule[], allowed: boolean): Promise<void> => {
    await cluster.api.patch(pathOf(right), { rules });
    await until(
      `${right.verb} on ${right.resource} is ${allowed ? 'allowed' : 'forbidden'}`,
      async () => (await isAllowed(cluster, right, rule)) === allowed,
    );
  };
  const rest = before.filter((candidate) => candidate !== rule);
  await put(others.length === 0 ? rest : [...rest, { ...rule, verbs: others }], false);
  return () => put(before, true);
};
