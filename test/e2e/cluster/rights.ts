import type { AuditEvent } from '../control-plane/audit-log.ts';
import { until } from '../control-plane/until.ts';
import { type Cluster, NAMESPACE } from './cluster.ts';

/*
 * What the webhook's service account may do by the roles of the release (rbac.authorization.k8s.io/v1), and what it did
 * by the API server's own audit log.
 */

const ACCOUNT = `system:serviceaccount:${NAMESPACE}:sailmark`;
const RBAC = '/apis/rbac.authorization.k8s.io/v1';

/** A role of the release; without a namespace a ClusterRole. */
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

/** `VERB RESOURCE`, followed by the place of the object, where a rule names it. */
const spell = (verb: string, resource: string, place: readonly (string | undefined)[]): string =>
  [verb, [resource, ...place].filter((part) => part !== undefined).join('/')].join(' ');

/** What these roles allow. */
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

/** Resources that a rule names objects of. */
const NAMED = new Set(['secrets', 'validatingwebhookconfigurations']);

const spellAsked = ({ verb, objectRef, requestURI }: AuditEvent): string => {
  if (objectRef === undefined) return `${verb} ${requestURI}`;
  const { resource, namespace, name } = objectRef;
  return spell(verb, resource, NAMED.has(resource) ? [namespace, name] : []);
};

/** What the account asked for and how often so far: `from` for the next question. */
export interface RequestedRights {
  readonly allowed: ReadonlySet<string>;
  readonly forbidden: ReadonlySet<string>;
  readonly count: number;
}

/** What the account asked for since its request number `from`. */
export const rightsRequestedSince = async ({ audit }: Cluster, from: number): Promise<RequestedRights> => {
  const all = (await audit.all()).filter(({ user }) => user.username === ACCOUNT);
  const recent = all.slice(from);
  const isForbidden = ({ responseStatus }: AuditEvent): boolean => responseStatus?.code === 403;
  return {
    allowed: new Set(recent.filter((event) => !isForbidden(event)).map(spellAsked)),
    forbidden: new Set(recent.filter(isForbidden).map(spellAsked)),
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

/** Takes a right out of its role, and waits until the API server knows. Gives what puts it back, as waiting. */
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
  const rest = before.filter((one) => one !== rule);
  await put(others.length === 0 ? rest : [...rest, { ...rule, verbs: others }], false);
  return () => put(before, true);
};
