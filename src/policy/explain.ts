import { listWithin, oneLine, quoted } from '../base/index.ts';
import type { Finding, ImageUse } from './decision.ts';
import { type Reason, rankOf } from './reason.ts';
import { sentenceOf } from './sentences.ts';

/** A denial ends up in events of at most 1 kB, behind words of the API server and of a controller. */
const DENIAL_LIMIT = 512;

/** What a pod's other findings may take of a denial. */
const OTHERS_LIMIT = 90;

const KINDS = {
  container: 'container',
  'init-container': 'init container',
  'ephemeral-container': 'ephemeral container',
  'image-volume': 'image volume',
} as const satisfies Record<ImageUse['kind'], string>;

/** A real image of a hub or mirror is rarely longer. */
const IMAGE_LIMIT = 160;

/** However long the rest is, the cause keeps this much. */
const CAUSE_LEAST = 60;

const standing = ({ kind, name, path }: ImageUse): string =>
  `in ${KINDS[kind]} ${quoted(name, 40)} (${oneLine(path, 66)})`;

const explainWithin = (reason: Reason, place: ImageUse | undefined, limit: number): string => {
  const { cause, remedy } = sentenceOf(reason);
  const tail = ` (${reason.code}); ${remedy}`;
  if (place === undefined) return `${oneLine(cause, limit - tail.length)}${tail}`;
  const where = ` ${standing(place)}: `;
  const room = limit - tail.length - where.length - 'image '.length;
  const image = quoted(place.image, Math.min(IMAGE_LIMIT, room - CAUSE_LEAST));
  return `image ${image}${where}${oneLine(cause, room - image.length)}${tail}`;
};

/**
 * One printable line of at most 512 characters: the image and where it stands (where a place is given), the cause, the
 * code, the remedy. Whatever the image's author chose is shortened and cleaned; the remedy survives.
 */
export const explain = (reason: Reason, place?: ImageUse): string =>
  explainWithin(reason, place, DENIAL_LIMIT);

/** One line of at most `limit` (200 or more) characters without the remedy, or with what let the image through. */
export const explainBriefly = ({ reason, use, letThrough }: Finding, limit: number): string => {
  const { cause } = sentenceOf(reason);
  const end = letThrough === undefined ? '' : `; ${letThrough}`;
  const full = `image ${quoted(use.image, IMAGE_LIMIT)} ${standing(use)}: ${cause} (${reason.code})${end}`;
  if (full.length <= limit) return oneLine(full, limit);
  const short = `image ${quoted(use.image, 90)} in ${quoted(use.name, 40)}: ${reason.code}; `;
  return `${short}${oneLine(letThrough ?? cause, limit - short.length)}`;
};

const byGravity = (one: Finding, other: Finding): number =>
  rankOf(one.reason.code) - rankOf(other.reason.code);

const mention = ({ reason, use }: Finding): string =>
  `${KINDS[use.kind]} ${quoted(use.name, 40)} ${reason.code}`;

/**
 * Why a pod is refused, in one line of at most 512 characters: the gravest of the findings that deny in full, and the
 * others by name: `… (and 2 more: init container "istio-init" signature-missing, …)`. Undefined where none denies.
 */
export const explainRefusal = (findings: readonly Finding[]): string | undefined => {
  const [first, ...others] = findings.filter(({ effect }) => effect === 'deny').toSorted(byGravity);
  if (first === undefined) return undefined;
  if (others.length === 0) return explain(first.reason, first.use);
  const rest = ` (and ${others.length} more: ${listWithin(others.map(mention), OTHERS_LIMIT)})`;
  return `${explainWithin(first.reason, first.use, DENIAL_LIMIT - rest.length)}${rest}`;
};
