import { isJsonObject, memberOf, textOf } from '../../base/index.ts';
import { type Digest, parseDigest } from '../../image/index.ts';
import { isStrictSignature } from '../ecdsa.ts';
import { parseBase64 } from '../encoding/base64.ts';
import { parseStrictJson } from '../encoding/strict-json.ts';
import type { UnreadForm } from '../verification.ts';
import type { Claims } from './candidate.ts';

/** The spellings of version 0.3 (sigstore/protobuf-specs, sigstore_bundle.proto, `media_type`). */
const VERSIONS: readonly unknown[] = [
  'application/vnd.dev.sigstore.bundle.v0.3+json',
  'application/vnd.dev.sigstore.bundle+json;version=0.3',
];
/** The alternatives to `publicKey` (sigstore_bundle.proto, `VerificationMaterial.content`). */
const CERTIFICATES = ['certificate', 'x509CertificateChain'] as const;
/** The versions before, which cosign does not read of images either. */
const OLD_VERSIONS = /^application\/vnd\.dev\.sigstore\.bundle(?:\+json;version=0\.[12]|\.v0\.[12]\+json)$/;
const STATEMENT = 'application/vnd.in-toto+json';
const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
const SIGN_PREDICATE = 'https://sigstore.dev/cosign/sign/v1';
/** The limit of sigstore-go (pkg/verify, `maxAllowedSubjects`). */
const MAX_SUBJECTS = 1024;

/** The parsed DSSE envelope of a bundle. Its signature is not verified. */
export interface Envelope {
  readonly payload: Buffer;
  readonly payloadType: string;
  /** DER. */
  readonly signature: Buffer;
  /** `verificationMaterial.tlogEntries`. */
  readonly entries: readonly unknown[];
}

/** `foreign`: not signed by a key for an image; `problem`: it should be, and is malformed. */
type Parsed<T> = T | Foreign | { readonly problem: string };

interface Foreign {
  readonly foreign: true;
  readonly unread?: UnreadForm | undefined;
}

const FOREIGN = { foreign: true } as const;

/**
 * Parses a Sigstore bundle v0.3 that holds a DSSE envelope signed with a key (sigstore/protobuf-specs,
 * sigstore_bundle.proto; DSSE, envelope.md). Exactly one signature, in DER.
 */
export const parseBundle = (bytes: Uint8Array): Parsed<Envelope> => {
  const parsed = parseStrictJson(bytes);
  if (!parsed.ok) return { problem: `the bundle cannot be read: ${parsed.problem}` };
  const bundle = parsed.value;
  const material = memberOf(bundle, 'verificationMaterial');
  const envelope = memberOf(bundle, 'dsseEnvelope');
  const isKeySigned = isJsonObject(memberOf(material, 'publicKey')) && isJsonObject(envelope);
  if (!VERSIONS.includes(memberOf(bundle, 'mediaType')) || !isKeySigned) return foreignOf(bundle);
  // Each `oneof` of the specification has one member: parsers disagree on a bundle with two.
  const alternatives = [
    ...CERTIFICATES.map((name) => memberOf(material, name)),
    memberOf(bundle, 'messageSignature'),
  ];
  if (alternatives.some((alternative) => alternative !== undefined)) return foreignOf(bundle);
  if (memberOf(envelope, 'payloadType') !== STATEMENT) return FOREIGN;
  const entries = memberOf(material, 'tlogEntries') ?? [];
  if (!Array.isArray(entries)) return { problem: 'the "tlogEntries" of the bundle are not a list' };
  if (!entries.every(isJsonObject)) return { problem: 'one of the "tlogEntries" of the bundle is no entry' };
  return parseEnvelope(envelope, entries);
};

/** Names the signature of an image that is not read: whoever made it expects it to count. */
const foreignOf = (bundle: unknown): Foreign => {
  const payload = decode(memberOf(memberOf(bundle, 'dsseEnvelope'), 'payload'));
  const statement = payload && parseStrictJson(payload);
  const isSignature = statement?.ok === true && memberOf(statement.value, 'predicateType') === SIGN_PREDICATE;
  if (!isSignature) return FOREIGN;
  const material = memberOf(bundle, 'verificationMaterial');
  if (CERTIFICATES.some((name) => memberOf(material, name) !== undefined))
    return { foreign: true, unread: 'keyless' };
  const isOld = OLD_VERSIONS.test(textOf(memberOf(bundle, 'mediaType')) ?? '');
  return isOld ? { foreign: true, unread: 'old-bundle' } : FOREIGN;
};

const parseEnvelope = (envelope: unknown, entries: readonly unknown[]): Parsed<Envelope> => {
  const signatures = memberOf(envelope, 'signatures');
  if (!Array.isArray(signatures) || signatures.length !== 1)
    return { problem: 'the envelope does not have exactly one signature' };
  const payload = decode(memberOf(envelope, 'payload'));
  if (payload === undefined) return { problem: 'the payload of the envelope is not standard base64' };
  const signature = decode(memberOf(signatures[0], 'sig'));
  if (signature === undefined) return { problem: 'the signature is not standard base64' };
  if (!isStrictSignature(signature)) return { problem: 'the signature is not a DER-encoded ECDSA signature' };
  return { payload, payloadType: STATEMENT, signature, entries };
};

const decode = (value: unknown): Buffer | undefined =>
  typeof value === 'string' ? parseBase64(value) : undefined;

/**
 * Returns the bytes that an envelope's signature covers: its pre-authentication encoding (DSSE, protocol.md, "PAE").
 */
export const signedBytesOf = ({ payload, payloadType }: Envelope): Buffer =>
  Buffer.concat([
    Buffer.from(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `),
    payload,
  ]);

/**
 * Parses the digests of the images that a statement says are signed (in-toto, Statement v1; cosign's predicate
 * `sign/v1`, which cosign 3.0.4 leaves out and later versions leave empty). A statement with another predicate is an
 * attestation.
 */
export const parseStatement = (payload: Uint8Array): Claims => {
  const parsed = parseStrictJson(payload);
  if (!parsed.ok) return { problem: `the signed statement cannot be read: ${parsed.problem}` };
  const statement = parsed.value;
  const predicateType = memberOf(statement, 'predicateType');
  const subjects = memberOf(statement, 'subject');
  if (typeof predicateType === 'string' && predicateType !== SIGN_PREDICATE) return FOREIGN;
  if (memberOf(statement, '_type') !== STATEMENT_TYPE || predicateType !== SIGN_PREDICATE)
    return { problem: 'the signed statement is not an in-toto Statement v1 of an image signature' };
  if (!isJsonObject(memberOf(statement, 'predicate') ?? {}))
    return { problem: 'the predicate of the signed statement is not an object' };
  if (!Array.isArray(subjects) || subjects.length > MAX_SUBJECTS)
    return { problem: `the signed statement has no list of at most ${MAX_SUBJECTS} subjects` };
  if (!subjects.every(isSubject)) return { problem: 'a subject of the signed statement is malformed' };
  const [first, ...others] = subjects.flatMap((subject) => digestOfSubject(subject) ?? []);
  if (first === undefined) return { problem: 'the signed statement names no sha256 digest' };
  return { digests: [first, ...others], signedReference: undefined };
};

const isText = (value: unknown): boolean => typeof value === 'string';

/** True for a subject that protojson reads (in-toto, `ResourceDescriptor`): one that is malformed spoils the statement. */
const isSubject = (value: unknown): boolean => {
  const digests = memberOf(value, 'digest') ?? {};
  return (
    isJsonObject(value) &&
    isJsonObject(digests) &&
    Object.values(digests).every(isText) &&
    isJsonObject(memberOf(value, 'annotations') ?? {})
  );
};

const digestOfSubject = (subject: unknown): Digest | undefined => {
  const hex = memberOf(memberOf(subject, 'digest'), 'sha256');
  return typeof hex === 'string' ? parseDigest(`sha256:${hex}`) : undefined;
};
