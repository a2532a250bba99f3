import type { Api } from '../api.ts';
import type { ConfigMap, Container, EnvironmentVariable, Secret } from '../objects.ts';
import { fieldOf, type ScheduledPod } from './downward-api.ts';

/**
 * The variables by which programs in a cluster find the API server. The kubelet names the address of its Service, which
 * only kube-proxy makes reachable; here it is the API server's own.
 */
const serviceVariables = ({ url }: Api): Readonly<Record<string, string>> => {
  const { hostname, port } = new URL(url);
  return { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
};

const valueOf = async (
  { name, value, valueFrom }: EnvironmentVariable,
  scheduled: ScheduledPod,
  api: Api,
): Promise<string> => {
  const base = `/api/v1/namespaces/${scheduled.pod.metadata.namespace}`;
  if (valueFrom === undefined) return value ?? '';
  const { fieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  if (fieldRef) return fieldOf(scheduled, fieldRef.fieldPath);
  if (configMapKeyRef) {
    const { data } = await api.get<ConfigMap>(`${base}/configmaps/${configMapKeyRef.name}`);
    return data?.[configMapKeyRef.key] ?? '';
  }
  if (secretKeyRef) {
    const { data } = await api.get<Secret>(`${base}/secrets/${secretKeyRef.name}`);
    return Buffer.from(data?.[secretKeyRef.key] ?? '', 'base64').toString();
  }
  throw new Error(`the simulated kubelet does not support the source of the variable ${name}`);
};

/** Returns the environment of a container. */
export const environmentOf = async (
  { name: container, env = [], envFrom = [] }: Container,
  scheduled: ScheduledPod,
  api: Api,
): Promise<Readonly<Record<string, string>>> => {
  if (envFrom.length > 0)
    throw new Error(`the simulated kubelet does not support envFrom: container ${container}`);
  const named = { ...serviceVariables(api), HOSTNAME: scheduled.pod.metadata.name };
  const own = await Promise.all(
    env.map(async (variable) => [variable.name, await valueOf(variable, scheduled, api)] as const),
  );
  return { ...named, ...Object.fromEntries(own) };
};

const REFERENCE = /\$\$|\$\(([\w.-]+)\)/g;

/** Expands `$(NAME)` in an argument as the kubelet does: `$$` is `$`, and an unknown name stays as it is. */
export const expand = (argument: string, env: Readonly<Record<string, string>>): string =>
  argument.replaceAll(REFERENCE, (whole, name: string | undefined) =>
    name === undefined ? '$' : (env[name] ?? whole),
  );
