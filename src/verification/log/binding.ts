import { createHash, type KeyObject } from 'node:crypto';
import type { LogEntry } from './entry.ts';
import { parseEntryBody } from './entry-body.ts';
import type { LoggedSignature } from './log-proof.ts';

/** A signature with everything that a log entry can name of it. */
export interface SignedContent {
  readonly key: KeyObject;
  readonly signature: Buffer;
  readonly payload: Buffer;
  /** The payload itself, or its encoding in an envelope. */
  readonly signedBytes: Buffer;
}

export const signedContentOf = (logged: LoggedSignature): SignedContent => ({
  key: logged.key,
  signature: Buffer.from(logged.signature),
  payload: Buffer.from(logged.payload),
  signedBytes: Buffer.from(logged.signedBytes),
});

export const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

/**
 * Returns the problem if the body of an entry is not for this signature, these bytes and this key. If one of the three
 * is not compared, an attacker can present the entry of another signature (CVE-2022-36056, CVE-2026-22703).
 */
export const findForeignBody = (
  { body: bytes, kindVersion }: LogEntry,
  signed: SignedContent,
): string | undefined => {
  const body = parseEntryBody(bytes);
  if ('problem' in body) return body.problem;
  if (kindVersion !== undefined && body.kind !== `${kindVersion.kind} ${kindVersion.version}`)
    return 'the log entry is not of the kind it declares';
  const digestedBytes = body.digestOf === 'payload' ? signed.payload : signed.signedBytes;
  if (!body.signature.equals(signed.signature)) return 'the log entry is for another signature';
  if (!body.sha256.equals(sha256(digestedBytes))) return 'the log entry is for other signed bytes';
  const spki = signed.key.export({ type: 'spki', format: 'der' });
  return body.spki.equals(spki) ? undefined : 'the log entry is for another key';
};
