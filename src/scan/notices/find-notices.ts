import type { Exemption } from '../../policy/index.ts';
import type { KeyRing } from '../../verification/index.ts';
import type { ConfiguredImage, Notice, ScannedImage } from '../scan-result.ts';
import { exemptionNotices } from './exemption-notices.ts';
import { hubNotices } from './hub-notices.ts';
import { keyNotices } from './key-notices.ts';
import { type Pins, pinNotices } from './pin-notices.ts';
import { versionNotices } from './version-notices.ts';
import { versionedImages } from './versions.ts';

export interface NoticesInput {
  /** Every image of the scan. */
  readonly images: readonly ScannedImage[];
  readonly preflight: readonly ConfiguredImage[];
  readonly ring: KeyRing;
  readonly exemptions: readonly Exemption[];
  readonly pins: Pins;
  /** True if every pod and template was read, and every image is listed. */
  readonly sawEverything: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const compareNotices = (left: Notice, right: Notice): number =>
  Number(right.severity === 'warning') - Number(left.severity === 'warning') || right.pods - left.pods;

/** Finds what is going to matter, though nothing is refused for it today: warnings first, then the most pods. Pure. */
export const findNotices = (input: NoticesInput): readonly Notice[] => {
  const { images, preflight, ring, pins, now } = input;
  const versioned = versionedImages(images, preflight);
  return [
    ...versionNotices(versioned, now),
    ...hubNotices(images, preflight, now),
    ...keyNotices(ring, images, versioned),
    ...pinNotices(pins),
    ...exemptionNotices(input),
  ].toSorted(compareNotices);
};
