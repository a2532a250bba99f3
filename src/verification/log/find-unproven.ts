import type { SignedContent } from './binding.ts';
import type { LogEntry } from './entry.ts';
import { findFalseProof } from './inclusion.ts';
import { findFalsePromise } from './promise.ts';
import type { TrustedLog } from './trusted-log.ts';

/**
 * Returns the problem if nothing proves that a log contains an entry. The entry must have a promise or a proof, and
 * each that it has must be valid.
 */
export const findUnproven = (entry: LogEntry, log: TrustedLog, signed: SignedContent): string | undefined => {
  const { promise, proof } = entry;
  if (promise === undefined && proof === undefined)
    return 'the log entry has neither an inclusion promise nor an inclusion proof';
  const falsePromise = promise && findFalsePromise(entry, promise, log);
  return falsePromise ?? (proof && findFalseProof(entry, proof, log, signed));
};
