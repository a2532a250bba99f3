import type { Digest } from '../image/index.ts';
import type { Manifest } from '../registry/index.ts';

/**
 * The bytes that prove one signature of an image, as a source served them. Their proof is independent of the source.
 */
export interface SignatureProof {
  /** The digest of the image. */
  readonly digest: Digest;
  /** The manifest that contains the signature. */
  readonly manifest: Manifest;
  /** The tag of the manifest: `sha256-<hex>.sig`; undefined if it refers to the image by its `subject`. */
  readonly tag: string | undefined;
  /** The layer of the manifest: the signed payload, or the bundle. */
  readonly blob: Uint8Array;
}
