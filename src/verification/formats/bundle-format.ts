import { memberOf } from '../../base/index.ts';
import { type Digest, parseDigest } from '../../image/index.ts';
import type { Manifest, Referrer, Source } from '../../registry/index.ts';
import { parseStrictJson } from '../encoding/strict-json.ts';
import { parseBundle, parseStatement, signedBytesOf } from './bundle.ts';
import type { Candidate, CandidateList, Format } from './candidate.ts';
import { type CandidateResult, FOREIGN, invalid, type SignatureQuery } from './candidate-result.ts';

const BUNDLE = 'application/vnd.dev.sigstore.bundle';

const isBundle = (mediaType: unknown): boolean =>
  typeof mediaType === 'string' && mediaType.startsWith(BUNDLE);

/**
 * Lists each referrer once, those listed as bundles first: a flood of other referrers must not hide one. None is left
 * out, because a registry may list a bundle under another type.
 */
const bundlesFirst = (referrers: readonly Referrer[]): readonly Digest[] => {
  const bundles = referrers.filter(({ artifactType }) => isBundle(artifactType));
  return [...new Set([...bundles, ...referrers].map(({ digest }) => digest))];
};

/** Returns the only layer of a manifest, or undefined if that is not a bundle (cosign, pkg/oci/remote, `Bundle`). */
const bundleLayerOf = (
  manifest: Manifest,
): { readonly digest: Digest | undefined; readonly size: unknown } | undefined => {
  const parsed = parseStrictJson(manifest.bytes);
  const layers = parsed.ok ? memberOf(parsed.value, 'layers') : undefined;
  if (!Array.isArray(layers) || layers.length !== 1 || !isBundle(memberOf(layers[0], 'mediaType')))
    return undefined;
  const digest = memberOf(layers[0], 'digest');
  return {
    digest: typeof digest === 'string' ? parseDigest(digest) : undefined,
    size: memberOf(layers[0], 'size'),
  };
};

const candidateOf = (
  manifest: Manifest,
  blob: Uint8Array,
  { digest, payloadBytes }: SignatureQuery,
): Candidate | CandidateResult => {
  const envelope = parseBundle(blob);
  if ('foreign' in envelope) return FOREIGN;
  if ('problem' in envelope) return invalid(envelope.problem);
  const { payload, signature, entries } = envelope;
  // An attestation can be this long; the statement of a signature never is.
  if (payload.length > payloadBytes) return FOREIGN;
  const signedBytes = signedBytesOf(envelope);
  return {
    signature: { format: 'sigstore-bundle', signature, signedBytes, payload, entries },
    logBundle: undefined,
    proof: { digest, manifest, tag: undefined, blob },
  };
};

const readReferrer = async (
  referrer: Digest,
  source: Source,
  query: SignatureQuery,
  signal: AbortSignal,
): Promise<Candidate | CandidateResult> => {
  const manifest = await source.manifest({ digest: referrer }, signal);
  if (manifest === undefined) return FOREIGN;
  const layer = bundleLayerOf(manifest);
  if (layer === undefined) return FOREIGN;
  if (layer.digest === undefined) return invalid('the layer of the bundle has no sha256 digest');
  // An attestation, such as an SBOM, can be this large; the bundle of a signature never is.
  if (typeof layer.size === 'number' && layer.size > query.blobBytes) return FOREIGN;
  const blob = await source.blob(layer.digest, signal);
  if (blob === undefined) return invalid('the bundle was not found');
  if (blob.length !== layer.size) return invalid('the bundle does not have its declared size');
  return candidateOf(manifest, blob, query);
};

/**
 * Lists what refers to a digest (OCI distribution-spec 1.1, "Listing Referrers"; cosign 3, pkg/cosign, `GetBundles`).
 */
const listCandidates = async (
  source: Source,
  query: SignatureQuery,
  signal: AbortSignal,
): Promise<CandidateList> => {
  const { descriptors, more } = await source.referrers(query.digest, signal);
  const candidates = bundlesFirst(descriptors).map(
    (referrer) => () => readReferrer(referrer, source, query, signal),
  );
  return { candidates, more };
};

/** Sigstore bundles that refer to the image by their `subject`. */
export const bundleFormat: Format = { listCandidates, parseClaims: parseStatement };
