import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { idOfLog, type TrustedLog } from '../../../src/verification/log/trusted-log.ts';

/*
 * Transparency logs for tests: they log the given entries in a Merkle tree (RFC 6962), and sign as Rekor v1 (P-256) or
 * Rekor v2 (Ed25519) does.
 */

export interface TestLog {
  readonly trusted: TrustedLog;
  readonly privateKey: KeyObject;
}

/** Creates a log with a new key: Rekor v1 with `ec`, Rekor v2 with `ed25519`. */
export const createLog = (host: string, kind: 'ec' | 'ed25519' = 'ec'): TestLog => {
  const { publicKey, privateKey } =
    kind === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  const id = idOfLog(host, publicKey);
  return { trusted: { host, id, key: publicKey, validFrom: 0, validUntil: undefined }, privateKey };
};

const isFirst = ({ trusted }: TestLog) => trusted.key.asymmetricKeyType === 'ec';

const signAs = (log: TestLog, bytes: Buffer): Buffer =>
  sign(isFirst(log) ? 'sha256' : null, bytes, log.privateKey);

const hash = (...parts: readonly Buffer[]): Buffer =>
  parts.reduce((sum, part) => sum.update(part), createHash('sha256')).digest();
const leafHash = (leaf: Buffer) => hash(Buffer.of(0), leaf);

/** The largest power of two below the number of leaves. */
const splitOf = (count: number): number => 2 ** Math.floor(Math.log2(count - 1));

const rootOf = (leaves: readonly Buffer[]): Buffer => {
  if (leaves.length === 1) return leafHash(leaves[0] as Buffer);
  const split = splitOf(leaves.length);
  return hash(Buffer.of(1), rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
};

const pathOf = (leaves: readonly Buffer[], index: number): Buffer[] => {
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split
    ? [...pathOf(left, index), rootOf(right)]
    : [...pathOf(right, index - split), rootOf(left)];
};

/** The proof of a leaf: the fields of a bundle's `inclusionProof`. */
export interface TestProof {
  readonly logIndex: string;
  readonly rootHash: string;
  readonly treeSize: string;
  readonly hashes: readonly string[];
  readonly checkpoint: { readonly envelope: string };
}

/** A note signed by the log; `lines` follow the root, `cosignatures` the signature. */
export const checkpointOf = (
  log: TestLog,
  size: number | string,
  root: Buffer,
  {
    origin = isFirst(log) ? `${log.trusted.host} - 42` : log.trusted.host,
    lines = '',
    cosignatures = '',
  } = {},
): string => {
  const note = `${origin}\n${size}\n${root.toString('base64')}\n${lines}`;
  const hint = Buffer.from(log.trusted.id, 'hex').subarray(0, 4);
  const signature = Buffer.concat([hint, signAs(log, Buffer.from(note))]).toString('base64');
  return `${note}\n\u2014 ${origin.split(' ')[0]} ${signature}\n${cosignatures}`;
};

/** The proof of one leaf among others. */
export const proofOf = (
  log: TestLog,
  leaves: readonly Buffer[],
  index: number,
  options: { readonly origin?: string; readonly lines?: string; readonly cosignatures?: string } = {},
): TestProof => {
  const root = rootOf(leaves);
  return {
    logIndex: String(index),
    rootHash: root.toString('base64'),
    treeSize: String(leaves.length),
    hashes: pathOf(leaves, index).map((node) => node.toString('base64')),
    checkpoint: { envelope: checkpointOf(log, leaves.length, root, options) },
  };
};

/** Rekor v1's signed entry timestamp, base64. */
export const promiseOf = (log: TestLog, body: Buffer, integratedTime: number, logIndex: number): string => {
  const promised = { body: body.toString('base64'), integratedTime, logID: log.trusted.id, logIndex };
  return signAs(log, Buffer.from(JSON.stringify(promised))).toString('base64');
};

/** The annotation of a `.sig` layer. */
export const annotationOf = (log: TestLog, body: Buffer, integratedTime = 1_700_000_000, logIndex = 7) =>
  JSON.stringify({
    SignedEntryTimestamp: promiseOf(log, body, integratedTime, logIndex),
    Payload: { body: body.toString('base64'), integratedTime, logIndex, logID: log.trusted.id },
  });

/** An entry of a bundle, the second of three in its tree, with a promise if the log is of Rekor v1. */
export const entryOf = (log: TestLog, body: Buffer, proof: object = proofOf(log, around(body), 1)) => {
  const { kind, apiVersion } = JSON.parse(body.toString()) as { kind: string; apiVersion: string };
  const promise = { signedEntryTimestamp: promiseOf(log, body, 1_700_000_000, 1007) };
  return {
    logIndex: isFirst(log) ? '1007' : '1',
    logId: { keyId: Buffer.from(log.trusted.id, 'hex').toString('base64') },
    kindVersion: { kind, version: apiVersion },
    ...(isFirst(log) ? { integratedTime: '1700000000', inclusionPromise: promise } : {}),
    inclusionProof: proof,
    canonicalizedBody: body.toString('base64'),
  };
};

/** A body between two others. */
export const around = (body: Buffer): Buffer[] => [Buffer.from('before'), body, Buffer.from('after')];
