import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  type webcrypto,
  X509Certificate,
} from 'node:crypto';
import { EXPECTED, KeyProblem, PRIVATE } from './key-problem.ts';

export type Jwk = webcrypto.JsonWebKey;

const CURVES: Readonly<Record<string, string>> = {
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};
const KINDS: Readonly<Record<string, string>> = {
  rsa: 'an RSA',
  'rsa-pss': 'an RSA',
  ed25519: 'an Ed25519',
  ed448: 'an Ed448',
  x25519: 'an X25519',
  x448: 'an X448',
  dsa: 'a DSA',
};
/** SubjectPublicKeyInfo of a named-curve P-256 key up to its uncompressed point (RFC 5480): 27 of 91 bytes. */
const SPKI_HEAD = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex');
const SPKI_BYTES = 91;

const findKindProblem = (key: KeyObject): string | undefined => {
  const type = key.asymmetricKeyType ?? 'unknown';
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (type === 'ec' && curve === 'prime256v1') return undefined;
  const kind =
    type === 'ec' ? `an ECDSA ${CURVES[curve ?? ''] ?? curve ?? 'unnamed-curve'}` : (KINDS[type] ?? type);
  return `is ${kind.replace('an ECDSA P-', 'a P-')} key; ${EXPECTED}`;
};

const reads = (read: () => unknown): boolean => {
  try {
    return read() !== undefined;
  } catch (error) {
    // An encrypted private key.
    return (error as { readonly code?: unknown }).code === 'ERR_MISSING_PASSPHRASE';
  }
};

/** Names what is no SubjectPublicKeyInfo: a private key, a certificate, an RSA key of its own format. */
const describeDer = (der: Buffer): string => {
  const types = ['pkcs8', 'sec1', 'pkcs1'] as const;
  if (types.some((type) => reads(() => createPrivateKey({ key: der, format: 'der', type })))) return PRIVATE;
  if (reads(() => new X509Certificate(der)))
    return 'is a certificate: give the public key alone (`openssl x509 -inform DER -pubkey -noout`)';
  if (reads(() => createPublicKey({ key: der, format: 'der', type: 'pkcs1' })))
    return `is an RSA key; ${EXPECTED}`;
  return 'is malformed: it contains no public key';
};

const importDer = (der: Buffer): KeyObject => {
  try {
    return createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch {
    throw new KeyProblem(describeDer(der));
  }
};

/** Parses a SubjectPublicKeyInfo in DER. Throws `KeyProblem`. */
export const jwkOfDer = (der: Buffer): Jwk => {
  const key = importDer(der);
  const problem = findKindProblem(key);
  if (problem !== undefined) throw new KeyProblem(problem);
  // OpenSSL also reads curves written out as parameters, which may be any curve, and compressed points.
  if (der.length !== SPKI_BYTES || !der.subarray(0, SPKI_HEAD.length).equals(SPKI_HEAD))
    throw new KeyProblem(
      'has explicit curve parameters or a compressed point: give it as `openssl ec -pubin` writes it',
    );
  return key.export({ format: 'jwk' });
};
