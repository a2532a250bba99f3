import { createHash } from 'node:crypto';
import { type Digest, digestOf } from '../../src/image/index.ts';
import {
  type Artifact,
  artifactOf,
  blobOf,
  flipLastBit,
  type PushTarget,
  push,
  type Signer,
  signBytes,
} from './signing-kit.ts';

/*
 * Makes Sigstore bundles and the manifests that hold them as cosign 3 writes them: DSSE over an in-toto statement,
 * pushed as a referrer of the image.
 */

const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
const SIGN_PREDICATE = 'https://sigstore.dev/cosign/sign/v1';

/** Defects of a bundle. A verifier must not count a bundle with any of them. */
export type BundleDefect =
  | 'two-signatures'
  | 'no-signature'
  | 'other-payload-type'
  | 'other-predicate'
  | 'other-statement-type'
  | 'predicate-no-object'
  | 'no-subject'
  | 'upper-case-digest'
  | 'sha512-only'
  | 'certificate'
  | 'certificate-beside'
  | 'message-signature'
  | 'message-signature-beside'
  | 'other-version'
  | 'signed-without-pae'
  | 'flipped-bit'
  | 'p1363'
  | 'der-trailing-byte'
  | 'bad-base64'
  | 'duplicate-keys'
  | 'duplicate-keys-signed'
  | 'not-json'
  | 'statement-not-json';

/** The bytes a DSSE signature is over (DSSE, protocol.md). */
export const paeOf = (payloadType: string, payload: Uint8Array): Buffer =>
  Buffer.concat([
    Buffer.from(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `),
    payload,
  ]);

interface StatementOptions {
  readonly spoil?: BundleDefect | undefined;
  /** Digests of other subjects, listed before the image's. */
  readonly otherSubjects?: readonly string[];
  /** Leaves out `predicate`, as cosign 3.0.4 did. */
  readonly withoutPredicate?: boolean;
  readonly annotations?: Readonly<Record<string, string>>;
}

const subjectsOf = (digest: string, { spoil, otherSubjects = [], annotations = {} }: StatementOptions) => {
  const hex = digest.slice('sha256:'.length);
  if (spoil === 'no-subject') return [];
  if (spoil === 'sha512-only') return [{ digest: { sha512: hex.repeat(2) }, annotations }];
  const named = spoil === 'upper-case-digest' ? hex.toUpperCase() : hex;
  const others = otherSubjects.map((other) => ({ digest: { sha256: other.slice('sha256:'.length) } }));
  return [...others, { digest: { sha256: named }, annotations }];
};

/** The in-toto statement that cosign 3 signs for an image. */
export const signStatement = (digest: string, options: StatementOptions = {}): Buffer => {
  const { spoil } = options;
  if (spoil === 'statement-not-json') return Buffer.from('this is no statement');
  const statement = JSON.stringify({
    _type: spoil === 'other-statement-type' ? 'https://in-toto.io/Statement/v0.1' : STATEMENT_TYPE,
    subject: subjectsOf(digest, options),
    predicateType: spoil === 'other-predicate' ? 'https://slsa.dev/provenance/v1' : SIGN_PREDICATE,
    ...(options.withoutPredicate === true ? {} : { predicate: spoil === 'predicate-no-object' ? [] : {} }),
  });
  return Buffer.from(
    spoil === 'duplicate-keys-signed' ? statement.replace('{"_type":', '{"_type":"x","_type":') : statement,
  );
};

const signatureOf = (signer: Signer, payload: Buffer, payloadType: string, spoil?: BundleDefect): string => {
  const message = spoil === 'signed-without-pae' ? payload : paeOf(payloadType, payload);
  const der = signBytes(signer, message, spoil === 'p1363' ? 'ieee-p1363' : 'der');
  if (spoil === 'flipped-bit') return flipLastBit(der).toString('base64');
  if (spoil === 'der-trailing-byte') return Buffer.concat([der, Buffer.of(0)]).toString('base64');
  if (spoil === 'bad-base64') return der.toString('base64').replace(/^.{20}/, '$&!');
  return der.toString('base64');
};

const materialOf = (
  signer: Signer,
  spoil: BundleDefect | undefined,
  entries: readonly unknown[] | undefined,
) => {
  const spki = signer.publicKey.export({ type: 'spki', format: 'der' });
  const publicKey = { hint: createHash('sha256').update(spki).digest('base64') };
  const certificate = { rawBytes: spki.toString('base64') };
  return {
    ...(spoil === 'certificate' ? {} : { publicKey }),
    ...(spoil?.startsWith('certificate') === true ? { certificate } : {}),
    ...(entries === undefined ? {} : { tlogEntries: entries }),
  };
};

export interface BundleOptions extends StatementOptions {
  /** The payload, if it is not the statement. */
  readonly payload?: Buffer;
  /** `verificationMaterial.tlogEntries`. */
  readonly entries?: readonly unknown[];
}

/** A bundle of one signature of an image, as JSON. */
export const bundleOf = (signer: Signer, digest: string, options: BundleOptions = {}): Buffer => {
  const { spoil, entries } = options;
  if (spoil === 'not-json') return Buffer.from('{"mediaType":');
  const payload = options.payload ?? signStatement(digest, options);
  const payloadType = spoil === 'other-payload-type' ? 'application/vnd.cosign+json' : PAYLOAD_TYPE;
  const signature = { sig: signatureOf(signer, payload, payloadType, spoil) };
  const signatures =
    spoil === 'two-signatures' ? [signature, signature] : spoil === 'no-signature' ? [] : [signature];
  const messageSignature = {
    messageDigest: { algorithm: 'SHA2_256', digest: Buffer.from(digest.slice(7), 'hex').toString('base64') },
    signature: signBytes(signer, Buffer.from(digest)).toString('base64'),
  };
  const bundle = JSON.stringify({
    mediaType: spoil === 'other-version' ? BUNDLE_TYPE.replace('0.3', '0.4') : BUNDLE_TYPE,
    verificationMaterial: materialOf(signer, spoil, entries),
    ...(spoil?.startsWith('message-signature') === true ? { messageSignature } : {}),
    ...(spoil === 'message-signature'
      ? {}
      : { dsseEnvelope: { payload: payload.toString('base64'), payloadType, signatures } }),
  });
  return Buffer.from(
    spoil === 'duplicate-keys' ? bundle.replace('{"mediaType":', '{"mediaType":"x","mediaType":') : bundle,
  );
};

export interface BundleManifestOptions {
  /** No `artifactType` if null. */
  readonly artifactType?: string | null;
  readonly layerType?: string;
  readonly declaredSize?: number;
  readonly declaredDigest?: string;
  /** The number of times that the layer is listed. */
  readonly layers?: number;
  /** Another time gives another manifest for the same bundle. */
  readonly created?: string;
  /** No `subject` if false: the manifest refers to nothing. */
  readonly subject?: false;
}

/** The manifest that holds a bundle and refers to the image, in cosign 3's wire format. */
export const bundleManifest = (
  bundle: Buffer,
  digest: string,
  options: BundleManifestOptions = {},
): Artifact => {
  const { artifactType = BUNDLE_TYPE, layerType = BUNDLE_TYPE, layers = 1 } = options;
  const empty = blobOf('{}');
  const layer = {
    mediaType: layerType,
    size: options.declaredSize ?? bundle.length,
    digest: options.declaredDigest ?? digestOf(bundle),
  };
  const document = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: {
      mediaType: 'application/vnd.oci.empty.v1+json',
      size: empty.bytes.length,
      digest: empty.digest,
      ...(artifactType === null ? {} : { artifactType }),
    },
    layers: Array.from({ length: layers }, () => layer),
    annotations: {
      'dev.sigstore.bundle.content': 'dsse-envelope',
      'dev.sigstore.bundle.predicateType': SIGN_PREDICATE,
      'org.opencontainers.image.created': options.created ?? '2026-11-22T09:00:07Z',
    },
    ...(options.subject === false ? {} : { subject: { mediaType: OCI_MANIFEST, size: 400, digest } }),
    ...(artifactType === null ? {} : { artifactType }),
  };
  return artifactOf(OCI_MANIFEST, document, [empty, blobOf(bundle)]);
};

/** Pushes a bundle as a referrer of an image. Returns its manifest. */
export const pushBundle = (
  target: PushTarget,
  repository: string,
  digest: string,
  bundle: Buffer,
  options: BundleManifestOptions = {},
): Artifact => {
  const manifest = bundleManifest(bundle, digest, options);
  push(target, repository, manifest);
  return manifest;
};

/**
 * The tag whose index lists an image's referrers if the registry has no referrers API (distribution-spec 1.1,
 * "Referrers Tag Schema").
 */
export const fallbackTag = (digest: string): string => digest.replace(':', '-');

/**
 * Pushes the index of that tag as the libraries of cosign 3.0 write it: by default `artifactType` is the config's media
 * type, which is wrong.
 */
export const pushFallbackIndex = (
  target: PushTarget,
  repository: string,
  digest: string,
  manifests: readonly Artifact[],
  artifactType = 'application/vnd.oci.empty.v1+json',
): Digest =>
  push(
    target,
    repository,
    artifactOf(
      OCI_INDEX,
      {
        schemaVersion: 2,
        mediaType: OCI_INDEX,
        manifests: manifests.map(({ mediaType, bytes, digest: of }) => ({
          mediaType,
          size: bytes.length,
          digest: of,
          artifactType,
        })),
      },
      [],
    ),
    fallbackTag(digest),
  );
