import { SourceFault } from '../source.ts';

export interface Password {
  readonly username: string;
  readonly password: string;
}

export type Credentials =
  | ({ readonly kind: 'password' } & Password)
  /** An OAuth2 refresh token, for the token service alone; `login` is for one that knows no OAuth2, and for Basic. */
  | { readonly kind: 'identity-token'; readonly token: string; readonly login?: Password }
  /** A token for the registry itself: no token service is asked for one. */
  | { readonly kind: 'registry-token'; readonly token: string }
  /** Stored by a helper program that is not run: requests are anonymous, and a refusal says why. */
  | HelperCredentials;

/** Credentials that a docker `config.json` leaves to a program, `docker-credential-<helper>`. */
export interface HelperCredentials {
  readonly kind: 'helper';
  readonly helper: string;
  /** The helper's name for the registry. */
  readonly server: string;
}

/**
 * Returns the credentials of one source for a repository, `registry/path` as it is contacted, the most specific first.
 * Rejects with a `SourceFault` if the source cannot be read.
 */
export type CredentialSource = (repository: string) => Promise<readonly Credentials[]>;

/**
 * Yields all credentials for a repository, in the order to try them; none: the request is anonymous. A source is read only
 * when the credentials of those before it were refused.
 */
export type FindCredentials = (repository: string) => AsyncIterable<Credentials>;

/**
 * Joins sources of credentials, as the kubelet does: their credentials for a repository are tried one after the other. A
 * source that cannot be read does not block the others; but if none of those is accepted, its fault is the result, because
 * an anonymous request could have another outcome.
 */
export const joinCredentialSources = (sources: readonly CredentialSource[]): FindCredentials =>
  async function* findCredentials(repository) {
    let fault: SourceFault | undefined;
    for (const source of sources) {
      const credentials = await source(repository).catch((error: unknown) => {
        if (!(error instanceof SourceFault)) throw error;
        fault ??= error;
        return [];
      });
      yield* credentials;
    }
    if (fault !== undefined) throw fault;
  };
