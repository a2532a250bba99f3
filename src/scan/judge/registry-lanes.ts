import type { Verification } from '../../verification/index.ts';
import { createSlots, type Slots } from './slots.ts';

type Undetermined = Extract<Verification, { outcome: 'undetermined' }>;

export interface LaneLimits {
  /** Images that are verified at the same time. */
  readonly atOnce: number;
  /** The same, at one registry: fewer, so that a slow one leaves room for the others. */
  readonly atOncePerRegistry: number;
  /** Images without an answer, one after the other, after which a registry is not asked for a while. */
  readonly patience: number;
  /** Milliseconds after which one image is asked about again. */
  readonly pause: number;
}

export const defaultLaneLimits: LaneLimits = {
  atOnce: 64,
  atOncePerRegistry: 8,
  patience: 16,
  pause: 15_000,
};

/** Asks registries about images: bounded, and with an end for one that does not respond. */
export interface RegistryLanes {
  /** Resolves to the verification by `ask`, or to one that says that the registry is not asked any more. */
  verify<Result extends { readonly verification: Verification | undefined }>(
    registry: string,
    ask: () => Promise<Result>,
    skip: (verification: Undetermined) => Result,
  ): Promise<Result>;
  /** The number of images that were not asked about, by registry. */
  skipped(): ReadonlyMap<string, number>;
}

interface Lane {
  readonly slots: Slots;
  /** The images since the last answer. */
  unanswered: number;
  /** The last verification without an answer. */
  last: Undetermined | undefined;
  /** Milliseconds. */
  retryAt: number;
}

/** A verification that took its whole time and learned nothing. Any other outcome is an answer, or ends at once. */
const isSilence = (verification: Verification | undefined): verification is Undetermined =>
  verification?.outcome === 'undetermined' &&
  (verification.reason.code === 'deadline-exceeded' || verification.reason.code === 'registry-unavailable');

/** The verification of an image that a registry is not asked about: the code of those that it did not answer. */
const notAsked = (registry: string, { reason }: Undetermined, unanswered: number): Undetermined => ({
  outcome: 'undetermined',
  digest: undefined,
  requests: 0,
  fromMemory: false,
  reason:
    reason.code === 'registry-unavailable'
      ? {
          code: 'registry-unavailable',
          detail: `${registry} did not answer for ${unanswered} images before, and was not asked about this one`,
        }
      : { code: 'deadline-exceeded', asked: false },
});

/** `now` is a monotonic clock in milliseconds. */
export const createRegistryLanes = (limits: LaneLimits, now: () => number): RegistryLanes => {
  const lanes = new Map<string, Lane>();
  const skipped = new Map<string, number>();
  const everywhere = createSlots(limits.atOnce);
  const laneOf = (registry: string): Lane => {
    const known = lanes.get(registry);
    if (known !== undefined) return known;
    const slots = createSlots(limits.atOncePerRegistry);
    const lane: Lane = { slots, unanswered: 0, last: undefined, retryAt: 0 };
    lanes.set(registry, lane);
    return lane;
  };
  const learn = (lane: Lane, verification: Verification | undefined): void => {
    if (isSilence(verification)) {
      lane.unanswered += 1;
      lane.last = verification;
      lane.retryAt = now() + limits.pause;
    } else {
      lane.unanswered = 0;
    }
  };
  return {
    verify(registry, ask, skip) {
      const lane = laneOf(registry);
      return lane.slots(async () => {
        if (lane.unanswered >= limits.patience && lane.last !== undefined && now() < lane.retryAt) {
          skipped.set(registry, (skipped.get(registry) ?? 0) + 1);
          return skip(notAsked(registry, lane.last, lane.unanswered));
        }
        // One of those that wait asks again; the others are skipped meanwhile.
        lane.retryAt = now() + limits.pause;
        const result = await everywhere(ask);
        learn(lane, result.verification);
        return result;
      });
    },
    skipped: () => skipped,
  };
};
