import { listWithin, oneLine, quoted } from '../base/index.ts';
import type { Finding, ImageUse } from './decision.ts';
import { type Reason, rankOf } from './reason.ts';
import { sentenceOf } from './sentences.ts';

/** Characters: an Event has room for 1 kB, in which the API server and a controller put their own text before a denial. */
const MAX_DENIAL_LENGTH = 512;

/** Characters of a denial that the pod's other findings may take. */
const MAX_OTHERS_LENGTH = 90;

const KINDS = {
  container: 'container',
  'init-container': 'init container',
  'ephemeral-container': 'ephemeral container',
  'image-volume': 'image volume',
} as const satisfies Record<ImageUse['kind'], string>;

/** Characters; images on a hub or mirror are rarely longer. */
const MAX_IMAGE_LENGTH = 160;

/** Characters that the cause keeps, however long the rest is. */
const MIN_CAUSE_LENGTH = 60;

const positionOf = ({ kind, name, path }: ImageUse): string =>
  `in ${KINDS[kind]} ${quoted(name, 40)} (${oneLine(path, 66)})`;

const explainWithin = (reason: Reason, use: ImageUse | undefined, limit: number): string => {
  const { cause, remedy } = sentenceOf(reason);
  const tail = ` (${reason.code}); ${remedy}`;
  if (use === undefined) return `${oneLine(cause, limit - tail.length)}${tail}`;
  const where = ` ${positionOf(use)}: `;
  const room = limit - tail.length - where.length - 'image '.length;
  const image = quoted(use.image, Math.min(MAX_IMAGE_LENGTH, room - MIN_CAUSE_LENGTH));
  return `image ${image}${where}${oneLine(cause, room - image.length)}${tail}`;
};

/**
 * Explains a reason in one printable line of at most 512 characters: the image and its position in the object (if `use`
 * is given), the cause, the code and the remedy. Text chosen by the author of an image is shortened and sanitised; the
 * remedy is never cut.
 */
export const explain = (reason: Reason, use?: ImageUse): string =>
  explainWithin(reason, use, MAX_DENIAL_LENGTH);

/** Explains a finding in one line of at most `limit` (200 or more) characters: the cause, and why the image is allowed. */
export const explainBriefly = ({ reason, use, allowedBecause }: Finding, limit: number): string => {
  const { cause } = sentenceOf(reason);
  const end = allowedBecause === undefined ? '' : `; ${allowedBecause}`;
  const full = `image ${quoted(use.image, MAX_IMAGE_LENGTH)} ${positionOf(use)}: ${cause} (${reason.code})${end}`;
  if (full.length <= limit) return oneLine(full, limit);
  const short = `image ${quoted(use.image, 90)} in ${quoted(use.name, 40)}: ${reason.code}; `;
  return `${short}${oneLine(allowedBecause ?? cause, limit - short.length)}`;
};

const bySeriousness = (one: Finding, other: Finding): number =>
  rankOf(one.reason.code) - rankOf(other.reason.code);

const mention = ({ reason, use }: Finding): string =>
  `${KINDS[use.kind]} ${quoted(use.name, 40)} ${reason.code}`;

/**
 * Explains why a pod is denied, in one line of at most 512 characters: the most serious of the denying findings in full,
 * and the others by name: `… (and 2 more: init container "istio-init" signature-missing, …)`. Undefined if none denies.
 */
export const explainRefusal = (findings: readonly Finding[]): string | undefined => {
  const [first, ...others] = findings.filter(({ effect }) => effect === 'deny').toSorted(bySeriousness);
  if (first === undefined) return undefined;
  if (others.length === 0) return explain(first.reason, first.use);
  const rest = ` (and ${others.length} more: ${listWithin(others.map(mention), MAX_OTHERS_LENGTH)})`;
  return `${explainWithin(first.reason, first.use, MAX_DENIAL_LENGTH - rest.length)}${rest}`;
};
