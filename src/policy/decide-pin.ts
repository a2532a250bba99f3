import type { Digest } from '../image/index.ts';
import type { Judgement } from './decision.ts';
import { findExemption } from './exemption.ts';
import { lastKnownDigest } from './outage.ts';
import type { Reason } from './reason.ts';
import type { Rules } from './rules.ts';

/** The digest to pin an image to, or the reason why it is not pinned. */
export type PinDecision =
  | {
      readonly digest: Digest;
      /** `outage`: the digest that the tag last resolved to stands in; `exemption`: the image is not verified. */
      readonly source: 'verified' | 'outage' | 'exemption';
      /** One sentence on the outage rule; absent if none applies. */
      readonly allowedBecause?: string;
      /** Undefined if the image is verified. */
      readonly reason: Reason | undefined;
    }
  | { readonly digest: undefined; readonly reason: Reason };

/** The namespace of a review by the mutating webhook, and its choice for undetermined images. */
export interface PinContext {
  readonly namespace: string;
  readonly critical: boolean;
}

const standIn = (
  { verification }: Judgement,
  { critical }: PinContext,
  { undetermined }: Rules,
  now: number,
): PinDecision | undefined => {
  if (verification?.outcome !== 'undetermined') return undefined;
  const choice = critical ? undetermined.critical : undetermined.enforce;
  const last = lastKnownDigest(verification, choice, undetermined.tagOutageWindow, now);
  if (last === undefined) return undefined;
  const { digest } = last.verified;
  const allowedBecause = `pinned: ${last.age} the tag resolved to ${digest}, which is verified`;
  return { digest, source: 'outage', allowedBecause, reason: verification.reason };
};

/**
 * Decides which digest an Istio image without one is pinned to. Only a digest that is verified for this use, is exempt, or
 * stands in for its tag during an outage. Pure; `now` is in milliseconds. Throws if the image was not judged.
 */
export const decidePin = (
  judgement: Judgement,
  context: PinContext,
  rules: Rules,
  now: number,
): PinDecision => {
  const { refused, verification, reference } = judgement;
  if (refused !== undefined) return { digest: undefined, reason: refused };
  if (verification === undefined) throw new Error(`no verification of ${judgement.image}`);
  if (verification.outcome === 'verified')
    return { digest: verification.digest, source: 'verified', reason: undefined };
  const instead = standIn(judgement, context, rules, now);
  if (instead !== undefined) return instead;
  const { digest, reason } = verification;
  const exemption = findExemption(rules.exemptions, reason.code, reference, context.namespace, now);
  return digest === undefined || exemption === undefined
    ? { digest: undefined, reason }
    : { digest, source: 'exemption', reason };
};
