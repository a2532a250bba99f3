import type { Manifest } from '../../registry/index.ts';

/** The program that an image starts, as its configuration says. The digest of the image covers the configuration. */
export interface ImageStart {
  /** The first word of `Entrypoint`, or else of `Cmd`; undefined if the configuration names none. */
  readonly word: string | undefined;
}

/** The start of an image of which nothing was learned: it proves no component. */
export const UNKNOWN_START: ImageStart = { word: undefined };

/** The bytes from which the start of an image was read. Their proof is independent of the source. */
export interface StartProof {
  /** The image's own manifest or index. */
  readonly manifest: Manifest;
  /** The blobs that it leads to: of an index, the manifest of one platform; the configuration. */
  readonly blobs: readonly Uint8Array[];
}
