import { createNamedHelpers, createRunHelpers } from './credential-helper.ts';
import { type CredentialProviders, createProvidersCredentials } from './credential-provider.ts';
import { type CredentialSource, type FindCredentials, joinCredentialSources } from './credentials.ts';
import { createDockerConfigFile, createFileCredentials } from './docker-config-file.ts';
import { createPullSecretCredentials, type PullSecretName, type PullSecrets } from './pull-secrets.ts';
import type { Environment } from './run-program.ts';

/** The places that hold the credentials of one registry, as the configuration names them. */
export interface CredentialSettings {
  /** Path of a docker `config.json`, `.dockerconfigjson` or `.dockercfg`, read when first needed and when it changes. */
  readonly dockerConfig?: string;
  /** Programs that are asked for credentials as the kubelet asks them. */
  readonly providers?: CredentialProviders;
  /** Secrets of a cluster that hold credentials. */
  readonly pullSecrets?: readonly PullSecretName[];
}

/** What a process has from which credentials may come. */
export interface CredentialDependencies {
  /** Undefined: there is no cluster. */
  readonly pullSecrets: PullSecrets | undefined;
  readonly helpers: 'run' | 'named';
  readonly environment: Environment;
  readonly now: () => number;
}

const fileSources = (
  path: string,
  { helpers, environment, now }: CredentialDependencies,
): readonly CredentialSource[] => {
  const read = createDockerConfigFile(path);
  const kept = helpers === 'run' ? createRunHelpers(read, environment, now) : createNamedHelpers(read);
  return [createFileCredentials(read), kept];
};

/**
 * The credentials of one registry, in the kubelet's order (kubernetes/kubernetes pkg/credentialprovider/secrets): pull
 * secrets, then the docker config, then providers.
 */
export const createFindCredentials = (
  settings: CredentialSettings,
  parts: CredentialDependencies,
): FindCredentials => {
  const { pullSecrets = [], dockerConfig, providers } = settings;
  return joinCredentialSources([
    ...pullSecrets.map((name) => createPullSecretCredentials(name, parts.pullSecrets)),
    ...(dockerConfig === undefined ? [] : fileSources(dockerConfig, parts)),
    ...(providers === undefined ? [] : createProvidersCredentials(providers, parts.environment, parts.now)),
  ]);
};
