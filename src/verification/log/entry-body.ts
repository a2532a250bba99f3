import { memberOf } from '../../base/index.ts';
import { parseStrictJson } from '../encoding/strict-json.ts';
import { parseExactBase64, parseExactHex, requireAll } from './exact.ts';

/** The signature that the body of an entry names, with the digest of what was signed and the key. */
export interface LoggedBody {
  /** Kind and version: `hashedrekord 0.0.1`. */
  readonly kind: string;
  /** The bytes that the digest is of: all signed bytes, or the payload inside them. */
  readonly digestOf: 'signed-bytes' | 'payload';
  readonly sha256: Buffer;
  /** DER. */
  readonly signature: Buffer;
  /** The key's SubjectPublicKeyInfo, DER. */
  readonly spki: Buffer;
}

type Fields = { readonly [K in keyof Omit<LoggedBody, 'kind'>]: LoggedBody[K] | undefined };

/** Returns the value at a path of member names. `0` in a path is the only element of a list. */
const at = (value: unknown, ...path: readonly (string | 0)[]): unknown =>
  path.reduce<unknown>((parent, step) => (step === 0 ? onlyOf(parent) : memberOf(parent, step)), value);

const onlyOf = (value: unknown): unknown =>
  Array.isArray(value) && value.length === 1 ? value[0] : undefined;

const textOf = (bytes: Buffer | undefined): string => bytes?.toString('latin1') ?? '';

/**
 * Decodes the DER inside base64 of PEM. It is compared byte for byte and never parsed: only keys of the key ring
 * verify.
 */
const parsePem = (value: unknown): Buffer | undefined => {
  const pem = /^-----BEGIN PUBLIC KEY-----\n([\s\S]+)\n-----END PUBLIC KEY-----\n?$/;
  return parseExactBase64(pem.exec(textOf(parseExactBase64(value)))?.[1]?.replaceAll('\n', ''));
};

const hexDigest = (hash: unknown): Buffer | undefined =>
  at(hash, 'algorithm') === 'sha256' ? parseExactHex(at(hash, 'value')) : undefined;

const base64Digest = (hash: unknown): Buffer | undefined =>
  at(hash, 'algorithm') === 'SHA2_256' ? parseExactBase64(at(hash, 'digest')) : undefined;

const hashedrekord1 = (spec: unknown): Fields => ({
  digestOf: 'signed-bytes',
  sha256: hexDigest(at(spec, 'data', 'hash')),
  signature: parseExactBase64(at(spec, 'signature', 'content')),
  spki: parsePem(at(spec, 'signature', 'publicKey', 'content')),
});

const dsse1 = (spec: unknown): Fields => ({
  digestOf: 'payload',
  sha256: hexDigest(at(spec, 'payloadHash')),
  signature: parseExactBase64(at(spec, 'signatures', 0, 'signature')),
  spki: parsePem(at(spec, 'signatures', 0, 'verifier')),
});

/** The signature is base64 of the envelope's base64. */
const intoto2 = (spec: unknown): Fields => ({
  digestOf: 'payload',
  sha256: hexDigest(at(spec, 'content', 'payloadHash')),
  signature: parseExactBase64(
    textOf(parseExactBase64(at(spec, 'content', 'envelope', 'signatures', 0, 'sig'))),
  ),
  spki: parsePem(at(spec, 'content', 'envelope', 'signatures', 0, 'publicKey')),
});

const signature2 = (signature: unknown): Pick<Fields, 'signature' | 'spki'> => ({
  signature: parseExactBase64(at(signature, 'content')),
  spki: parseExactBase64(at(signature, 'verifier', 'publicKey', 'rawBytes')),
});

const hashedrekord2 = (spec: unknown): Fields => ({
  digestOf: 'signed-bytes',
  sha256: base64Digest(at(spec, 'hashedRekordV002', 'data')),
  ...signature2(at(spec, 'hashedRekordV002', 'signature')),
});

const dsse2 = (spec: unknown): Fields => ({
  digestOf: 'payload',
  sha256: base64Digest(at(spec, 'dsseV002', 'payloadHash')),
  ...signature2(at(spec, 'dsseV002', 'signatures', 0)),
});

/**
 * The kinds of entries that name signature, digest and key (sigstore/rekor, pkg/types; sigstore/rekor-tiles,
 * api/proto/rekor/v2). cosign 1.2 and older wrote `rekord`. `intoto` 0.0.1 contains no signature and so proves none.
 */
const KINDS: ReadonlyMap<string, (spec: unknown) => Fields> = new Map([
  ['hashedrekord 0.0.1', hashedrekord1],
  ['rekord 0.0.1', hashedrekord1],
  ['dsse 0.0.1', dsse1],
  ['intoto 0.0.2', intoto2],
  ['hashedrekord 0.0.2', hashedrekord2],
  ['dsse 0.0.2', dsse2],
]);

/** Parses the body of an entry, or returns the problem if it names no signature to compare. */
export const parseEntryBody = (bytes: Buffer): LoggedBody | { readonly problem: string } => {
  const parsed = parseStrictJson(bytes);
  if (!parsed.ok) return { problem: `the body of the log entry cannot be read: ${parsed.problem}` };
  const kind = `${String(at(parsed.value, 'kind'))} ${String(at(parsed.value, 'apiVersion'))}`;
  const read = KINDS.get(kind);
  if (read === undefined)
    return { problem: `the log entry is of an unsupported kind: ${JSON.stringify(kind.slice(0, 60))}` };
  const body = requireAll({ kind, ...read(at(parsed.value, 'spec')) });
  return 'missing' in body ? { problem: `the ${kind} entry has no valid "${body.missing}"` } : body.fields;
};
