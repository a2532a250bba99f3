import type { Api } from '../control-plane/api.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';

/* Clients of the API server that are not administrators: each with a service account of its own in `default`. */

const ACCOUNTS = 'default';
const RBAC = 'rbac.authorization.k8s.io/v1';

/** A rule of a role (rbac.authorization.k8s.io/v1). */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** The subject of a role binding that names an account. */
export const subjectOf = (name: string): object => ({ kind: 'ServiceAccount', name, namespace: ACCOUNTS });

/** Creates a service account, and a client that authenticates with a token of it. It has no rights of its own. */
export const createAccount = async (
  { api, apiAs }: Pick<ControlPlane, 'api' | 'apiAs'>,
  name: string,
): Promise<Api> => {
  await api.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: ACCOUNTS } });
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const { status } = await api.sendOrThrow<{ readonly status: { readonly token: string } }>(
    'POST',
    `/api/v1/namespaces/${ACCOUNTS}/serviceaccounts/${name}/token`,
    { body },
  );
  return apiAs(status.token);
};

/** Creates a client with these rights in the whole cluster. */
export const createClient = async (
  plane: Pick<ControlPlane, 'api' | 'apiAs'>,
  name: string,
  rules: readonly Rule[],
): Promise<Api> => {
  const metadata = { name };
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name };
  await plane.api.create({ apiVersion: RBAC, kind: 'ClusterRole', metadata, rules });
  await plane.api.create({
    apiVersion: RBAC,
    kind: 'ClusterRoleBinding',
    metadata,
    roleRef,
    subjects: [subjectOf(name)],
  });
  return createAccount(plane, name);
};
