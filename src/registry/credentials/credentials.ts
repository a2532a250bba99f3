import { SourceFault } from '../source.ts';

export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, for the token service alone. */
  | { readonly kind: 'identity-token'; readonly token: string }
  /** Kept by a helper program that is not run: the question is asked anonymously, and a refusal says so. */
  | HelperCredentials;

/** Where a docker `config.json` leaves credentials to a program, `docker-credential-<helper>`. */
export interface HelperCredentials {
  readonly kind: 'helper';
  readonly helper: string;
  /** What the helper knows the registry by. */
  readonly server: string;
}

/**
 * One place that may hold credentials: those it has for a repository, `registry/path` as it is asked, the most particular
 * first. Rejects with a `SourceFault` where it cannot tell.
 */
export type CredentialSource = (repository: string) => Promise<readonly Credentials[]>;

/**
 * All credentials for a repository, in the order in which they are to be tried; none: ask anonymously. A place is looked
 * into only when those before it did not do.
 */
export type FindCredentials = (repository: string) => AsyncIterable<Credentials>;

/**
 * Joins places that hold credentials, as the kubelet does: what several have for a repository is tried one after the
 * other. A place that cannot tell stands in nobody's way; but where no other helps, its fault is the answer, since an
 * anonymous question could be answered otherwise.
 */
export const joinCredentialSources = (sources: readonly CredentialSource[]): FindCredentials =>
  async function* findCredentials(repository) {
    let fault: SourceFault | undefined;
    for (const source of sources) {
      const found = await source(repository).catch((error: unknown) => {
        if (!(error instanceof SourceFault)) throw error;
        fault ??= error;
        return [];
      });
      yield* found;
    }
    if (fault !== undefined) throw fault;
  };
