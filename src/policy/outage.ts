import { MINUTE_MS } from '../base/index.ts';
import type { Undetermined, UndeterminedReason, Verified } from '../verification/index.ts';
import type { OutageChoice } from './rules.ts';

/**
 * True if the registry itself did not respond, which is all that an outage rule covers. It never covers what an attacker can
 * choose: an invalid response or a refusal, a signature by an unknown key, an internal error, a short timeout, our queues.
 */
export const isOutage = (reason: UndeterminedReason): boolean => {
  switch (reason.code) {
    case 'registry-unavailable':
    case 'registry-rate-limited':
      return true;
    case 'deadline-exceeded':
    case 'request-budget-exceeded':
    case 'registry-backend-unavailable':
    case 'registry-refused':
    case 'registry-answer-invalid':
    case 'key-ring-incomplete':
    case 'internal-error':
      return false;
    default:
      reason satisfies never;
      return false;
  }
};

const ago = (ageMs: number): string => {
  const minutes = Math.floor(ageMs / MINUTE_MS);
  if (minutes < 1) return 'less than a minute ago';
  if (minutes === 1) return 'a minute ago';
  if (minutes < 120) return `${minutes} minutes ago`;
  return `${Math.floor(minutes / 60)} hours ago`;
};

/**
 * Returns the digest that stands in for a tag that could not be resolved, and its age in words: the one that it last
 * resolved to. It counts only if nothing but resolving the tag failed (then `lastVerified` is present), and only for
 * `tagOutageWindow` milliseconds. A resolution dated in the future does not count: its age is unknown.
 */
export const lastKnownDigest = (
  { reason, lastVerified }: Undetermined,
  choice: OutageChoice,
  tagOutageWindow: number,
  now: number,
): { readonly verified: Verified; readonly age: string } | undefined => {
  if (choice === 'deny' || !isOutage(reason) || lastVerified === undefined) return undefined;
  const age = now - lastVerified.resolvedAt;
  return age >= 0 && age <= tagOutageWindow ? { verified: lastVerified.verified, age: ago(age) } : undefined;
};

/**
 * Returns one sentence on why the configuration allows an undetermined image, or undefined if it does not.
 */
export const outageAllowance = (
  undetermined: Undetermined,
  choice: OutageChoice,
  tagOutageWindow: number,
  now: number,
): string | undefined => {
  const last = lastKnownDigest(undetermined, choice, tagOutageWindow, now);
  if (last !== undefined)
    return `allowed: ${last.age} the tag resolved to ${last.verified.digest}, which is verified`;
  return choice === 'allow' && isOutage(undetermined.reason)
    ? 'allowed unverified: the configuration allows images during a registry outage'
    : undefined;
};
