import type { OpenSource, Source } from '../registry/index.ts';
import type { StartProof } from './configuration/image-start.ts';
import type { ProveLogged } from './log/log-proof.ts';
import type { MemoryDependencies } from './memory/memory.ts';
import type { SignatureProof } from './signature-proof.ts';

type VerifierLimits = MemoryDependencies['limits'] & {
  /** The number of candidates that are tried in each signature format. */
  readonly signatureCandidates: number;
  /** The bytes that are read of candidates in each signature format. */
  readonly signatureBytes: number;
  /** The size limit of the manifest under the signature tag, in bytes. */
  readonly signatureManifestBytes: number;
  /** The size limit of the manifest of a referrer, in bytes. */
  readonly referrerBytes: number;
  /** The size limit of a signed payload, in bytes. */
  readonly payloadBytes: number;
  /** The size limit of a bundle, in bytes. */
  readonly blobBytes: number;
};

export interface VerifierDependencies extends MemoryDependencies {
  readonly open: OpenSource;
  readonly limits: VerifierLimits;
  /** Hubs whose signatures mirrors copy, in normal form: a payload signed under their names is rebuilt, not fetched. */
  readonly hubs?: readonly string[];
  /** Opens the evidence for a repository. Evidence is read before any repository. */
  readonly openEvidence?: (repository: string) => readonly Source[];
  /** True: evidence is the only source, and resolves tags too. */
  readonly offline?: boolean;
  /** Undefined: the transparency log is ignored. */
  readonly proveLogged?: ProveLogged | undefined;
  /** `configuration`: where no signature names a component, what the image starts does. `none` (default): nothing does. */
  readonly componentProof?: 'configuration' | 'none';
  /**
   * Receives the bytes that prove an image of `repository` each time its signatures were read from one, with those of its
   * start if no signature names a component. Must not throw.
   */
  readonly storeProofs?: (proofs: readonly SignatureProof[], repository: string, start?: StartProof) => void;
}
