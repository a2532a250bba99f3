import { turnToParse } from '../../base/index.ts';
import type { Digest } from '../../image/index.ts';
import { type Manifest, type Source, unlessOversized } from '../../registry/index.ts';
import { isStrictSignature } from '../ecdsa.ts';
import { parseBase64 } from '../encoding/base64.ts';
import type { Candidate, CandidateList, Format, FoundCandidate } from './candidate.ts';
import { type CandidateResult, invalid, type SignatureQuery } from './candidate-result.ts';
import {
  parsePayload,
  parseSignatureManifest,
  rebuildPayloads,
  type SignatureLayer,
  signatureTag,
} from './simple-signing.ts';

interface PayloadReader {
  /** The bytes to read for a payload: none if it can be rebuilt, or another layer shares it. */
  readonly sizeOf: (digest: Digest, declared: number) => number;
  readonly read: (digest: Digest) => Promise<Uint8Array | 'oversized' | undefined>;
}

/** Reads each payload once, though several layers may share it, and rebuilds a payload instead if that is possible. */
const createPayloadReader = (source: Source, query: SignatureQuery, signal: AbortSignal): PayloadReader => {
  const rebuilt = rebuildPayloads(query.likelyNames, query.digest);
  const reads = new Map<Digest, Promise<Uint8Array | 'oversized' | undefined>>();
  const counted = new Set<Digest>();
  return {
    sizeOf(digest, declared) {
      if (rebuilt.has(digest) || counted.has(digest)) return 0;
      counted.add(digest);
      return declared;
    },
    async read(digest) {
      const payload = rebuilt.get(digest);
      if (payload !== undefined) return payload;
      const read =
        reads.get(digest) ?? source.blob(digest, signal, query.payloadBytes).catch(unlessOversized);
      reads.set(digest, read);
      return read;
    },
  };
};

/** Base64 of a DER-encoded signature on P-521, with line breaks, is not this long. */
const MAX_SIGNATURE_LENGTH = 1024;

const parseSignature = (text: string): Uint8Array | CandidateResult => {
  const signature = text.length > MAX_SIGNATURE_LENGTH ? undefined : parseBase64(text);
  if (signature === undefined) return invalid('the signature is not standard base64');
  return isStrictSignature(signature)
    ? signature
    : invalid('the signature is not a DER-encoded ECDSA signature');
};

const findLayer = (
  layer: SignatureLayer,
  manifest: Manifest,
  payloads: PayloadReader,
  query: SignatureQuery,
): FoundCandidate | CandidateResult => {
  const { digest, size } = layer;
  if (layer.signature === undefined) return invalid('the layer carries no signature');
  const signature = parseSignature(layer.signature);
  if ('kind' in signature) return signature;
  if (digest === undefined) return invalid('the layer has no sha256 digest');
  if (typeof size !== 'number' || size > query.payloadBytes)
    return invalid(`the signed payload is declared larger than ${query.payloadBytes} bytes`);
  // The annotation is cached with the signature: one longer than a payload may be is dropped.
  const annotation = (layer.logBundle?.length ?? 0) > query.payloadBytes ? undefined : layer.logBundle;
  const read = async (): Promise<Candidate | CandidateResult> => {
    const payload = await payloads.read(digest);
    if (payload === undefined) return invalid('the signed payload was not found');
    if (payload === 'oversized' || payload.length !== size)
      return invalid('the signed payload does not have its declared size');
    await turnToParse(payload);
    return {
      signature: { format: 'simple-signing', signature, signedBytes: payload, payload, annotation },
      logBundle: annotation,
      proof: { digest: query.digest, manifest, tag: signatureTag(query.digest), blob: payload },
    };
  };
  return { size: payloads.sizeOf(digest, size), read };
};

/** Lists the layers of the manifest under the signature tag of a digest (cosign, specs/SIGNATURE_SPEC.md). */
const listCandidates = async (
  source: Source,
  query: SignatureQuery,
  signal: AbortSignal,
): Promise<CandidateList> => {
  const manifest = await source
    .manifest({ tag: signatureTag(query.digest) }, signal, query.signatureManifestBytes)
    .catch(unlessOversized);
  if (manifest === undefined) return { candidates: [], bytes: 0, more: false };
  if (manifest === 'oversized') return { candidates: [], bytes: 0, more: true };
  const bytes = manifest.bytes.length;
  await turnToParse(manifest.bytes);
  const parsed = parseSignatureManifest(manifest);
  if ('problem' in parsed) return { candidates: [async () => invalid(parsed.problem)], bytes, more: false };
  const payloads = createPayloadReader(source, query, signal);
  const candidates = parsed.layers.map((layer) => async () => findLayer(layer, manifest, payloads, query));
  return { candidates, bytes, more: false };
};

/** cosign's format before bundles: the layers of a manifest under a tag that is derived from the digest. */
export const simpleSigningFormat: Format = { listCandidates, parseClaims: parsePayload };
