import { listMemberOf, memberOf, turnToParse } from '../../base/index.ts';
import { type Digest, parseDigest } from '../../image/index.ts';
import { type Manifest, type Referrer, type Source, unlessOversized } from '../../registry/index.ts';
import { parseStrictJson } from '../encoding/strict-json.ts';
import { parseBundle, parseStatement, signedBytesOf } from './bundle.ts';
import type { Candidate, CandidateList, FindCandidate, Format, FoundCandidate } from './candidate.ts';
import { type CandidateResult, FOREIGN, invalid, type SignatureQuery } from './candidate-result.ts';
import { SIGNATURE_LAYER } from './simple-signing.ts';

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

/** The layers of a manifest: one bundle, signatures of cosign's experimental mode, or anything else. */
type Layers =
  | { readonly kind: 'bundle'; readonly digest: Digest | undefined; readonly size: unknown }
  | { readonly kind: 'oci-1-1' }
  | { readonly kind: 'other' };

/**
 * Reads the layers of a manifest that refers to an image (cosign, pkg/oci/remote): the only one may be a bundle (`Bundle`).
 * In the mode oci-1-1 they are those of a `.sig` tag (`WriteSignaturesExperimentalOCI`).
 */
const readLayers = (manifest: Manifest): Layers => {
  const parsed = parseStrictJson(manifest.bytes);
  const layers = (parsed.ok ? listMemberOf(parsed.value, 'layers') : undefined) ?? [];
  const types = layers.map((layer) => memberOf(layer, 'mediaType'));
  if (types.includes(SIGNATURE_LAYER)) return { kind: 'oci-1-1' };
  if (layers.length !== 1 || !isBundle(types[0])) return { kind: 'other' };
  const digest = memberOf(layers[0], 'digest');
  return {
    kind: 'bundle',
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
  if ('foreign' in envelope) return { kind: 'foreign', unread: envelope.unread };
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

const readBundle = async (
  { manifest, digest, size }: { readonly manifest: Manifest; readonly digest: Digest; readonly size: number },
  source: Source,
  query: SignatureQuery,
  signal: AbortSignal,
): Promise<Candidate | CandidateResult> => {
  const blob = await source.blob(digest, signal, size).catch(unlessOversized);
  if (blob === undefined) return invalid('the bundle was not found');
  if (blob === 'oversized' || blob.length !== size)
    return invalid('the bundle does not have its declared size');
  await turnToParse(blob);
  return candidateOf(manifest, blob, query);
};

const findBundle = async (
  referrer: Digest,
  source: Source,
  query: SignatureQuery,
  signal: AbortSignal,
  count: (bytes: number) => void,
): Promise<FoundCandidate | CandidateResult> => {
  const manifest = await source
    .manifest({ digest: referrer }, signal, query.referrerBytes)
    .catch(unlessOversized);
  // The manifest of a bundle is never longer: an artifact with many layers is.
  if (manifest === undefined || manifest === 'oversized') return FOREIGN;
  count(manifest.bytes.length);
  await turnToParse(manifest.bytes);
  const layers = readLayers(manifest);
  if (layers.kind === 'oci-1-1') return { kind: 'foreign', unread: 'oci-1-1' };
  if (layers.kind === 'other') return FOREIGN;
  const { digest, size } = layers;
  if (digest === undefined) return invalid('the layer of the bundle has no sha256 digest');
  if (typeof size !== 'number') return invalid('the bundle does not have its declared size');
  // An attestation, such as an SBOM, can be this large; the bundle of a signature never is.
  if (size > query.blobBytes) return FOREIGN;
  return { size, read: () => readBundle({ manifest, digest, size }, source, query, signal) };
};

/**
 * Lists what refers to a digest (OCI distribution-spec 1.1, "Listing Referrers"; cosign 3, pkg/cosign, `GetBundles`).
 */
const listCandidates = async (
  source: Source,
  query: SignatureQuery,
  signal: AbortSignal,
): Promise<CandidateList> => {
  const { descriptors, more, fault } = await source.referrers(query.digest, signal, isBundle);
  const candidates = bundlesFirst(descriptors).map(
    (referrer): FindCandidate =>
      (count) =>
        findBundle(referrer, source, query, signal, count),
  );
  return { candidates, bytes: 0, more, fault };
};

/** Sigstore bundles that refer to the image by their `subject`. */
export const bundleFormat: Format = { listCandidates, parseClaims: parseStatement };
