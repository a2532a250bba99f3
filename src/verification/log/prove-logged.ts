import { findForeignBody, type SignedContent, signedContentOf } from './binding.ts';
import type { LogEntry } from './entry.ts';
import { findUnproven } from './find-unproven.ts';
import type { LogProof, ProveLogged } from './log-proof.ts';
import { readEntries } from './read-entries.ts';
import type { TrustedLogs } from './trusted-log.ts';

type Proven = ReturnType<ProveLogged>;

/**
 * Proves signatures by what comes with them, offline, as `cosign verify` does (sigstore-go, pkg/verify/tlog.go): every
 * entry there must be in a trusted log and be of this signature, these bytes and this key. The proof is the first one's.
 * Loads `@sigstore/verify`: import this file where the log is required, and only then.
 */
export const createProveLogged =
  (logs: TrustedLogs): ProveLogged =>
  (logged) => {
    try {
      const read = readEntries(logged);
      if ('problem' in read) return read;
      const signed = signedContentOf(logged);
      const proven = read.entries.map((entry) => proveEntry(entry, signed, logs));
      return proven.find((one) => 'problem' in one) ?? (proven[0] as Proven);
    } catch (error) {
      return { problem: `cannot verify the log entry: ${oneLine(error)}` };
    }
  };

const proveEntry = (entry: LogEntry, signed: SignedContent, logs: TrustedLogs): Proven => {
  const log = logs.find(({ id }) => id === entry.logId);
  if (log === undefined) return { problem: `no trusted log has the id ${entry.logId.slice(0, 64)}` };
  const problem = findForeignBody(entry, signed) ?? findUnproven(entry, log, signed);
  return problem === undefined ? { proof: proofOf(entry) } : { problem };
};

/** Time and the index over all trees are the promise's word alone: no proof covers what an entry says of them. */
const proofOf = ({ promise, proof }: LogEntry): LogProof => ({
  logIndex: String(promise?.logIndex ?? proof?.logIndex),
  integratedTime: promise?.integratedTime,
});

const oneLine = (error: unknown): string => String(error).replaceAll(/\s+/g, ' ').slice(0, 200);
