import { createNamedHelpers, createRunHelpers } from './credential-helper.ts';
import { type CredentialProviders, createProvidersCredentials } from './credential-provider.ts';
import { type CredentialSource, type FindCredentials, joinCredentialSources } from './credentials.ts';
import { type DockerConfig, parseDockerConfig } from './docker-config.ts';
import { createDockerConfigFile, createFileCredentials } from './docker-config-file.ts';
import { createPullSecretCredentials, type PullSecretName, type PullSecrets } from './pull-secrets.ts';
import type { Environment } from './run-program.ts';

/** The configured sources of the credentials of one registry. */
export interface CredentialSettings {
  /** The text of a docker `config.json`. */
  readonly dockerAuthConfig?: string;
  /** Path of a docker `config.json`, `.dockerconfigjson` or `.dockercfg`, read when first needed and when it changes. */
  readonly dockerConfig?: string;
  /** Programs that return credentials by the kubelet's protocol. */
  readonly providers?: CredentialProviders;
  /** Secrets of the cluster that contain credentials. */
  readonly pullSecrets?: readonly PullSecretName[];
}

export interface CredentialDependencies {
  /** Undefined: there is no cluster. */
  readonly pullSecrets: PullSecrets | undefined;
  readonly helpers: 'run' | 'named';
  readonly environment: Environment;
  readonly now: () => number;
}

/** The sources of one docker `config.json`: what it holds, then the helpers that it names. */
const configSources = (
  read: () => Promise<DockerConfig>,
  { helpers, environment, now }: CredentialDependencies,
): readonly CredentialSource[] => {
  const helperSource =
    helpers === 'run' ? createRunHelpers(read, environment, now) : createNamedHelpers(read);
  return [createFileCredentials(read), helperSource];
};

/**
 * Finds the credentials of one registry in the kubelet's order (kubernetes/kubernetes pkg/credentialprovider/secrets): pull
 * secrets, then the docker config, as text before the file, then providers.
 */
export const createFindCredentials = (
  settings: CredentialSettings,
  dependencies: CredentialDependencies,
): FindCredentials => {
  const { pullSecrets = [], dockerAuthConfig, dockerConfig, providers } = settings;
  const fromText = dockerAuthConfig === undefined ? undefined : parseDockerConfig(dockerAuthConfig);
  return joinCredentialSources([
    ...pullSecrets.map((name) => createPullSecretCredentials(name, dependencies.pullSecrets)),
    ...(fromText === undefined ? [] : configSources(async () => fromText, dependencies)),
    ...(dockerConfig === undefined ? [] : configSources(createDockerConfigFile(dockerConfig), dependencies)),
    ...(providers === undefined
      ? []
      : createProvidersCredentials(providers, dependencies.environment, dependencies.now)),
  ]);
};
