import type { RegistrySettings } from '../settings.ts';
import { createDockerConfigFile, createFileCredentials } from './credential-file.ts';
import { createNamedHelpers, createRunHelpers } from './credential-helper.ts';
import { createProvidersCredentials } from './credential-provider.ts';
import { type CredentialSource, createKeyring, type FindCredentials } from './credentials.ts';
import { createPullSecretCredentials, type PullSecrets } from './pull-secrets.ts';
import type { Environment } from './run-program.ts';

/** What a process has from which credentials may come. */
export interface KeyringParts {
  /** Undefined: there is no cluster. */
  readonly pullSecrets: PullSecrets | undefined;
  readonly helpers: 'run' | 'named';
  readonly environment: Environment;
  readonly now: () => number;
}

const fileSources = (
  path: string,
  { helpers, environment, now }: KeyringParts,
): readonly CredentialSource[] => {
  const read = createDockerConfigFile(path);
  const kept = helpers === 'run' ? createRunHelpers(read, environment, now) : createNamedHelpers(read);
  return [createFileCredentials(read), kept];
};

/**
 * The credentials of one registry, in the kubelet's order (kubernetes/kubernetes pkg/credentialprovider/secrets): pull
 * secrets, then the docker config, then providers.
 */
export const createFindCredentials = (settings: RegistrySettings, parts: KeyringParts): FindCredentials => {
  const { pullSecrets = [], dockerConfig, providers } = settings;
  return createKeyring([
    ...pullSecrets.map((name) => createPullSecretCredentials(name, parts.pullSecrets)),
    ...(dockerConfig === undefined ? [] : fileSources(dockerConfig, parts)),
    ...(providers === undefined ? [] : createProvidersCredentials(providers, parts.environment, parts.now)),
  ]);
};
