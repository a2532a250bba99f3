import { isJsonObject, memberOf } from '../../base/index.ts';
import { type Digest, digestOf, parseDigest } from '../../image/index.ts';
import type { Manifest } from '../../registry/index.ts';
import { parseStrictJson } from '../encoding/strict-json.ts';
import type { Claims } from './candidate.ts';

/*
 * cosign's format before bundles: a tag beside the image, whose manifest has one layer a signature. The layer is what
 * was signed; an annotation of its descriptor holds the signature (cosign, specs/SIGNATURE_SPEC.md).
 */

const LAYER = 'application/vnd.dev.cosign.simplesigning.v1+json';
const IMAGE_MANIFESTS: readonly unknown[] = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
/** cosign reads no signature manifest of more layers (pkg/oci/remote, `maxLayers`), so we find nothing in one either. */
const MOST_LAYERS = 1000;
const SIGNATURE = 'dev.cosignproject.cosign/signature';
const LOG_BUNDLE = 'dev.sigstore.cosign/bundle';
const SIGNED_TYPE = 'cosign container image signature';

/** One layer that says it is a signature. Nothing of it is proven yet. */
export interface SignatureLayer {
  readonly digest: Digest | undefined;
  readonly size: unknown;
  readonly signature: string | undefined;
  readonly logBundle: string | undefined;
}

/** The tag an image's signatures stand under: `sha256-<hex>.sig`. */
export const signatureTag = (digest: Digest): string => `${digest.replace(':', '-')}.sig`;

/** Text of unknown making, made fit for one line of a sentence. */
const quote = (text: string): string => JSON.stringify(text.slice(0, 60));

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const candidateOf = (layer: unknown): SignatureLayer => {
  const annotations = memberOf(layer, 'annotations');
  return {
    digest: parseDigest(textOf(memberOf(layer, 'digest')) ?? ''),
    size: memberOf(layer, 'size'),
    signature: textOf(memberOf(annotations, SIGNATURE)),
    logBundle: textOf(memberOf(annotations, LOG_BUNDLE)),
  };
};

/**
 * The candidates of a signature manifest, in its order; layers of other media types are not ours and left out. A
 * `problem` where it is no image manifest at all.
 */
export const parseSignatureManifest = (
  manifest: Manifest,
): { readonly candidates: readonly SignatureLayer[] } | { readonly problem: string } => {
  const parsed = parseStrictJson(manifest.bytes);
  if (!parsed.ok) return { problem: `the signature manifest cannot be read: ${parsed.problem}` };
  const mediaType = memberOf(parsed.value, 'mediaType') ?? manifest.mediaType;
  const layers = memberOf(parsed.value, 'layers');
  if (!IMAGE_MANIFESTS.includes(mediaType) || !Array.isArray(layers))
    return { problem: 'the signature tag does not point to an image manifest' };
  if (layers.length > MOST_LAYERS)
    return {
      problem: `the signature manifest has ${layers.length} layers; cosign reads at most ${MOST_LAYERS}`,
    };
  return { candidates: layers.filter((layer) => memberOf(layer, 'mediaType') === LAYER).map(candidateOf) };
};

/** Parses the signed bytes (containers/image, docs/containers-signature.5.md, "critical"). `optional` is not looked at. */
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
  return { digests: [digest], signedReference };
};

/**
 * The bytes cosign signs where no annotation is asked for, by their digest: a fixed text of repository and digest, so
 * that a layer of that digest need not be fetched. `names` are repositories in normal form.
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
