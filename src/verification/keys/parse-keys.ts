import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import jose from 'node-jose';
import { type Jwk, jwkOfDer } from './der-key.ts';
import { describeText, findWrapperProblem, valueOfAssignment } from './describe-text.ts';
import { jwksOfJson } from './jwk-key.ts';
import { decodeBase64Document, isDer, type KeyDocument, readKeyDocument } from './key-document.ts';
import { KeyProblem, UNKNOWN } from './key-problem.ts';
import { jwkOfPem } from './pem-key.ts';

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

/** Characters: a DER public key of the shortest kind, Ed25519, is 44 bytes. What is shorter is rather a path. */
const SHORTEST_BASE64 = 56;

const decodeText = (text: string): Buffer | undefined =>
  text.length < SHORTEST_BASE64 ? undefined : decodeBase64Document(valueOfAssignment(text) ?? text);

/** Reads a document, or what it holds in base64: DER, PEM or JSON, but not base64 once more. */
const jwksOf = (document: KeyDocument, isDecoded = false): readonly Jwk[] => {
  if (document.kind === 'binary' && isDer(document.bytes)) return [jwkOfDer(document.bytes)];
  if (document.kind === 'binary') throw new KeyProblem(UNKNOWN);
  const { text } = document;
  if (text === '') throw new KeyProblem('is empty');
  const wrapper = findWrapperProblem(text);
  if (wrapper !== undefined) throw new KeyProblem(wrapper);
  if (/^[{[]/.test(text)) return jwksOfJson(text);
  if (text.includes('-----BEGIN ')) return [jwkOfPem(text)];
  const decoded = isDecoded ? undefined : decodeText(text);
  if (decoded === undefined) throw new KeyProblem(describeText(text));
  return jwksOf(readKeyDocument(decoded), true);
};

/** Returns the public members of a JWK alone, with its point checked: node-jose reads points that are not on the curve. */
const checkedJwk = (jwk: Jwk): Jwk => {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'jwk' });
  } catch {
    throw new KeyProblem('is malformed: its point is not on the curve P-256');
  }
};

/** node-jose reads the keys of a set and computes their thumbprints; node:crypto creates the verifying keys. */
const readKeySet = async (jwks: readonly Jwk[]): Promise<readonly ParsedKey[]> => {
  const store = jose.JWK.createKeyStore();
  const keys = await Promise.all(jwks.map((jwk) => store.add(checkedJwk(jwk))));
  return keys.map((key) => {
    const publicKey = createPublicKey({ key: key.toJSON(), format: 'jwk' });
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    // The id that node-jose gives a key without one is its thumbprint.
    return { keyId: key.kid, spkiSha256: createHash('sha256').update(spki).digest('hex'), publicKey };
  });
};

/**
 * Parses the public keys in a document: one SubjectPublicKeyInfo in PEM (RFC 7468) or DER, one JWK or a JWKS (RFC 7517),
 * all ECDSA P-256; as text in UTF-8 or UTF-16, and also in base64. For anything else the problem says what it is. Never
 * rejects.
 */
export const parseKeys = async (document: Uint8Array | string): Promise<ParsedKeys> => {
  try {
    const [first, ...others] = await readKeySet(jwksOf(readKeyDocument(document)));
    if (first === undefined) throw new KeyProblem('is empty');
    return { ok: true, keys: [first, ...others] };
  } catch (error) {
    if (error instanceof KeyProblem) return { ok: false, problem: error.message };
    return { ok: false, problem: 'is malformed: it contains no public key' };
  }
};
