import { type Digest, type ImageReference, parseDigest, parseImageReference } from '../../image/index.ts';
import { KINDS } from './annotations.ts';
import type { LayoutEntry } from './layout-index.ts';

const IMAGES: readonly unknown[] = [KINDS.image, KINDS.index];
const SIGNATURE_TAG = /(?:^|:)(sha256)-([0-9a-f]{64})\.sig$/;
const REFERRERS_TAG = /(?:^|:)sha256-[0-9a-f]{64}$/;

/** Whether a tag is one that signatures stand under. */
export const isSignatureTag = (tag: string): boolean => SIGNATURE_TAG.test(tag);

/** Whether an entry goes by a tag, alone or at the end of a whole reference. */
export const hasName = ({ names }: LayoutEntry, tag: string): boolean =>
  names.some((name) => name === tag || name.endsWith(`:${tag}`));

/** The digest whose signatures an entry is named to hold. */
export const signedDigestOf = ({ names }: LayoutEntry): Digest | undefined => {
  const [, algorithm, hex] =
    names.map((name) => SIGNATURE_TAG.exec(name)).find((found) => found !== null) ?? [];
  return hex === undefined ? undefined : parseDigest(`${algorithm}:${hex}`);
};

/** Whether an entry holds signatures of the kind that stand under a tag. */
export const isSignatures = (entry: LayoutEntry): boolean =>
  entry.kind === KINDS.signatures || signedDigestOf(entry) !== undefined;

/** Whether an entry is what cosign marks as the image of a layout. */
export const isMarkedImage = ({ kind }: LayoutEntry): boolean => IMAGES.includes(kind);

/** Whether an entry can be an image: nothing by which tools keep what is said about one. */
export const couldBeImage = (entry: LayoutEntry): boolean =>
  !isSignatures(entry) &&
  entry.kind !== KINDS.attestations &&
  !entry.names.some((name) => REFERRERS_TAG.test(name));

const wholeNameIn = (name: string): ImageReference | undefined => {
  const parsed = name.includes('/') ? parseImageReference(name) : undefined;
  return parsed?.ok === true ? parsed.reference : undefined;
};

/** Whether an entry goes by this tag of this repository, or by this tag and no repository. */
export const matchTag = (
  { names }: LayoutEntry,
  repository: string,
  tag: string,
): 'whole' | 'bare' | undefined => {
  const whole = names.flatMap((name) => wholeNameIn(name) ?? []);
  if (whole.some((one) => one.repository.name === repository && one.tag === tag)) return 'whole';
  // What goes by a tag alone beside a whole name is that one's tag: `docker save` writes both.
  const isElsewhere = whole.some((one) => one.repository.name !== repository);
  return names.includes(tag) && !isElsewhere ? 'bare' : undefined;
};
