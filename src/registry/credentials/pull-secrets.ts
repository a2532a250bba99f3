import { SourceFault } from '../source.ts';
import type { CredentialSource } from './credentials.ts';
import { credentialsFor, parseDockerConfig } from './docker-config.ts';
import { configProblem } from './docker-config-file.ts';

/** A Secret of the cluster that contains registry credentials. */
export interface PullSecretName {
  readonly namespace: string;
  readonly name: string;
}

/** Reads Secrets of the cluster. */
export interface PullSecrets {
  /**
   * Returns the text of `.dockerconfigjson` or `.dockercfg` of a Secret; undefined if there is none. Rejects if the Secret
   * cannot be read. It is called whenever credentials are needed (with every request, if a registry requires a password),
   * so it must cache.
   */
  find(namespace: string, name: string): Promise<string | undefined>;
}

/** Creates the source for one pull secret. If there is no cluster, `secrets` is undefined and the fault says so. */
export const createPullSecretCredentials = (
  { namespace, name }: PullSecretName,
  secrets: PullSecrets | undefined,
): CredentialSource => {
  const faultOf = (problem: string, cause?: unknown): SourceFault =>
    new SourceFault('refused', `the pull secret ${namespace}/${name} ${problem}`, { asked: false, cause });
  return async (repository) => {
    if (secrets === undefined)
      throw faultOf(
        'is stored in a cluster, which is not available here; configure a docker config.json instead',
      );
    const text = await secrets.find(namespace, name).catch((error: unknown) => {
      throw faultOf('could not be read from the cluster', error);
    });
    if (text === undefined) throw faultOf('does not exist, or contains no registry credentials');
    try {
      return credentialsFor(parseDockerConfig(text).entries, repository).filter(
        ({ kind }) => kind !== 'helper',
      );
    } catch (error) {
      throw faultOf(`contains no docker config: ${configProblem(error)}`, error);
    }
  };
};
