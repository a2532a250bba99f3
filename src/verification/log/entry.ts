/** An entry of a log as it came: its fields have their types, and nothing of it is proven. */
export interface LogEntry {
  /** Lower-case hex: which log it says it is in. */
  readonly logId: string;
  /** What the log holds: JSON that says what was signed. */
  readonly body: Buffer;
  /** What kind of body it says it has; an annotation does not say. */
  readonly kindVersion: { readonly kind: string; readonly version: string } | undefined;
  readonly promise: InclusionPromise | undefined;
  readonly proof: InclusionProof | undefined;
}

/** Rekor v1: the log's signed word that it took the entry in, at a time and a place ("signed entry timestamp"). */
export interface InclusionPromise {
  /** DER. */
  readonly signature: Buffer;
  /** Seconds since the epoch. */
  readonly integratedTime: number;
  /** Counted over all trees the log ever had. */
  readonly logIndex: number;
}

/** The way from the entry up to a tree whose root the log signed (RFC 6962, section 2.1.1). */
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
