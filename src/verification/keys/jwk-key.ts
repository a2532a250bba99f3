import { isJsonObject, type JsonObject, memberOf } from '../../base/index.ts';
import { parseStrictJson } from '../encoding/strict-json.ts';
import type { Jwk } from './der-key.ts';
import { EXPECTED, KeyProblem, PRIVATE } from './key-problem.ts';

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

/** Parses a JWK or a JWKS. Throws `KeyProblem`. */
export const jwksOfJson = (text: string): readonly Jwk[] => {
  const parsed = parseStrictJson(Buffer.from(text));
  if (!parsed.ok) throw new KeyProblem(`is malformed: ${parsed.problem}`);
  const keys = memberOf(parsed.value, 'keys');
  if (keys === undefined) return [checkJwk(parsed.value)];
  if (!Array.isArray(keys) || keys.length === 0) throw new KeyProblem('is a JSON Web Key Set without keys');
  return keys.map((key: unknown) => checkJwk(key));
};
