import { SECOND_MS } from '../../base/index.ts';
import { verifySignature } from '../ecdsa.ts';
import type { InclusionPromise, LogEntry } from './entry.ts';
import type { TrustedLog } from './trusted-log.ts';

/**
 * Encodes the bytes that Rekor v1 signs: four members in canonical JSON (RFC 8785), in this order. Base64, hex and
 * exact integers have one spelling in it.
 */
const promisedBytes = (entry: LogEntry, { integratedTime, logIndex }: InclusionPromise): Buffer =>
  Buffer.from(
    JSON.stringify({ body: entry.body.toString('base64'), integratedTime, logID: entry.logId, logIndex }),
  );

/** Returns the problem if the log did not sign an inclusion promise, or not while its key was valid. */
export const findFalsePromise = (
  entry: LogEntry,
  promise: InclusionPromise,
  { key, validFrom, validUntil }: TrustedLog,
): string | undefined => {
  // Rekor v2 makes no promises, and its Ed25519 keys sign no ECDSA.
  if (
    key.asymmetricKeyType !== 'ec' ||
    !verifySignature(key, promisedBytes(entry, promise), promise.signature)
  )
    return 'the inclusion promise is not signed by the log';
  const timeMs = promise.integratedTime * SECOND_MS;
  const isKeyValid = timeMs >= validFrom && timeMs <= (validUntil ?? Number.POSITIVE_INFINITY);
  return isKeyValid ? undefined : 'the log integrated the entry while its key was not valid';
};
