import type { Undetermined, UndeterminedReason } from '../verification/index.ts';
import type { OutageChoice } from './rules.ts';

/**
 * What `allow` covers: a registry that does not answer. Never what an attacker can choose: an answer that is invalid
 * or a refusal, a signature by an unknown key, an error of ours, a question that was never sent.
 */
const isOutage = (obstacle: UndeterminedReason): boolean => {
  switch (obstacle.code) {
    case 'registry-unavailable':
    case 'registry-rate-limited':
      return true;
    case 'deadline-exceeded':
      return obstacle.asked;
    case 'registry-refused':
    case 'registry-answer-invalid':
    case 'key-ring-incomplete':
    case 'internal-error':
      return false;
    default:
      obstacle satisfies never;
      return false;
  }
};

const ago = (milliseconds: number): string => {
  const minutes = Math.max(0, Math.floor(milliseconds / 60_000));
  if (minutes < 1) return 'less than a minute ago';
  if (minutes === 1) return 'a minute ago';
  if (minutes < 120) return `${minutes} minutes ago`;
  return `${Math.floor(minutes / 60)} hours ago`;
};

/**
 * Whether the configuration's choice lets an undetermined image through, as one sentence that says so; undefined: it
 * does not. The tag's last answer counts only where nothing but its resolution failed, which `lastVerified` says, and
 * only within the window.
 */
export const outageSentence = (
  undetermined: Undetermined,
  choice: OutageChoice,
  tagOutageWindow: number,
  now: number,
): string | undefined => {
  const { reason, lastVerified } = undetermined;
  if (choice === 'deny' || !isOutage(reason)) return undefined;
  const age = lastVerified === undefined ? Number.POSITIVE_INFINITY : now - lastVerified.answeredAt;
  if (lastVerified !== undefined && age <= tagOutageWindow)
    return `let through: the tag last stood for ${lastVerified.verified.digest}, which is verified, ${ago(age)}`;
  return choice === 'allow' ? 'let through unverified, as the configuration says for an outage' : undefined;
};
