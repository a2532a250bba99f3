import { createHash, createPublicKey, type KeyObject, type webcrypto } from 'node:crypto';
import jose from 'node-jose';
import { isJsonObject, type JsonObject, memberOf } from '../../base/index.ts';
import { parseBase64 } from '../encoding/base64.ts';
import { parseStrictJson } from '../encoding/strict-json.ts';

/** One public key, whatever its encoding was. */
export interface ParsedKey {
  /** RFC 7638 thumbprint, base64url. */
  readonly keyId: string;
  /** SHA-256 of the DER SubjectPublicKeyInfo, 64 hex digits. */
  readonly spkiSha256: string;
  readonly publicKey: KeyObject;
}

export type ParsedKeys =
  | { readonly ok: true; readonly keys: readonly [ParsedKey, ...ParsedKey[]] }
  /** `problem` completes "the key …": `is a P-384 key; …`. */
  | { readonly ok: false; readonly problem: string };

type Jwk = webcrypto.JsonWebKey;

/** A problem with a key. Never leaves this file. */
class KeyProblem extends Error {}

const EXPECTED = 'expected ECDSA P-256';
const PRIVATE = 'is a private key: give the public key instead, and consider who may have seen this one';
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
const PEM = /^-----BEGIN ([A-Z0-9 ]+)-----\r?\n([A-Za-z0-9+/=\s]+?)\r?\n?-----END ([A-Z0-9 ]+)-----$/;
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

const importDer = (der: Buffer): KeyObject => {
  try {
    return createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch {
    throw new KeyProblem('is malformed: it contains no public key');
  }
};

const jwkOfDer = (der: Buffer): Jwk => {
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

const findLabelProblem = (label: string): string | undefined => {
  if (label === 'PUBLIC KEY') return undefined;
  if (label.includes('PRIVATE KEY')) return PRIVATE;
  if (label === 'CERTIFICATE')
    return 'is a certificate: give the public key alone (`openssl x509 -pubkey -noout`)';
  if (label === 'RSA PUBLIC KEY') return `is an RSA key; ${EXPECTED}`;
  if (label === '') return 'is neither a PEM block nor JSON';
  return `is a PEM block of ${label}, where a PUBLIC KEY is expected`;
};

const jwkOfPem = (text: string): Jwk => {
  const labels = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map(([, label = '']) => label);
  if (labels.some((label) => label.includes('PRIVATE KEY'))) throw new KeyProblem(PRIVATE);
  if (labels.length > 1) throw new KeyProblem('has several PEM blocks: give each key its own entry');
  const [, label = '', body = '', end] = PEM.exec(text) ?? [];
  const problem = findLabelProblem(label === '' ? (labels[0] ?? '') : label);
  if (problem !== undefined) throw new KeyProblem(problem);
  // Matched from the first blank of a run only: from each of them, the time is the square of the run's length.
  const der = label === end ? parseBase64(body.replace(/(?<![ \t])[ \t]+$/gm, '')) : undefined;
  if (der === undefined)
    throw new KeyProblem('is malformed: expected one complete PEM block with nothing before or after it');
  return jwkOfDer(der);
};

const coordinate = (jwk: JsonObject, name: 'x' | 'y'): string => {
  const text = memberOf(jwk, name);
  // 32 bytes are 43 digits, the last of which carries four bits: any other spelling would encode the same key twice.
  if (typeof text !== 'string' || !/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(text))
    throw new KeyProblem(`is malformed: its ${name} is not 32 bytes in base64url`);
  return text;
};

/** Returns the problem if a JWK is not an EC key on P-256 (RFC 7518, section 6). */
const findJwkKindProblem = (jwk: JsonObject): string | undefined => {
  const kty = memberOf(jwk, 'kty');
  const curve = String(memberOf(jwk, 'crv')).slice(0, 20);
  if (kty === 'oct' || Object.hasOwn(jwk, 'd') || Object.hasOwn(jwk, 'k')) return PRIVATE;
  if (kty === 'RSA') return `is an RSA key; ${EXPECTED}`;
  if (kty === 'OKP') return `is an ${curve} key; ${EXPECTED}`;
  if (kty !== 'EC') return 'is not a JSON Web Key: its "kty" is missing or unknown';
  return curve === 'P-256' ? undefined : `is a ${curve} key; ${EXPECTED}`;
};

/** Returns the problem if a JWK is not for verifying ES256 signatures (RFC 7517, sections 4.2 to 4.4). */
const findJwkUseProblem = (jwk: JsonObject): string | undefined => {
  const [use = 'sig', operations = ['verify'], alg = 'ES256'] = ['use', 'key_ops', 'alg'].map((name) =>
    memberOf(jwk, name),
  );
  if (use !== 'sig') return 'is not for signatures: its "use" says so';
  if (alg !== 'ES256') return 'is not for ES256: its "alg" says so';
  if (!Array.isArray(operations) || !operations.includes('verify'))
    return 'is not for verification: its "key_ops" says so';
  return undefined;
};

const checkJwk = (value: unknown): Jwk => {
  if (!isJsonObject(value)) throw new KeyProblem('is not a JSON Web Key: it is not an object');
  const problem = findJwkKindProblem(value) ?? findJwkUseProblem(value);
  if (problem !== undefined) throw new KeyProblem(problem);
  // Only these four members reach node-jose: a `kid` that the author chose is not the id of the key.
  return { kty: 'EC', crv: 'P-256', x: coordinate(value, 'x'), y: coordinate(value, 'y') };
};

const jwksOfJson = (text: string): readonly Jwk[] => {
  const parsed = parseStrictJson(Buffer.from(text));
  if (!parsed.ok) throw new KeyProblem(`is malformed: ${parsed.problem}`);
  const keys = memberOf(parsed.value, 'keys');
  if (keys === undefined) return [checkJwk(parsed.value)];
  if (!Array.isArray(keys) || keys.length === 0) throw new KeyProblem('is a JSON Web Key Set without keys');
  return keys.map((key: unknown) => checkJwk(key));
};

/**
 * node-jose computes the canonical public key and its id; node:crypto checks the point and creates the verifying key.
 */
const parseJwk = async (jwk: Jwk): Promise<ParsedKey> => {
  let publicKey: KeyObject;
  try {
    publicKey = createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    throw new KeyProblem('is malformed: its point is not on the curve P-256');
  }
  const canonical = await jose.JWK.asKey(publicKey.export({ format: 'jwk' }));
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return {
    keyId: canonical.kid,
    spkiSha256: createHash('sha256').update(spki).digest('hex'),
    publicKey: createPublicKey({ key: canonical.toJSON(), format: 'jwk' }),
  };
};

/**
 * Parses the public keys in a text: one PEM SubjectPublicKeyInfo (RFC 7468), one JWK or a JWKS (RFC 7517), all ECDSA
 * P-256. For anything else the problem says what it is. Never rejects.
 */
export const parseKeys = async (text: string): Promise<ParsedKeys> => {
  const trimmed = text.trim();
  try {
    if (trimmed === '') throw new KeyProblem('is empty');
    const jwks = /^[{[]/.test(trimmed) ? jwksOfJson(trimmed) : [jwkOfPem(trimmed)];
    const [first, ...others] = await Promise.all(jwks.map(parseJwk));
    if (first === undefined) throw new KeyProblem('is empty');
    return { ok: true, keys: [first, ...others] };
  } catch (error) {
    if (error instanceof KeyProblem) return { ok: false, problem: error.message };
    return { ok: false, problem: 'is malformed: it contains no public key' };
  }
};
