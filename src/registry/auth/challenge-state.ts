import { ANONYMOUS } from '../credentials/candidates.ts';
import type { HttpResponse } from '../http/http-message.ts';
import type { Resource } from '../registry-request.ts';
import { ServerError } from '../response-status.ts';
import { SourceFault } from '../source.ts';
import { type AuthScheme, keyOfScheme, schemesOf } from './auth-scheme.ts';
import type { RealmOptions } from './realm.ts';
import type { SchemeMemory } from './scheme-memory.ts';

/** The challenges to one request so far, and the faults on the way. */
export interface ChallengeState {
  /**
   * The scheme to meet: the first that is required and not exhausted, or Basic before the others if `isLast`, because any
   * number of token services may stand beside it. Undefined: none is known.
   */
  scheme(isLast?: boolean): AuthScheme | undefined;
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

/**
 * True if a token service may respond otherwise to other scopes: it refused these, or failed at them. One that cannot be
 * reached, does not respond in time, or asks for a pause, is not asked again.
 */
const mayTakeOtherScopes = (fault: SourceFault | undefined): boolean =>
  fault === undefined ||
  fault.code === 'refused' ||
  fault.code === 'answer-invalid' ||
  fault instanceof ServerError;

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
  /** The fault of the last attempt, if it ended with one. */
  let lastFault: SourceFault | undefined;

  const noteFault = (error: unknown): void => {
    if (!(error instanceof SourceFault) || error.code === 'deadline') throw error;
    lastFault = error;
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
    scheme(isLast = false) {
      const left = required.filter((each) => !exhausted.has(keyOfScheme(each)));
      return (isLast ? left.find(({ kind }) => kind === 'basic') : undefined) ?? left[0];
    },
    requires: isRequired,
    exhaust(scheme) {
      const same = mayTakeOtherScopes(lastFault)
        ? []
        : required.filter((each) => isSameService(each, scheme));
      for (const each of [scheme, ...same]) exhausted.add(keyOfScheme(each));
    },
    forgetSchemes() {
      required = [];
      exhausted.clear();
    },
    isConfirmed: () => isConfirmed,
    isRefused: () => required.some((each) => refused.has(keyOfScheme(each))),
    learn(response, met, fingerprint) {
      lastFault = undefined;
      if (met !== undefined) refused.add(keyOfScheme(met));
      if (response.status === 401) readChallenges(response);
      // 403: the client is authenticated but not permitted. That says nothing of a client without a token.
      else if (fingerprint !== ANONYMOUS) isConfirmed = true;
    },
    noteFault,
    fault: () => fault,
  };
};
