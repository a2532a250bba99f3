import { createHash, createPublicKey, type KeyObject } from 'node:crypto';

/** A trusted transparency log. A P-256 key means Rekor v1, an Ed25519 key Rekor v2. */
export interface TrustedLog {
  /** The host of its URL, which is the origin of Rekor v2's checkpoints. */
  readonly host: string;
  /** Lower-case hex, as entries name the log. */
  readonly id: string;
  readonly key: KeyObject;
  /** Milliseconds since the epoch, both inclusive. */
  readonly validFrom: number;
  /** Undefined: without end. */
  readonly validUntil: number | undefined;
}

export type TrustedLogs = readonly TrustedLog[];

/** The supported kinds of log key, as a trusted root names them (sigstore/protobuf-specs, `PublicKeyDetails`). */
export type LogKeyDetails = 'PKIX_ECDSA_P256_SHA_256' | 'PKIX_ED25519';

const isKeyOf = (key: KeyObject, details: LogKeyDetails): boolean =>
  details === 'PKIX_ED25519'
    ? key.asymmetricKeyType === 'ed25519'
    : key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';

/** Parses a log's key: a SubjectPublicKeyInfo in its canonical DER encoding; undefined for anything else. */
export const parseLogKey = (spki: Buffer, details: LogKeyDetails): KeyObject | undefined => {
  try {
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    const isCanonical = spki.equals(key.export({ type: 'spki', format: 'der' }));
    return isCanonical && isKeyOf(key, details) ? key : undefined;
  } catch {
    return undefined;
  }
};

const ED25519_SIGNATURE = 0x01;
const ED25519_BYTES = 32;

/**
 * Returns the id that a log derives from its key. Rekor v1: SHA-256 of the SubjectPublicKeyInfo (RFC 6962, section
 * 3.2). Rekor v2: the key id of its checkpoints before truncation to four bytes, which covers the log's name (C2SP,
 * signed-note.md, "Signatures").
 */
export const idOfLog = (host: string, key: KeyObject): string => {
  const spki = key.export({ type: 'spki', format: 'der' });
  const hash = createHash('sha256');
  if (key.asymmetricKeyType === 'ec') return hash.update(spki).digest('hex');
  const name = Buffer.from(`${host}\n`);
  return hash
    .update(name)
    .update(Buffer.of(ED25519_SIGNATURE))
    .update(spki.subarray(-ED25519_BYTES))
    .digest('hex');
};
