import { type KeyObject, verify } from 'node:crypto';

const SEQUENCE = 0x30;
const INTEGER = 0x02;
/** The order n of P-256 (SEC 2, section 2.4.2). */
const ORDER = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');

/**
 * True if an integer is minimal and positive: a leading zero only keeps the next byte from being a sign (X.690, 8.3.2).
 */
const isMinimalPositive = (first: number, second: number): boolean =>
  first <= 0x7f && (first !== 0 || second > 0x7f);

const isBelowOrder = (magnitude: Uint8Array): boolean =>
  magnitude.length < ORDER.length || (magnitude.length === ORDER.length && ORDER.compare(magnitude) > 0);

/** Returns the end of the DER integer at `start`, or undefined unless it is minimal and in 1 … n−1. */
const endOfInteger = (der: Uint8Array, start: number): number | undefined => {
  const end = start + 2 + (der[start + 1] ?? 0);
  if (der[start] !== INTEGER || end > der.length) return undefined;
  // Without content the first byte defaults to 0, which is rejected as zero itself is.
  const [first = 0, second = 0] = der.subarray(start + 2, end);
  if (!isMinimalPositive(first, second)) return undefined;
  return isBelowOrder(der.subarray(first === 0 ? start + 3 : start + 2, end)) ? end : undefined;
};

/**
 * True if the bytes are exactly one `ECDSA-Sig-Value` (RFC 3279 section 2.2.3) in DER, with r and s in 1 … n−1 of
 * P-256.
 */
export const isStrictSignature = (der: Uint8Array): boolean => {
  if (der[0] !== SEQUENCE || der[1] !== der.length - 2) return false;
  const middle = endOfInteger(der, 2);
  return middle !== undefined && endOfInteger(der, middle) === der.length;
};

/**
 * True if `key` made `signature` over SHA-256 of `message`. Never throws for bad input. OpenSSL parses DER as strictly
 * today; this does not depend on it.
 */
export const verifySignature = (key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean =>
  isStrictSignature(signature) && verify('sha256', message, { key, dsaEncoding: 'der' }, signature);
