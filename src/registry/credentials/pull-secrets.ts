import { SourceFault } from '../source.ts';
import type { CredentialSource } from './credentials.ts';
import { credentialsFor, parseDockerConfig } from './docker-config.ts';
import { configProblem } from './docker-config-file.ts';

/** A Secret of a cluster that holds registry credentials. */
export interface PullSecretName {
  readonly namespace: string;
  readonly name: string;
}

/** Reads Secrets of a cluster. */
export interface PullSecrets {
  /**
   * The text of `.dockerconfigjson` or `.dockercfg` of a Secret; undefined where there is none. Rejects where it could
   * not be found out. It is called whenever credentials are needed — with every question, where a registry wants a
   * password — and answers from what it remembers.
   */
  find(namespace: string, name: string): Promise<string | undefined>;
}

/** The credentials of one pull secret. `secrets` is undefined where there is no cluster, which is then said. */
export const createPullSecretCredentials = (
  { namespace, name }: PullSecretName,
  secrets: PullSecrets | undefined,
): CredentialSource => {
  const faultOf = (why: string, cause?: unknown): SourceFault =>
    new SourceFault('refused', `the pull secret ${namespace}/${name} ${why}`, { asked: false, cause });
  return async (repository) => {
    if (secrets === undefined)
      throw faultOf('is kept by a cluster, which is not asked here; name a docker config.json instead');
    const text = await secrets.find(namespace, name).catch((error: unknown) => {
      throw faultOf('could not be read from the cluster', error);
    });
    if (text === undefined) throw faultOf('is not there, or holds no registry credentials');
    try {
      return credentialsFor(parseDockerConfig(text).entries, repository).filter(
        ({ kind }) => kind !== 'helper',
      );
    } catch (error) {
      throw faultOf(`holds no docker config: ${configProblem(error)}`, error);
    }
  };
};
