import { verifySignature } from '../ecdsa.ts';
import type { InclusionPromise, LogEntry } from './entry.ts';
import type { TrustedLog } from './trusted-log.ts';

/**
 * What Rekor v1 signs: these four in canonical JSON (RFC 8785), whose order of names this is. Base64, hex and exact
 * integers have one spelling in it.
 */
const promisedBytes = (entry: LogEntry, { integratedTime, logIndex }: InclusionPromise): Buffer =>
  Buffer.from(
    JSON.stringify({ body: entry.body.toString('base64'), integratedTime, logID: entry.logId, logIndex }),
  );

/** Tells why an inclusion promise is not the log's word, or not while its key counted; undefined where it is. */
export const findFalsePromise = (
  entry: LogEntry,
  promise: InclusionPromise,
  { key, validFrom, validUntil }: TrustedLog,
): string | undefined => {
  // Rekor v2 promises nothing, and its kind of key signs no ECDSA.
  if (
    key.asymmetricKeyType !== 'ec' ||
    !verifySignature(key, promisedBytes(entry, promise), promise.signature)
  )
    return 'the inclusion promise is not signed by the log';
  const time = promise.integratedTime * 1000;
  const counted =
    time >= (validFrom ?? Number.NEGATIVE_INFINITY) && time <= (validUntil ?? Number.POSITIVE_INFINITY);
  return counted ? undefined : 'the log integrated the entry while its key was not valid';
};
