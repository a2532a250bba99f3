import { type ReportError } from '../base/index.ts';
import type { OpenSource, Source, TagTable } from '../registry/index.ts';
import type { KeyRing } from './keys/key-ring.ts';
import type { ProveLogged } from './log/log-proof.ts';
import type { MemoryLimits } from './memory/stores.ts';
import type { SignatureProof } from './signature-proof.ts';

interface VerifierLimits extends MemoryLimits {
  /** How many candidates are tried of what stands under the signature tag, and of what refers to the digest. */
  readonly signatureCandidates: number;
  /** Bytes a signed payload may have. */
  readonly payloadBytes: number;
  /** Bytes a bundle may have. */
  readonly blobBytes: number;
  /** Milliseconds a question to a source may take, whoever waits for it. */
  readonly flightDeadline: number;
}

export interface VerifierDependencies {
  readonly open: OpenSource;
  /** The keys of this moment; asked at every use. */
  readonly ring: () => KeyRing;
  readonly limits: VerifierLimits;
  /** Milliseconds a tag's digest may be remembered; 0: not at all. */
  readonly tagMemory: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly report: ReportError;
  /** Hubs whose signatures mirrors copy, in normal form: under their names a payload is rebuilt, not fetched. */
  readonly hubs?: readonly string[];
  /** Evidence that is asked before any repository, for images of this one. */
  readonly openEvidence?: (repository: string) => readonly Source[];
  /** Last answers of tags that outlive the process. */
  readonly tagTable?: Pick<TagTable, 'last' | 'add'> | undefined;
  /** Only evidence is asked, and may say what a tag stands for. */
  readonly offline?: boolean;
  /** Undefined: the transparency log is ignored. */
  readonly proveLogged?: ProveLogged | undefined;
  /** Takes what proves an image, each time a source that is no evidence has proven it. Must not throw. */
  readonly keep?: (proofs: readonly SignatureProof[]) => void;
}
