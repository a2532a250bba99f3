import type { Digest } from '../image/index.ts';
import type { Manifest } from '../registry/index.ts';

/** The bytes that prove one signature of an image, as a source served them. They prove themselves, wherever they lie. */
export interface SignatureProof {
  /** The image's. */
  readonly digest: Digest;
  /** The manifest that holds the signature. */
  readonly manifest: Manifest;
  /** The tag it stood under: `sha256-<hex>.sig`; undefined: it refers to the image by its `subject`. */
  readonly tag: string | undefined;
  /** Its layer: the signed payload, or the bundle. */
  readonly blob: Uint8Array;
}
