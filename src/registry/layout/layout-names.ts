import { type Digest, parseDigest, parseImageReference } from '../../image/index.ts';
import type { LayoutEntry } from './layout-index.ts';

/** How cosign marks what it keeps beside an image (cosign, pkg/oci/layout). */
export const SIGNATURES = 'dev.cosignproject.cosign/sigs';
const ATTESTATIONS = 'dev.cosignproject.cosign/atts';
const SIGNATURE_TAG = /(?:^|:)(sha256)-([0-9a-f]{64})\.sig$/;
const REFERRERS_TAG = /(?:^|:)sha256-[0-9a-f]{64}$/;

/** Whether a tag is one that signatures stand under. */
export const isSignatureTag = (tag: string): boolean => SIGNATURE_TAG.test(tag);

/** Whether an entry goes by a tag, alone or at the end of a whole reference. */
export const isNamed = ({ names }: LayoutEntry, tag: string): boolean =>
  names.some((name) => name === tag || name.endsWith(`:${tag}`));

/** The digest whose signatures an entry is named to hold. */
export const signedBy = ({ names }: LayoutEntry): Digest | undefined => {
  const [, algorithm, hex] =
    names.map((name) => SIGNATURE_TAG.exec(name)).find((found) => found !== null) ?? [];
  return hex === undefined ? undefined : parseDigest(`${algorithm}:${hex}`);
};

/** Whether an entry holds signatures of the kind that stand under a tag. */
export const isSignatures = (entry: LayoutEntry): boolean =>
  entry.kind === SIGNATURES || signedBy(entry) !== undefined;

/** Whether an entry can be an image: nothing by which tools keep what is said about one. */
export const couldBeImage = (entry: LayoutEntry): boolean =>
  !isSignatures(entry) &&
  entry.kind !== ATTESTATIONS &&
  !entry.names.some((name) => REFERRERS_TAG.test(name));

/** Whether a name is this tag of this repository, or a tag alone. */
export const standsFor = (name: string, repository: string, tag: string): 'whole' | 'bare' | undefined => {
  if (name === tag) return 'bare';
  const parsed = name.includes('/') ? parseImageReference(name) : undefined;
  const isWhole =
    parsed?.ok === true && parsed.reference.repository === repository && parsed.reference.tag === tag;
  return isWhole ? 'whole' : undefined;
};
