import { isJsonObject, memberOf, oneLine, textOf } from '../base/index.ts';
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

/** True for a document that says of itself that it is a Sigstore bundle, or a bundle of cosign 2. */
export const isBundle = (value: unknown): boolean =>
  textOf(memberOf(value, 'mediaType'))?.startsWith(ANY_VERSION) === true ||
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
  if (!VERSIONS.test(textOf(memberOf(bundle, 'mediaType')) ?? ''))
    return { problem: 'is of another version than 0.1 to 0.3' };
  return findContentProblem(bundle) ?? parseMessage(bundle);
};

/** Returns the problem if a bundle holds anything but one signature of a file by a key (its two `oneof`). */
const findContentProblem = (bundle: unknown): { readonly problem: string } | undefined => {
  const material = memberOf(bundle, 'verificationMaterial');
  if (memberOf(bundle, 'dsseEnvelope') !== undefined)
    return {
      problem:
        'holds a DSSE envelope, the signature of an image or an attestation, not the signature of a file',
    };
  if (['certificate', 'x509CertificateChain'].some((name) => memberOf(material, name) !== undefined))
    return { problem: 'was signed with a certificate (keyless); only signatures by a key are verified' };
  if (!isJsonObject(memberOf(material, 'publicKey'))) return { problem: 'names no public key' };
  return isJsonObject(memberOf(bundle, 'messageSignature')) ? undefined : { problem: 'holds no signature' };
};

const parseMessage = (bundle: unknown): Parsed => {
  const message = memberOf(bundle, 'messageSignature');
  const digest = memberOf(message, 'messageDigest');
  const algorithm = memberOf(digest, 'algorithm');
  if (algorithm !== 'SHA2_256')
    return {
      problem: `is over a digest of ${oneLine(textOf(algorithm) ?? 'no algorithm', 20)}, not of SHA2_256`,
    };
  const sha256 = parseBase64(textOf(memberOf(digest, 'digest')) ?? '');
  if (sha256?.length !== SHA256_BYTES) return { problem: 'has no SHA-256 of the file in base64' };
  const key = memberOf(memberOf(bundle, 'verificationMaterial'), 'publicKey');
  const keyHint = textOf(memberOf(key, 'hint'));
  return signatureOf({ signature: memberOf(message, 'signature'), sha256, keyHint });
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
