import type { ImageStart, StartProof } from '../configuration/image-start.ts';
import type { SharedResult } from './single-flight.ts';

/** The start of an image, and where it was found. */
export interface FoundStart {
  readonly start: ImageStart;
  /** False: no evidence holds it, and nothing else may be read. It must not be remembered. */
  readonly isKnown: boolean;
  /** Set if it was read from a repository, so that it can be stored as evidence. */
  readonly proof?: StartProof;
}

/** The start of an image, read beside its signatures: a failure counts for nothing unless the start is needed. */
export interface EarlyStart {
  /** The repository of the image: an answer of another one proves the same, but a failure does not. */
  readonly repository: string;
  readonly found: Promise<SharedResult<FoundStart>>;
}
