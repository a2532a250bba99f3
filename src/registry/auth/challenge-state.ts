import { ANONYMOUS } from '../credentials/candidates.ts';
import type { HttpResponse } from '../http/http-message.ts';
import type { Resource } from '../registry-request.ts';
import { SourceFault } from '../source.ts';
import { type AuthScheme, keyOfScheme, schemesOf } from './auth-scheme.ts';
import type { RealmOptions } from './realm.ts';
import type { SchemeMemory } from './scheme-memory.ts';

/** The challenges to one request so far, and the faults on the way. */
export interface ChallengeState {
  /** The scheme to meet: the first that is required and not exhausted; undefined: none is known. */
  scheme(): AuthScheme | undefined;
  /** True if the last response requires the scheme, perhaps as one of several. */
  requires(scheme: AuthScheme): boolean;
  /** Records that all credentials were tried for a scheme. */
  exhaust(scheme: AuthScheme): void;
  forgetSchemes(): void;
  /** True if this request itself was challenged, or refused for good: what was remembered is up to date. */
  isConfirmed(): boolean;
  /** True if a header that meets a required scheme was refused. */
  isRefused(): boolean;
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

/** The faults of a token service that may respond otherwise to other scopes. */
const isRefusal = (fault: SourceFault | undefined): boolean =>
  fault === undefined || fault.code === 'refused' || fault.code === 'answer-invalid';

const isSameService = (left: AuthScheme, right: AuthScheme): boolean =>
  left.kind === 'bearer' && right.kind === 'bearer' && left.realm.origin === right.realm.origin;

export const createChallengeState = (
  options: RealmOptions,
  schemes: SchemeMemory,
  resource: Resource,
): ChallengeState => {
  const refused = new Set<string>();
  const exhausted = new Set<string>();
  const remembered = schemes.find(resource)?.scheme;
  let required: readonly AuthScheme[] = remembered === undefined ? [] : [remembered];
  let isConfirmed = false;
  let fault: SourceFault | undefined;

  const noteFault = (error: unknown): void => {
    if (!(error instanceof SourceFault) || error.code === 'deadline') throw error;
    // A failure says more than a refusal, and the last refusal more than the first.
    if (fault === undefined || fault.code === 'refused') fault = error;
  };
  const readChallenges = (response: HttpResponse): void => {
    try {
      required = schemesOf(response, resource.path, options);
      const [first] = required;
      if (first !== undefined) schemes.add(resource, first);
      isConfirmed = true;
    } catch (error) {
      noteFault(error);
    }
  };
  const isRequired = (scheme: AuthScheme): boolean =>
    required.some((each) => keyOfScheme(each) === keyOfScheme(scheme));

  return {
    scheme: () => required.find((each) => !exhausted.has(keyOfScheme(each))),
    requires: isRequired,
    exhaust(scheme) {
      // A token service that fails is not asked again for other scopes.
      const same = isRefusal(fault) ? [] : required.filter((each) => isSameService(each, scheme));
      for (const each of [scheme, ...same]) exhausted.add(keyOfScheme(each));
    },
    forgetSchemes() {
      required = [];
      exhausted.clear();
    },
    isConfirmed: () => isConfirmed,
    isRefused: () => required.some((each) => refused.has(keyOfScheme(each))),
    learn(response, met, fingerprint) {
      if (met !== undefined) refused.add(keyOfScheme(met));
      if (response.status === 401) readChallenges(response);
      // 403: the client is authenticated but not permitted. That says nothing of a client without a token.
      else if (fingerprint !== ANONYMOUS) isConfirmed = true;
    },
    noteFault,
    fault: () => fault,
  };
};
