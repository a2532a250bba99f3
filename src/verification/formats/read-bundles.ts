import { memberOf } from '../../base/index.ts';
import { type Digest, parseDigest } from '../../image/index.ts';
import { type Manifest, type Referrer, type Source } from '../../registry/index.ts';
import { parseStrictJson } from '../strict-json.ts';
import { type Envelope, parseBundle, parseStatement, signedBytesOf } from './bundle.ts';
import {
  type CandidateResult,
  type CandidateResults,
  findSigner,
  invalid,
  type SignatureQuery,
  unreadFor,
} from './candidate-result.ts';

const BUNDLE = 'application/vnd.dev.sigstore.bundle';
const FOREIGN: CandidateResult = { kind: 'foreign' };

const isBundle = (mediaType: unknown): boolean =>
  typeof mediaType === 'string' && mediaType.startsWith(BUNDLE);

/**
 * Each once, those listed as bundles first, for a flood of others must not hide one. Lists err, so none is left out.
 */
const bundlesFirst = (referrers: readonly Referrer[]): readonly Digest[] => {
  const bundles = referrers.filter(({ artifactType }) => isBundle(artifactType));
  return [...new Set([...bundles, ...referrers].map(({ digest }) => digest))];
};

/** The one layer of a manifest that holds a bundle; undefined: it holds none (cosign, pkg/oci/remote, `Bundle`). */
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

/** Judges an envelope. The signature comes first: nothing unsigned is parsed for trust. */
const judgeEnvelope = (
  envelope: Envelope,
  wanted: SignatureQuery,
  kept: { readonly manifest: Manifest; readonly blob: Uint8Array },
): CandidateResult => {
  const { digest, ring, proveLogged } = wanted;
  const signer = findSigner(ring, signedBytesOf(envelope), envelope.signature);
  const claims = parseStatement(envelope.payload);
  if ('foreign' in claims) return FOREIGN;
  const named = 'digests' in claims && claims.digests.includes(digest);
  if (signer === undefined) return { kind: 'stranger', claims: named };
  if ('problem' in claims) return invalid(claims.problem);
  const [signed = digest] = claims.digests;
  if (!named) return { kind: 'other-image', signed };
  return {
    kind: 'valid',
    signature: {
      keyId: signer.keyId,
      format: 'sigstore-bundle',
      signedReference: undefined,
      payload: envelope.payload.toString('utf8'),
      logBundle: undefined,
      logged: proveLogged?.({ ...envelope, format: 'sigstore-bundle', key: signer.publicKey }),
    },
    proof: { ...kept, digest, tag: undefined },
  };
};

const judgeBundle = (manifest: Manifest, blob: Uint8Array, wanted: SignatureQuery): CandidateResult => {
  const parsed = parseBundle(blob);
  if ('foreign' in parsed) return FOREIGN;
  if ('problem' in parsed) return invalid(parsed.problem);
  // An attestation can be this long, a signature's statement never is.
  if (parsed.payload.length > wanted.payloadBytes) return FOREIGN;
  return judgeEnvelope(parsed, wanted, { manifest, blob });
};

/** Judges what refers to the image. Rejects only for what is no fault of the source. */
const judgeReferrer = async (
  referrer: Digest,
  source: Source,
  wanted: SignatureQuery,
  signal: AbortSignal,
): Promise<CandidateResult> => {
  try {
    const manifest = await source.manifest({ digest: referrer }, signal);
    if (manifest === undefined) return FOREIGN;
    const layer = bundleLayerOf(manifest);
    if (layer === undefined) return FOREIGN;
    if (layer.digest === undefined) return invalid('the layer of the bundle has no sha256 digest');
    // Attestations, of what an image is made of, are as large as that; signatures are not.
    if (typeof layer.size === 'number' && layer.size > wanted.blobBytes) return FOREIGN;
    const blob = await source.blob(layer.digest, signal);
    if (blob === undefined) return invalid('the bundle is not there');
    if (blob.length !== layer.size) return invalid('the bundle is not as long as declared');
    return judgeBundle(manifest, blob, wanted);
  } catch (error) {
    return unreadFor(error);
  }
};

/**
 * Reads the Sigstore bundles that refer to a digest (OCI distribution-spec 1.1, "Listing Referrers"; cosign 3,
 * pkg/cosign, `GetBundles`). Rejects with a `SourceFault` where the list itself could not be read.
 */
export const readBundles = async (
  source: Source,
  wanted: SignatureQuery,
  signal: AbortSignal,
): Promise<CandidateResults> => {
  const { descriptors, more } = await source.referrers(wanted.digest, signal);
  const candidates = bundlesFirst(descriptors);
  const tried = candidates.slice(0, wanted.signatureCandidates);
  const outcomes = await Promise.all(tried.map((digest) => judgeReferrer(digest, source, wanted, signal)));
  return { results: outcomes, more: more || candidates.length > tried.length };
};
