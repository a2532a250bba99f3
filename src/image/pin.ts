import type { Digest } from './digest.ts';
import { type ImageReference, parseImageReference } from './reference.ts';

/**
 * Returns a reference as written with a digest appended (`name:tag@sha256:…`), of which a runtime pulls the digest alone.
 * Undefined if it has a digest already, or if the longer text would not mean that digest of the same repository.
 */
export function pinReference({ text, repository, digest }: ImageReference, to: Digest): string | undefined {
  if (digest !== undefined) return undefined;
  const pinned = `${text}@${to}`;
  const parsed = parseImageReference(pinned);
  if (!parsed.ok) return undefined;
  const { reference } = parsed;
  return reference.digest === to && reference.repository.name === repository.name ? pinned : undefined;
}

/** Returns the digest of `before` if `after` differs from it by the missing digest alone; names are compared in normal form. */
export const droppedDigest = (before: ImageReference, after: ImageReference): Digest | undefined =>
  after.digest === undefined &&
  before.repository.name === after.repository.name &&
  writtenTag(before) === writtenTag(after)
    ? before.digest
    : undefined;

/** Returns the reference as it was before a digest was appended: with its tag alone. Undefined if a tag or digest is missing. */
export const unpinnedText = (reference: ImageReference): string | undefined =>
  reference.digest === undefined || writtenTag(reference) === undefined
    ? undefined
    : reference.text.slice(0, reference.text.indexOf('@'));

/** The tag in the text: undefined where `latest` is only implied. */
function writtenTag({ text, tag }: ImageReference): string | undefined {
  const [name = ''] = text.split('@', 1);
  return tag !== undefined && name.endsWith(`:${tag}`) ? tag : undefined;
}
