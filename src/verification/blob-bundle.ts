import { isJsonObject, memberOf, oneLine, quoted, textOf } from '../base/index.ts';
import { parseBase64 } from './encoding/base64.ts';
import { parseStrictJson } from './encoding/strict-json.ts';

/** The signature of a file that a bundle carries. Nothing of it is verified. */
export interface BlobBundle {
  /** DER. */
  readonly signature: Buffer;
  /** SHA-256 of the file, as the bundle says; undefined in a bundle of cosign 2, which has none. */
  readonly sha256: Buffer | undefined;
  /** How the bundle names its key: cosign writes the SHA-256 of the SubjectPublicKeyInfo in base64. It proves nothing. */
  readonly keyHint: string | undefined;
}

/** `problem` completes "the bundle …" in one line. */
type Parsed = BlobBundle | { readonly problem: string };

/** Versions 0.1 to 0.3 (sigstore/protobuf-specs, sigstore_bundle.proto, `media_type`): they differ in what they say of the log. */
const VERSIONS = /^application\/vnd\.dev\.sigstore\.bundle(?:\+json;version=0\.[123]|\.v0\.[123]\+json)$/;
const ANY_VERSION = 'application/vnd.dev.sigstore.bundle';
const SHA256_BYTES = 32;
/** `HASH_ALGORITHM` 1 (sigstore_common.proto): JSON of protocol buffers names a value of an enumeration, or numbers it. */
const SHA2_256: readonly unknown[] = ['SHA2_256', 1];
/** The members of `Bundle` (sigstore_bundle.proto). */
const FIELDS = ['mediaType', 'verificationMaterial', 'messageSignature', 'dsseEnvelope'];

const snakeOf = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Returns a field by either of its names, `messageDigest` or `message_digest` (ProtoJSON format, "Field names"). */
const fieldOf = (value: unknown, name: string): unknown =>
  memberOf(value, name) ?? memberOf(value, snakeOf(name));

/** True for a document that says of itself that it is a Sigstore bundle, or a bundle of cosign 2. */
export const isBundle = (value: unknown): boolean =>
  textOf(fieldOf(value, 'mediaType'))?.startsWith(ANY_VERSION) === true ||
  typeof memberOf(value, 'base64Signature') === 'string';

/**
 * Parses the bundle of a file's signature by a key: a Sigstore bundle with a `messageSignature` (sigstore_bundle.proto,
 * sigstore_common.proto), or what `cosign sign-blob --bundle` wrote before cosign 3. The entries of the transparency log
 * in it are ignored, and keys and certificates too. Never throws.
 */
export const parseBlobBundle = (bytes: Uint8Array): Parsed => {
  const parsed = parseStrictJson(bytes);
  if (!parsed.ok) return { problem: `cannot be read: ${parsed.problem}` };
  const bundle = parsed.value;
  if (!isBundle(bundle)) return { problem: 'is JSON, but not a Sigstore bundle' };
  const old = memberOf(bundle, 'base64Signature');
  if (old !== undefined) return signatureOf({ signature: old });
  if (!VERSIONS.test(textOf(fieldOf(bundle, 'mediaType')) ?? ''))
    return { problem: 'is of another version than 0.1 to 0.3' };
  return findNameProblem(bundle) ?? findContentProblem(bundle) ?? parseMessage(bundle);
};

/** True for an object that has a field under both of its names: parsers disagree on which counts. */
const hasFieldTwice = (value: unknown): boolean =>
  isJsonObject(value) &&
  Object.keys(value).some((name) => snakeOf(name) !== name && Object.hasOwn(value, snakeOf(name)));

/** Returns the problem if a bundle has a member that it does not define, as cosign refuses it, or a field twice. */
const findNameProblem = (bundle: unknown): { readonly problem: string } | undefined => {
  const names = isJsonObject(bundle) ? Object.keys(bundle) : [];
  const unknown = names.find((name) => !FIELDS.some((field) => name === field || name === snakeOf(field)));
  if (unknown !== undefined) return { problem: `has an unknown member ${quoted(unknown, 60)}` };
  const [material, message] = ['verificationMaterial', 'messageSignature'].map((name) =>
    fieldOf(bundle, name),
  );
  return [bundle, material, message].some(hasFieldTwice)
    ? { problem: 'has a field under both of its names' }
    : undefined;
};

/** Returns the problem if a bundle holds anything but one signature of a file by a key (its two `oneof`). */
const findContentProblem = (bundle: unknown): { readonly problem: string } | undefined => {
  const material = fieldOf(bundle, 'verificationMaterial');
  if (fieldOf(bundle, 'dsseEnvelope') !== undefined)
    return {
      problem:
        'holds a DSSE envelope, the signature of an image or an attestation, not the signature of a file',
    };
  if (['certificate', 'x509CertificateChain'].some((name) => fieldOf(material, name) !== undefined))
    return { problem: 'was signed with a certificate (keyless); only signatures by a key are verified' };
  if (!isJsonObject(fieldOf(material, 'publicKey'))) return { problem: 'names no public key' };
  return isJsonObject(fieldOf(bundle, 'messageSignature')) ? undefined : { problem: 'holds no signature' };
};

const parseMessage = (bundle: unknown): Parsed => {
  const message = fieldOf(bundle, 'messageSignature');
  const digest = fieldOf(message, 'messageDigest');
  const algorithm = fieldOf(digest, 'algorithm');
  if (!SHA2_256.includes(algorithm))
    return {
      problem: `is over a digest of ${oneLine(textOf(algorithm) ?? 'no algorithm', 20)}, not of SHA2_256`,
    };
  const sha256 = parseBase64(textOf(fieldOf(digest, 'digest')) ?? '');
  if (sha256?.length !== SHA256_BYTES) return { problem: 'has no SHA-256 of the file in base64' };
  const key = fieldOf(fieldOf(bundle, 'verificationMaterial'), 'publicKey');
  const keyHint = textOf(fieldOf(key, 'hint'));
  return signatureOf({ signature: fieldOf(message, 'signature'), sha256, keyHint });
};

const signatureOf = ({
  signature: text,
  sha256,
  keyHint,
}: { readonly signature: unknown } & Partial<Omit<BlobBundle, 'signature'>>): Parsed => {
  const signature = typeof text === 'string' ? parseBase64(text) : undefined;
  return signature === undefined || signature.length === 0
    ? { problem: 'has no signature in standard base64' }
    : { signature, sha256, keyHint };
};
