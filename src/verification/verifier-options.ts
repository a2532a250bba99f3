import type { OpenSource } from '../registry/index.ts';
import type { KeyRing } from './key-ring.ts';
import type { MemoryLimits } from './memory.ts';
import type { Report } from './obstacle.ts';

interface VerifierLimits extends MemoryLimits {
  /** How many candidates of a digest are tried. */
  readonly signatureCandidates: number;
  /** Bytes a signed payload may have. */
  readonly payloadBytes: number;
  /** Milliseconds a question to a source may take, whoever waits for it. */
  readonly flightDeadline: number;
}

export interface VerifierOptions {
  readonly open: OpenSource;
  /** The keys of this moment; asked at every use. */
  readonly ring: () => KeyRing;
  readonly limits: VerifierLimits;
  /** Milliseconds a tag's digest may be remembered; 0: not at all. */
  readonly tagMemory: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly report: Report;
  /** Hubs whose signatures mirrors copy, in normal form: under their names a payload is rebuilt, not fetched. */
  readonly hubs?: readonly string[];
}
