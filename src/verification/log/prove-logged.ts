import { findForeignBody, type SignedContent, signedContentOf } from './binding.ts';
import type { LogEntry } from './entry.ts';
import { findUnproven } from './find-unproven.ts';
import type { LogProof, LogResult, ProveLogged } from './log-proof.ts';
import { readEntries } from './read-entries.ts';
import type { TrustedLogs } from './trusted-log.ts';

/**
 * Proves signatures offline by the entries that come with them, as `cosign verify` does (sigstore-go,
 * pkg/verify/tlog.go): every entry must be in a trusted log and be for this signature, these bytes and this key.
 * Returns the proof of the first. Loads `@sigstore/verify`: import this file only if the log is required.
 */
export const createProveLogged =
  (logs: TrustedLogs): ProveLogged =>
  (logged) => {
    try {
      const read = readEntries(logged);
      if ('problem' in read) return read;
      const signed = signedContentOf(logged);
      const results = read.entries.map((entry) => proveEntry(entry, signed, logs));
      return results.find((result) => 'problem' in result) ?? (results[0] as LogResult);
    } catch (error) {
      return { problem: `cannot verify the log entry: ${oneLine(error)}` };
    }
  };

const proveEntry = (entry: LogEntry, signed: SignedContent, logs: TrustedLogs): LogResult => {
  const log = logs.find(({ id }) => id === entry.logId);
  if (log === undefined) return { problem: `no trusted log has the id ${entry.logId.slice(0, 64)}` };
  const problem = findForeignBody(entry, signed) ?? findUnproven(entry, log, signed);
  return problem === undefined ? { proof: proofOf(entry) } : { problem };
};

/** Takes the time and the index over all trees from the promise alone: an inclusion proof covers neither. */
const proofOf = ({ promise, proof }: LogEntry): LogProof => ({
  logIndex: String(promise?.logIndex ?? proof?.logIndex),
  integratedTime: promise?.integratedTime,
});

const oneLine = (error: unknown): string => String(error).replaceAll(/\s+/g, ' ').slice(0, 200);
