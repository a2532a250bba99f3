import { isJsonObject, memberOf, textOf } from '../../base/index.ts';
import { type Digest, digestOf, parseDigest } from '../../image/index.ts';
import type { Manifest } from '../../registry/index.ts';
import { parseStrictJson } from '../encoding/strict-json.ts';
import type { Claims } from './candidate.ts';

/*
 * cosign's format before bundles: the manifest under a tag beside the image has one layer for each signature. The layer
 * is the signed payload; an annotation of its descriptor contains the signature (cosign, specs/SIGNATURE_SPEC.md).
 */

/** The media type of a layer that is a signed payload. */
export const SIGNATURE_LAYER = 'application/vnd.dev.cosign.simplesigning.v1+json';
const IMAGE_MANIFESTS: readonly unknown[] = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
/** It has no layers, and so no signatures for cosign either. */
const ARTIFACT_MANIFEST = 'application/vnd.oci.artifact.manifest.v1+json';
/** The limit of cosign (pkg/oci/remote, `maxLayers`), which reads no signature manifest with more layers. */
const MAX_LAYERS = 1000;
const SIGNATURE = 'dev.cosignproject.cosign/signature';
const LOG_BUNDLE = 'dev.sigstore.cosign/bundle';
const SIGNED_TYPE = 'cosign container image signature';

/** A layer whose media type is that of a signature. Nothing of it is verified. */
export interface SignatureLayer {
  readonly digest: Digest | undefined;
  readonly size: unknown;
  readonly signature: string | undefined;
  readonly logBundle: string | undefined;
}

/** Returns the tag of an image's signature manifest: `sha256-<hex>.sig`. */
export const signatureTag = (digest: Digest): string => `${digest.replace(':', '-')}.sig`;

/** Quotes untrusted text so that it fits in one line. */
const quote = (text: string): string => JSON.stringify(text.slice(0, 60));

const layerOf = (layer: unknown): SignatureLayer => {
  const annotations = memberOf(layer, 'annotations');
  return {
    digest: parseDigest(textOf(memberOf(layer, 'digest')) ?? ''),
    size: memberOf(layer, 'size'),
    signature: textOf(memberOf(annotations, SIGNATURE)),
    logBundle: textOf(memberOf(annotations, LOG_BUNDLE)),
  };
};

/**
 * Parses the signature layers of a signature manifest, in its order, without layers of other media types. Returns a
 * `problem` if it is not an image manifest.
 */
export const parseSignatureManifest = (
  manifest: Manifest,
): { readonly layers: readonly SignatureLayer[] } | { readonly problem: string } => {
  const parsed = parseStrictJson(manifest.bytes);
  if (!parsed.ok) return { problem: `the signature manifest cannot be read: ${parsed.problem}` };
  const mediaType = memberOf(parsed.value, 'mediaType') ?? manifest.mediaType;
  if (mediaType === ARTIFACT_MANIFEST) return { layers: [] };
  const layers = memberOf(parsed.value, 'layers') ?? [];
  if (!IMAGE_MANIFESTS.includes(mediaType) || !Array.isArray(layers))
    return { problem: 'the signature tag does not point to an image manifest' };
  if (layers.length > MAX_LAYERS)
    return {
      problem: `the signature manifest has ${layers.length} layers; cosign reads at most ${MAX_LAYERS}`,
    };
  return { layers: layers.filter((layer) => memberOf(layer, 'mediaType') === SIGNATURE_LAYER).map(layerOf) };
};

/**
 * Parses the signed bytes (containers/image, docs/containers-signature.5.md, "critical"). The content of `optional` is
 * ignored.
 */
export const parsePayload = (bytes: Uint8Array): Claims => {
  const parsed = parseStrictJson(bytes);
  if (!parsed.ok) return { problem: `the signed payload cannot be read: ${parsed.problem}` };
  const critical = memberOf(parsed.value, 'critical');
  if (!isJsonObject(critical)) return { problem: 'the signed payload has no "critical" object' };
  const type = textOf(memberOf(critical, 'type'));
  const signed = textOf(memberOf(memberOf(critical, 'image'), 'docker-manifest-digest'));
  const signedReference = textOf(memberOf(memberOf(critical, 'identity'), 'docker-reference'));
  const digest = parseDigest(signed ?? '');
  if (type !== SIGNED_TYPE) return { problem: `the signed payload is of type ${quote(type ?? 'none')}` };
  if (digest === undefined)
    return { problem: `the signed payload names no digest: ${quote(signed ?? 'none')}` };
  if (signedReference === undefined) return { problem: 'the signed payload has no "docker-reference"' };
  if (!isJsonObject(memberOf(parsed.value, 'optional') ?? {}))
    return { problem: 'the "optional" of the signed payload is not an object' };
  return { digests: [digest], signedReference };
};

/**
 * Rebuilds, by digest, the payloads that cosign signs if it is given no annotations: a fixed text with the repository
 * and the digest of the image. A layer with such a digest need not be fetched. `names` are repositories in normal form.
 */
export const rebuildPayloads = (names: readonly string[], digest: Digest): ReadonlyMap<string, Buffer> =>
  new Map(
    names.map((name) => {
      const reference = name.replace(/^docker\.io\//, 'index.docker.io/');
      const bytes = Buffer.from(
        `{"critical":{"identity":{"docker-reference":${JSON.stringify(reference)}},` +
          `"image":{"docker-manifest-digest":"${digest}"},"type":"${SIGNED_TYPE}"},"optional":null}`,
      );
      return [digestOf(bytes), bytes];
    }),
  );
