import { ANONYMOUS } from '../credentials/candidates.ts';
import type { HttpResponse } from '../http/http-message.ts';
import type { Resource } from '../registry-request.ts';
import { SourceFault } from '../source.ts';
import { type AuthScheme, keyOfScheme, schemeOf } from './auth-scheme.ts';
import type { RealmOptions } from './realm.ts';
import type { SchemeMemory } from './scheme-memory.ts';

/** The challenges to one request so far, and the faults on the way. */
export interface ChallengeState {
  /** The scheme to meet; undefined: none is known. */
  scheme(): AuthScheme | undefined;
  forgetScheme(): void;
  /** True if this request itself was challenged, or refused for good: what was remembered is up to date. */
  isConfirmed(): boolean;
  /** True if a header that meets the scheme was refused. */
  isRefused(scheme: AuthScheme): boolean;
  /**
   * Learns from a 401 or 403 to a header that meets `met` (undefined: to another) with these credentials. A challenge that
   * cannot be read changes nothing.
   */
  learn(response: HttpResponse, met: AuthScheme | undefined, fingerprint: string): void;
  /** Keeps a fault for the end. Throws whatever is none, and that the caller's time is up. */
  noteFault(error: unknown): void;
  /** The fault that explains most. */
  fault(): SourceFault | undefined;
}

export const createChallengeState = (
  options: RealmOptions,
  schemes: SchemeMemory,
  resource: Resource,
): ChallengeState => {
  const refused = new Set<string>();
  let scheme = schemes.find(resource)?.scheme;
  let isConfirmed = false;
  let fault: SourceFault | undefined;

  const noteFault = (error: unknown): void => {
    if (!(error instanceof SourceFault) || error.code === 'deadline') throw error;
    // A failure says more than a refusal, and the last refusal more than the first.
    if (fault === undefined || fault.code === 'refused') fault = error;
  };
  const readChallenge = (response: HttpResponse): void => {
    try {
      scheme = schemeOf(response, options);
      schemes.add(resource, scheme);
      isConfirmed = true;
    } catch (error) {
      noteFault(error);
    }
  };

  return {
    scheme: () => scheme,
    forgetScheme() {
      scheme = undefined;
    },
    isConfirmed: () => isConfirmed,
    isRefused: (met) => refused.has(keyOfScheme(met)),
    learn(response, met, fingerprint) {
      if (met !== undefined) refused.add(keyOfScheme(met));
      if (response.status === 401) readChallenge(response);
      // 403: the client is authenticated but not permitted. That says nothing of a client without a token.
      else if (fingerprint !== ANONYMOUS) isConfirmed = true;
    },
    noteFault,
    fault: () => fault,
  };
};
