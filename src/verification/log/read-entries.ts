import { memberOf, textOf } from '../../base/index.ts';
import { parseStrictJson } from '../encoding/strict-json.ts';
import type { InclusionPromise, InclusionProof, LogEntry } from './entry.ts';
import { parseExactBase64, parseExactCount, parseExactHex, parseSafeCount, requireAll } from './exact.ts';
import type { CarriedSignature } from './log-proof.ts';

const MAX_ANNOTATION_LENGTH = 64 * 1024;
/** The limit of sigstore-go (pkg/verify, `maxAllowedTlogEntries`). */
const MAX_ENTRIES = 32;
/** More than the depth of a tree with 2^63 leaves. */
const MAX_HASHES = 64;

type Problem = { readonly problem: string };

/** Parses the entries that a signature carries: at least one, without duplicates. */
export const readEntries = (
  carried: CarriedSignature,
): { readonly entries: readonly LogEntry[] } | Problem => {
  switch (carried.format) {
    case 'simple-signing':
      return readAnnotation(carried.annotation);
    case 'sigstore-bundle':
      return readBundleEntries(carried.entries);
    default:
      return carried satisfies never;
  }
};

/**
 * Parses the annotation of a `.sig` layer: only Rekor v1's promise (cosign, pkg/cosign/bundle, `RekorBundle`). Unlike
 * in a bundle, the id is hex and numbers are JSON numbers.
 */
const readAnnotation = (
  annotation: string | undefined,
): { readonly entries: readonly LogEntry[] } | Problem => {
  if (annotation === undefined) return { problem: 'it has no transparency log entry' };
  if (annotation.length > MAX_ANNOTATION_LENGTH)
    return { problem: `the log annotation is longer than ${MAX_ANNOTATION_LENGTH / 1024} KiB` };
  const parsed = parseStrictJson(Buffer.from(annotation));
  if (!parsed.ok) return { problem: `the log annotation cannot be read: ${parsed.problem}` };
  const payload = memberOf(parsed.value, 'Payload');
  const read = requireAll({
    SignedEntryTimestamp: parseExactBase64(memberOf(parsed.value, 'SignedEntryTimestamp')),
    body: parseExactBase64(memberOf(payload, 'body')),
    integratedTime: parseSafeCount(memberOf(payload, 'integratedTime')),
    logIndex: parseSafeCount(memberOf(payload, 'logIndex')),
    logID: parseExactHex(memberOf(payload, 'logID')),
  });
  if ('missing' in read) return { problem: `the log annotation has no valid "${read.missing}"` };
  const { SignedEntryTimestamp: signature, body, integratedTime, logIndex, logID } = read.fields;
  const promise = { signature, integratedTime, logIndex };
  return {
    entries: [{ logId: logID.toString('hex'), body, kindVersion: undefined, promise, proof: undefined }],
  };
};

const readBundleEntries = (
  values: readonly unknown[],
): { readonly entries: readonly LogEntry[] } | Problem => {
  if (values.length === 0) return { problem: 'it has no transparency log entry' };
  if (values.length > MAX_ENTRIES)
    return { problem: `it has ${values.length} log entries; at most ${MAX_ENTRIES} are read` };
  const entries: LogEntry[] = [];
  for (const value of values) {
    const entry = readBundleEntry(value);
    if ('problem' in entry) return entry;
    // A duplicate would count as a second witness (compare GHSA-wqqc-jjcq-vfxm).
    if (entries.some(({ logId, body }) => logId === entry.logId && body.equals(entry.body)))
      return { problem: 'the same log entry occurs twice' };
    entries.push(entry);
  }
  return { entries };
};

/**
 * Parses a `TransparencyLogEntry` (sigstore/protobuf-specs, sigstore_rekor.proto). In a bundle v0.3 each has a proof.
 */
const readBundleEntry = (value: unknown): LogEntry | Problem => {
  const kindVersion = memberOf(value, 'kindVersion');
  const read = requireAll({
    'logId.keyId': parseExactBase64(memberOf(memberOf(value, 'logId'), 'keyId')),
    canonicalizedBody: parseExactBase64(memberOf(value, 'canonicalizedBody')),
    'kindVersion.kind': textOf(memberOf(kindVersion, 'kind')),
    'kindVersion.version': textOf(memberOf(kindVersion, 'version')),
  });
  if ('missing' in read) return { problem: `a log entry has no valid "${read.missing}"` };
  const promise = readPromise(value);
  const proof = readProof(memberOf(value, 'inclusionProof'));
  if (promise !== undefined && 'problem' in promise) return promise;
  if ('problem' in proof) return proof;
  return {
    logId: read.fields['logId.keyId'].toString('hex'),
    body: read.fields.canonicalizedBody,
    kindVersion: { kind: read.fields['kindVersion.kind'], version: read.fields['kindVersion.version'] },
    promise,
    proof,
  };
};

const readPromise = (entry: unknown): InclusionPromise | Problem | undefined => {
  const value = memberOf(entry, 'inclusionPromise');
  if (value === undefined) return undefined;
  const read = requireAll({
    signature: parseExactBase64(memberOf(value, 'signedEntryTimestamp')),
    integratedTime: parseSafeCount(memberOf(entry, 'integratedTime')),
    logIndex: parseSafeCount(memberOf(entry, 'logIndex')),
  });
  return 'missing' in read
    ? { problem: `the inclusion promise of a log entry has no valid "${read.missing}"` }
    : read.fields;
};

const readProof = (value: unknown): InclusionProof | Problem => {
  if (value === undefined) return { problem: 'a log entry has no inclusion proof' };
  const read = requireAll({
    logIndex: parseExactCount(memberOf(value, 'logIndex')),
    treeSize: parseExactCount(memberOf(value, 'treeSize')),
    rootHash: parseExactBase64(memberOf(value, 'rootHash')),
    hashes: readHashes(memberOf(value, 'hashes') ?? []),
    checkpoint: textOf(memberOf(memberOf(value, 'checkpoint'), 'envelope')),
  });
  return 'missing' in read
    ? { problem: `the inclusion proof of a log entry has no valid "${read.missing}"` }
    : read.fields;
};

const readHashes = (values: unknown): readonly Buffer[] | undefined => {
  if (!Array.isArray(values) || values.length > MAX_HASHES) return undefined;
  const hashes = values.map(parseExactBase64).filter((hash) => hash?.length === 32);
  return hashes.length === values.length ? (hashes as Buffer[]) : undefined;
};
