import type { Digest } from '../../image/index.ts';
import type { Manifest, Source } from '../../registry/index.ts';
import { isStrictSignature } from '../ecdsa.ts';
import { parseBase64 } from '../encoding/base64.ts';
import type { Candidate, CandidateList, Format } from './candidate.ts';
import { type CandidateResult, invalid, type SignatureQuery } from './candidate-result.ts';
import {
  parsePayload,
  parseSignatureManifest,
  rebuildPayloads,
  type SignatureLayer,
  signatureTag,
} from './simple-signing.ts';

type ReadPayload = (digest: Digest) => Promise<Uint8Array | undefined>;

/** Reads each payload once, though several layers may share it, and rebuilds a payload instead if that is possible. */
const createPayloadReader = (source: Source, query: SignatureQuery, signal: AbortSignal): ReadPayload => {
  const rebuilt = rebuildPayloads(query.likelyNames, query.digest);
  const reads = new Map<Digest, Promise<Uint8Array | undefined>>();
  return async (digest) => {
    const payload = rebuilt.get(digest);
    if (payload !== undefined) return payload;
    const read = reads.get(digest) ?? source.blob(digest, signal);
    reads.set(digest, read);
    return read;
  };
};

const readLayer = async (
  layer: SignatureLayer,
  manifest: Manifest,
  readPayload: ReadPayload,
  query: SignatureQuery,
): Promise<Candidate | CandidateResult> => {
  const { digest, size } = layer;
  if (layer.signature === undefined) return invalid('the layer carries no signature');
  const signature = parseBase64(layer.signature);
  if (signature === undefined) return invalid('the signature is not standard base64');
  if (!isStrictSignature(signature)) return invalid('the signature is not a DER-encoded ECDSA signature');
  if (digest === undefined) return invalid('the layer has no sha256 digest');
  if (typeof size !== 'number' || size > query.payloadBytes)
    return invalid(`the signed payload is declared larger than ${query.payloadBytes} bytes`);
  const payload = await readPayload(digest);
  if (payload === undefined) return invalid('the signed payload was not found');
  if (payload.length !== size) return invalid('the signed payload does not have its declared size');
  // The annotation is cached with the signature: one longer than a payload may be is dropped.
  const annotation = (layer.logBundle?.length ?? 0) > query.payloadBytes ? undefined : layer.logBundle;
  return {
    signature: { format: 'simple-signing', signature, signedBytes: payload, payload, annotation },
    logBundle: annotation,
    proof: { digest: query.digest, manifest, tag: signatureTag(query.digest), blob: payload },
  };
};

/** Lists the layers of the manifest under the signature tag of a digest (cosign, specs/SIGNATURE_SPEC.md). */
const listCandidates = async (
  source: Source,
  query: SignatureQuery,
  signal: AbortSignal,
): Promise<CandidateList> => {
  const manifest = await source.manifest({ tag: signatureTag(query.digest) }, signal);
  if (manifest === undefined) return { candidates: [], more: false };
  const parsed = parseSignatureManifest(manifest);
  if ('problem' in parsed) return { candidates: [async () => invalid(parsed.problem)], more: false };
  const readPayload = createPayloadReader(source, query, signal);
  const candidates = parsed.layers.map((layer) => () => readLayer(layer, manifest, readPayload, query));
  return { candidates, more: false };
};

/** cosign's format before bundles: the layers of a manifest under a tag that is derived from the digest. */
export const simpleSigningFormat: Format = { listCandidates, parseClaims: parsePayload };
