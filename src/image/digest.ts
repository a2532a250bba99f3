import { createHash } from 'node:crypto';

declare const brand: unique symbol;

/** A content digest, `sha256:` and 64 lower-case hexadecimal digits. Signatures cover no other algorithm. */
export type Digest = string & { readonly [brand]: 'digest' };

const SHA256_DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Parses a digest; undefined if the text is not exactly `sha256:<64 lower-case hex>`. */
export const parseDigest = (text: string): Digest | undefined =>
  SHA256_DIGEST.test(text) ? (text as Digest) : undefined;

/** Returns the digest of the bytes (OCI image specification, descriptor.md, "Digests"). */
export const digestOf = (bytes: Uint8Array | string): Digest =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
