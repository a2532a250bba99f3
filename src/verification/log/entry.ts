/** A parsed log entry. Nothing of it is verified. */
export interface LogEntry {
  /** Lower-case hex: the id of the log that it names. */
  readonly logId: string;
  /** The content that the log integrated: JSON that names what was signed. */
  readonly body: Buffer;
  /** The declared kind of the body; undefined in an annotation, which declares none. */
  readonly kindVersion: { readonly kind: string; readonly version: string } | undefined;
  readonly promise: InclusionPromise | undefined;
  readonly proof: InclusionProof | undefined;
}

/** Rekor v1: the log's signed promise to integrate the entry, with time and index ("signed entry timestamp"). */
export interface InclusionPromise {
  /** DER. */
  readonly signature: Buffer;
  /** Seconds since the epoch. */
  readonly integratedTime: number;
  /** Counted over all trees of the log. */
  readonly logIndex: number;
}

/** The hashes from the entry to the root of a tree that the log signed (RFC 6962, section 2.1.1). */
export interface InclusionProof {
  /** Decimal, counted in this tree. */
  readonly logIndex: string;
  /** Decimal. */
  readonly treeSize: string;
  readonly rootHash: Buffer;
  readonly hashes: readonly Buffer[];
  /** A signed note (C2SP, tlog-checkpoint.md). */
  readonly checkpoint: string;
}
