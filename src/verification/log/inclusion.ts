import type { KeyObject } from 'node:crypto';
import { type SignedEntity, type TrustMaterial, VerificationError, Verifier } from '@sigstore/verify';
import { verifySignature } from '../ecdsa.ts';
import { type SignedContent, sha256 } from './binding.ts';
import type { InclusionProof, LogEntry } from './entry.ts';
import { parseExactBase64, parseExactCount } from './exact.ts';
import type { TrustedLog } from './trusted-log.ts';

/*
 * Verifies the Merkle tree and the checkpoint with @sigstore/verify. First checks what that leaves open: the root in
 * the proof, the tree size, the origin of the checkpoint, and its exact encoding.
 */

/** `origin`, size, root, further lines; an empty line; signatures (C2SP, tlog-checkpoint.md and signed-note.md). */
const CHECKPOINT =
  /^(?<origin>[^\n]+)\n(?<size>[^\n]+)\n(?<root>[^\n]+)\n(?:[^\n]+\n)*\n(?<signatures>(?:\u2014 \S+ \S+\n)+)$/;
/** Rekor v1 signs with a configured name and the id of a tree (sigstore/rekor, pkg/util/checkpoint.go). */
const TREE_ORIGIN = /^\S+ - \d+$/;

/** The validity of a log's key is compared with the time of the promise; a proof has no time. */
const ALWAYS = { start: new Date(0), end: new Date(8.64e15) };
/** One entry of a log, and no timestamp. */
const THRESHOLDS = { tlogThreshold: 1, timestampThreshold: 0 };

const NO_KIND = { kind: '', version: '' };

interface Checkpoint {
  readonly origin: string;
  readonly size: string | undefined;
  readonly root: Buffer | undefined;
}

const parseCheckpoint = (note: string): Checkpoint | undefined => {
  const { origin, size, root, signatures } = CHECKPOINT.exec(note)?.groups ?? {};
  if (origin === undefined || size === undefined || signatures === undefined) return undefined;
  const isExact = signatures.trimEnd().split('\n').every(isExactSignature);
  return isExact ? { origin, size: parseExactCount(size), root: parseExactBase64(root) } : undefined;
};

const isExactSignature = (line: string): boolean => parseExactBase64(line.split(' ')[2]) !== undefined;

/** A key of Rekor v1 signs for one log, whatever its configured name. Rekor v2 must name its host, as in cosign. */
const isOriginOf = (origin: string, { host, key }: TrustedLog): boolean =>
  origin === host || (key.asymmetricKeyType === 'ec' && TREE_ORIGIN.test(origin));

const findMismatch = (checkpoint: Checkpoint, proof: InclusionProof, log: TrustedLog): string | undefined => {
  if (!isOriginOf(checkpoint.origin, log)) return 'the checkpoint is from another log';
  if (checkpoint.size !== proof.treeSize) return 'the checkpoint is for a tree of another size';
  return checkpoint.root?.equals(proof.rootHash) === true
    ? undefined
    : 'the inclusion proof and the checkpoint have different root hashes';
};

/** The library compares signature and digest with the body too. The caller has compared both, and the key. */
const contentOf = ({ signature, signedBytes, payload }: SignedContent): SignedEntity['signature'] => ({
  signature,
  compareSignature: (logged) => signature.equals(logged),
  compareDigest: (digest) => digest.equals(sha256(payload)),
  compareSignedDigest: (digest) => digest.equals(sha256(signedBytes)),
  verifySignature: (key) => verifySignature(key, signedBytes, signature),
});

/**
 * The library compares the signer's name with the URL of the log. Passes the origin as the URL: it is compared above.
 */
const trustIn = ({ id, key }: TrustedLog, origin: string, signer: KeyObject): TrustMaterial => ({
  tlogs: [{ logID: Buffer.from(id, 'hex'), baseURL: origin, publicKey: key, validFor: ALWAYS }],
  ctlogs: [],
  certificateAuthorities: [],
  timestampAuthorities: [],
  publicKey: () => ({ publicKey: signer, validFor: () => true }),
});

/** Leaves out the promise: it is verified separately, and a proof proves no time. */
const libraryEntry = (entry: LogEntry, proof: InclusionProof): SignedEntity['tlogEntries'][number] => ({
  logIndex: proof.logIndex,
  logId: { keyId: Buffer.from(entry.logId, 'hex') },
  kindVersion: entry.kindVersion ?? NO_KIND,
  integratedTime: '0',
  inclusionPromise: undefined,
  inclusionProof: { ...proof, hashes: [...proof.hashes], checkpoint: { envelope: proof.checkpoint } },
  canonicalizedBody: entry.body,
});

/** Returns the problem if an inclusion proof does not prove that the log contains the entry. */
export const findFalseProof = (
  entry: LogEntry,
  proof: InclusionProof,
  log: TrustedLog,
  signed: SignedContent,
): string | undefined => {
  const checkpoint = parseCheckpoint(proof.checkpoint);
  if (checkpoint === undefined) return 'the checkpoint is malformed';
  const mismatch = findMismatch(checkpoint, proof, log);
  if (mismatch !== undefined) return mismatch;
  try {
    new Verifier(trustIn(log, checkpoint.origin, signed.key), THRESHOLDS).verify({
      signature: contentOf(signed),
      key: { $case: 'public-key', hint: '' },
      timestamps: [],
      tlogEntries: [libraryEntry(entry, proof)],
    });
    return undefined;
  } catch (error) {
    if (error instanceof VerificationError) return `the inclusion proof is invalid: ${error.message}`;
    throw error;
  }
};
