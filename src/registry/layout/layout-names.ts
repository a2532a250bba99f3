import { type Digest, type ImageReference, parseDigest, parseImageReference } from '../../image/index.ts';
import { KINDS } from './annotations.ts';
import type { LayoutEntry } from './layout-index.ts';

const IMAGES: readonly unknown[] = [KINDS.image, KINDS.index];
const SIGNATURE_TAG = /(?:^|:)(sha256)-([0-9a-f]{64})\.sig$/;
const REFERRERS_TAG = /(?:^|:)sha256-[0-9a-f]{64}$/;

/** True if a tag is cosign's signature tag, `sha256-<hex>.sig`. */
export const isSignatureTag = (tag: string): boolean => SIGNATURE_TAG.test(tag);

/** True if a name of an entry is the tag, or a whole reference with the tag. */
export const hasName = ({ names }: LayoutEntry, tag: string): boolean =>
  names.some((name) => name === tag || name.endsWith(`:${tag}`));

/** Returns the digest that a signature tag is derived from; undefined for another name. */
export const signedDigestOfTag = (name: string): Digest | undefined => {
  const [, algorithm, hex] = SIGNATURE_TAG.exec(name) ?? [];
  return hex === undefined ? undefined : parseDigest(`${algorithm}:${hex}`);
};

/** Returns the digest of the signature tag that an entry is named by. */
export const signedDigestOf = ({ names }: LayoutEntry): Digest | undefined =>
  names.map(signedDigestOfTag).find((digest) => digest !== undefined);

/** True if an entry is a signature manifest, the kind that is found by a signature tag. */
export const isSignatures = (entry: LayoutEntry): boolean =>
  entry.kind === KINDS.signatures || signedDigestOf(entry) !== undefined;

/** True if cosign marked an entry as the image of a layout. */
export const isMarkedImage = ({ kind }: LayoutEntry): boolean => IMAGES.includes(kind);

/** True if an entry can be an image: not signatures, attestations or a list of referrers. */
export const couldBeImage = (entry: LayoutEntry): boolean =>
  !isSignatures(entry) &&
  entry.kind !== KINDS.attestations &&
  !entry.names.some((name) => REFERRERS_TAG.test(name));

const parseWholeName = (name: string): ImageReference | undefined => {
  const parsed = name.includes('/') ? parseImageReference(name) : undefined;
  return parsed?.ok === true ? parsed.reference : undefined;
};

/** `whole` if an entry is named by this repository and tag, `bare` if by this tag alone; undefined if by neither. */
export const matchTag = (
  { names }: LayoutEntry,
  repository: string,
  tag: string,
): 'whole' | 'bare' | undefined => {
  const whole = names.flatMap((name) => parseWholeName(name) ?? []);
  if (whole.some((reference) => reference.repository.name === repository && reference.tag === tag))
    return 'whole';
  // A bare tag beside a whole name is the tag of that name: `docker save` writes both.
  const isElsewhere = whole.some((reference) => reference.repository.name !== repository);
  return names.includes(tag) && !isElsewhere ? 'bare' : undefined;
};
