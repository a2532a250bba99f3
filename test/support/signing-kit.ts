import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type Digest, digestOf } from '../../src/image/index.ts';

/*
 * Makes keys, images and signatures in the wire format that cosign 2 writes. Pure: the results are bytes, which a test
 * pushes to any target.
 */

interface Blob {
  readonly digest: Digest;
  readonly bytes: Buffer;
}

/** A manifest or index, with the blobs and manifests that must be pushed before it. */
export interface Artifact {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly blobs: readonly Blob[];
  readonly children: readonly Artifact[];
}

export interface Signer {
  readonly publicPem: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** One layer of a `.sig` manifest. `annotations` and the declared members may be wrong. */
export interface SignatureLayer {
  readonly payload: Buffer;
  readonly mediaType: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly declaredDigest?: string;
  readonly declaredSize?: number;
}

/** Defects of a signature. A verifier must refuse a signature with any of them. */
export type SignatureDefect =
  | 'other-digest'
  | 'other-type'
  | 'upper-case-digest'
  | 'duplicate-keys'
  | 'not-json'
  | 'bad-base64'
  | 'url-safe-base64'
  | 'flipped-bit'
  | 'der-trailing-byte'
  | 'der-long-length'
  | 'p1363'
  | 'empty-signature'
  | 'no-annotation'
  | 'foreign-media-type';

const OCI = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;
const DOCKER = {
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  index: 'application/vnd.docker.distribution.manifest.list.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const;

export const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
const SIGNATURE_ANNOTATION = 'dev.cosignproject.cosign/signature';
const OTHER_DIGEST = digestOf('another image');

/** A blob with this content. */
export const blobOf = (content: string | Buffer): Blob => {
  const bytes = Buffer.from(content);
  return { digest: digestOf(bytes), bytes };
};

/** A manifest or index of this document. */
export const artifactOf = (
  mediaType: string,
  document: unknown,
  blobs: readonly Blob[],
  children: readonly Artifact[] = [],
) => {
  const bytes = Buffer.from(JSON.stringify(document));
  return { digest: digestOf(bytes), mediaType, bytes, blobs, children } satisfies Artifact;
};

/** Generates a key pair. */
export const createSigner = (curve = 'P-256'): Signer => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: curve });
  return { publicKey, privateKey, publicPem: publicKey.export({ type: 'spki', format: 'pem' }) };
};

export interface ImageOptions {
  readonly docker?: boolean;
  readonly architecture?: string;
  /** Members of the configuration's `config`: `Entrypoint`, `Cmd`. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Bytes in place of the configuration. */
  readonly configuration?: Buffer;
}

/** A single-platform image with a real config and one real layer. Another `seed` gives another digest. */
export const imageManifest = (seed: string, options: ImageOptions = {}): Artifact => {
  const types = options.docker === true ? DOCKER : OCI;
  const layer = blobOf(gzipSync(Buffer.from(`layer of ${seed}`)));
  const config = blobOf(
    options.configuration ??
      JSON.stringify({
        architecture: options.architecture ?? 'amd64',
        os: 'linux',
        config: { Labels: { seed }, ...options.config },
        rootfs: { type: 'layers', diff_ids: [digestOf(`layer of ${seed}`)] },
      }),
  );
  const descriptor = (mediaType: string, blob: Blob) => ({
    mediaType,
    digest: blob.digest,
    size: blob.bytes.length,
  });
  return artifactOf(
    types.manifest,
    {
      schemaVersion: 2,
      mediaType: types.manifest,
      config: descriptor(types.config, config),
      layers: [descriptor(types.layer, layer)],
    },
    [config, layer],
  );
};

/** One entry of an index: a manifest, and what its descriptor says besides its type, digest and size. */
export interface IndexEntry {
  readonly manifest: Artifact;
  readonly descriptor: Readonly<Record<string, unknown>>;
}

/** An index over these manifests. */
export const indexOf = (entries: readonly IndexEntry[], docker = false): Artifact => {
  const mediaType = docker ? DOCKER.index : OCI.index;
  const manifests = entries.map(({ manifest, descriptor }) => ({
    mediaType: manifest.mediaType,
    digest: manifest.digest,
    size: manifest.bytes.length,
    ...descriptor,
  }));
  const children = entries.map(({ manifest }) => manifest);
  return artifactOf(mediaType, { schemaVersion: 2, mediaType, manifests }, [], children);
};

/** A multi-platform image: an index over an amd64 and an arm64 child. */
export const imageIndex = (seed: string, options: ImageOptions = {}): Artifact => {
  const entries = (['amd64', 'arm64'] as const).map((architecture) => ({
    manifest: imageManifest(`${seed} ${architecture}`, { ...options, architecture }),
    descriptor: { platform: { architecture, os: 'linux' } },
  }));
  return indexOf(entries, options.docker);
};

/** The repository as cosign spells it in a payload: Docker Hub is `index.docker.io`. */
export const cosignName = (repository: string): string =>
  repository.replace(/^docker\.io\//, 'index.docker.io/');

/** The bytes that cosign signs. `repository` is written unchanged: see {@link cosignName}. */
export const simpleSigningPayload = (
  repository: string,
  digest: string,
  changes: { readonly type?: string; readonly optional?: Readonly<Record<string, string>> } = {},
): Buffer =>
  Buffer.from(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': repository },
        image: { 'docker-manifest-digest': digest },
        type: changes.type ?? 'cosign container image signature',
      },
      optional: changes.optional ?? null,
    }),
  );

/** Signs the bytes with ECDSA and SHA-256. */
export const signBytes = (
  signer: Signer,
  bytes: Uint8Array,
  encoding: 'der' | 'ieee-p1363' = 'der',
): Buffer => createSign('sha256').update(bytes).sign({ key: signer.privateKey, dsaEncoding: encoding });

const payloadSpoils: Partial<Record<SignatureDefect, (repository: string, digest: string) => Buffer>> = {
  'other-digest': (repository) => simpleSigningPayload(repository, OTHER_DIGEST),
  'other-type': (repository, digest) =>
    simpleSigningPayload(repository, digest, { type: 'atomic container signature' }),
  'upper-case-digest': (repository, digest) =>
    simpleSigningPayload(repository, `sha256:${digest.slice(7).toUpperCase()}`),
  'duplicate-keys': (repository, digest) =>
    Buffer.from(
      simpleSigningPayload(repository, digest)
        .toString()
        .replace('{"critical":', '{"critical":{},"critical":'),
    ),
  'not-json': () => Buffer.from('this is no JSON'),
};

export const flipLastBit = (der: Buffer): Buffer =>
  Buffer.concat([der.subarray(0, -1), Buffer.of((der.at(-1) ?? 0) ^ 1)]);

const signatureSpoils: Partial<
  Record<SignatureDefect, (der: Buffer, signer: Signer, payload: Buffer) => string>
> = {
  'bad-base64': (der) => der.toString('base64').replace(/^.{20}/, '$&!'),
  'url-safe-base64': (der) => der.toString('base64url'),
  'flipped-bit': (der) => flipLastBit(der).toString('base64'),
  'der-trailing-byte': (der) => Buffer.concat([der, Buffer.of(0)]).toString('base64'),
  'der-long-length': (der) => Buffer.concat([Buffer.of(0x30, 0x81), der.subarray(1)]).toString('base64'),
  p1363: (_der, signer, payload) => signBytes(signer, payload, 'ieee-p1363').toString('base64'),
  'empty-signature': () => '',
};

/** One signature of an image, as a layer for {@link signatureManifest}. */
export const sign = (
  signer: Signer,
  repository: string,
  digest: string,
  options: {
    readonly spoil?: SignatureDefect;
    readonly payload?: Buffer;
    readonly annotations?: Readonly<Record<string, string>>;
  } = {},
): SignatureLayer => {
  const { spoil } = options;
  const name = cosignName(repository);
  const payload =
    options.payload ?? (spoil && payloadSpoils[spoil]?.(name, digest)) ?? simpleSigningPayload(name, digest);
  const der = signBytes(signer, payload);
  const text = (spoil && signatureSpoils[spoil]?.(der, signer, payload)) ?? der.toString('base64');
  const signature = { [SIGNATURE_ANNOTATION]: text };
  return {
    payload,
    mediaType: spoil === 'foreign-media-type' ? 'text/plain' : SIMPLE_SIGNING,
    annotations: { ...(spoil === 'no-annotation' ? {} : signature), ...options.annotations },
  };
};

/** The tag under which cosign stores an image's signatures. */
export const signatureTag = (digest: string): string => `${digest.replace(':', '-')}.sig`;

/** The manifest of that tag, in cosign's wire format: one layer per signature, and the constant config document. */
export const signatureManifest = (
  layers: readonly SignatureLayer[],
  options: { readonly docker?: boolean } = {},
): Artifact => {
  const types = options.docker === true ? DOCKER : OCI;
  const payloads = layers.map((layer) => blobOf(layer.payload));
  const config = blobOf(
    JSON.stringify({
      architecture: '',
      created: '0001-01-01T00:00:00Z',
      history: layers.map(() => ({ created: '0001-01-01T00:00:00Z' })),
      os: '',
      rootfs: { type: 'layers', diff_ids: payloads.map(({ digest }) => digest) },
      config: {},
    }),
  );
  const document = {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { mediaType: types.config, size: config.bytes.length, digest: config.digest },
    layers: layers.map((layer) => ({
      mediaType: layer.mediaType,
      size: layer.declaredSize ?? layer.payload.length,
      digest: layer.declaredDigest ?? digestOf(layer.payload),
      annotations: layer.annotations,
    })),
  };
  return artifactOf(types.manifest, document, [config, ...payloads]);
};

/** The target of a push: a registry server, a layout, or a store in memory. */
export interface PushTarget {
  pushBlob(repository: string, bytes: Uint8Array): unknown;
  pushManifest(repository: string, tag: string | undefined, bytes: Uint8Array, mediaType: string): unknown;
}

/** Pushes blobs, then children, then the artifact itself under its digest and `tag`. Returns its digest. */
export const push = (target: PushTarget, repository: string, artifact: Artifact, tag?: string): Digest => {
  for (const blob of artifact.blobs) target.pushBlob(repository, blob.bytes);
  for (const child of artifact.children) push(target, repository, child);
  target.pushManifest(repository, tag, artifact.bytes, artifact.mediaType);
  return artifact.digest;
};

/** Pushes an image's signatures under its signature tag. Returns the digest of their manifest. */
export const pushSignatures = (
  target: PushTarget,
  repository: string,
  digest: string,
  layers: readonly SignatureLayer[],
): Digest => push(target, repository, signatureManifest(layers), signatureTag(digest));
