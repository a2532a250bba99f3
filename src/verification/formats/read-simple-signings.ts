import type { Digest } from '../../image/index.ts';
import { type Manifest, type Source } from '../../registry/index.ts';
import { parseBase64 } from '../base64.ts';
import { isStrictSignature } from '../ecdsa.ts';
import {
  type CandidateResult,
  type CandidateResults,
  findSigner,
  invalid,
  type SignatureQuery,
  unreadFor,
} from './candidate-result.ts';
import {
  parsePayload,
  parseSignatureManifest,
  rebuildPayloads,
  type SignatureLayer,
  signatureTag,
} from './simple-signing.ts';

const NOTHING: CandidateResults = { results: [], more: false };

/** The signed bytes of a candidate: at hand, or asked of the source once for all candidates that share them. */
type ReadPayload = (digest: Digest) => Promise<Uint8Array | undefined>;

/** Reads each payload once, though several layers may share one; what can be rebuilt is not asked for. */
const createPayloadReader = (source: Source, wanted: SignatureQuery, signal: AbortSignal): ReadPayload => {
  const rebuilt = rebuildPayloads(wanted.likelyNames, wanted.digest);
  const reading = new Map<Digest, Promise<Uint8Array | undefined>>();
  return async (digest) => {
    const known = rebuilt.get(digest);
    if (known !== undefined) return known;
    const read = reading.get(digest) ?? source.blob(digest, signal);
    reading.set(digest, read);
    return read;
  };
};

interface Signed {
  readonly manifest: Manifest;
  readonly logBundle: string | undefined;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/** Judges signed bytes that hash to the layer's digest. The signature comes first: nothing unsigned is parsed for trust. */
const judgePayload = (
  { manifest, logBundle, payload, signature }: Signed,
  wanted: SignatureQuery,
): CandidateResult => {
  const { digest, ring, payloadBytes, proveLogged } = wanted;
  const signer = findSigner(ring, payload, signature);
  const claims = parsePayload(payload);
  const named = 'digest' in claims && claims.digest === digest;
  if (signer === undefined) return { kind: 'stranger', claims: named };
  if ('problem' in claims) return invalid(claims.problem);
  if (!named) return { kind: 'other-image', signed: claims.digest };
  const annotation = (logBundle?.length ?? 0) > payloadBytes ? undefined : logBundle;
  const key = signer.publicKey;
  return {
    kind: 'valid',
    signature: {
      keyId: signer.keyId,
      format: 'simple-signing',
      signedReference: claims.signedReference,
      payload: Buffer.from(payload).toString('utf8'),
      logBundle: annotation,
      logged: proveLogged?.({ format: 'simple-signing', key, signature, payload, annotation }),
    },
    proof: { digest, manifest, tag: signatureTag(digest), blob: payload },
  };
};

/** Judges one candidate of a signature manifest. Rejects only for what is no fault of the source. */
const judgeCandidate = async (
  candidate: SignatureLayer,
  manifest: Manifest,
  readPayload: ReadPayload,
  wanted: SignatureQuery,
): Promise<CandidateResult> => {
  const { digest, size, logBundle } = candidate;
  if (candidate.signature === undefined) return invalid('the layer carries no signature');
  const signature = parseBase64(candidate.signature);
  if (signature === undefined) return invalid('the signature is not standard base64');
  if (!isStrictSignature(signature)) return invalid('the signature is no DER-encoded ECDSA signature');
  if (digest === undefined) return invalid('the layer has no sha256 digest');
  if (typeof size !== 'number' || size > wanted.payloadBytes)
    return invalid(`the signed payload is declared larger than ${wanted.payloadBytes} bytes`);
  try {
    const payload = await readPayload(digest);
    if (payload === undefined) return invalid('the signed payload is not there');
    if (payload.length !== size) return invalid('the signed payload is not as long as declared');
    return judgePayload({ manifest, logBundle, payload, signature }, wanted);
  } catch (error) {
    return unreadFor(error);
  }
};

/**
 * Reads the signatures under the signature tag of a digest (cosign, specs/SIGNATURE_SPEC.md): its manifest, and each
 * candidate in it. Rejects with a `SourceFault` where the manifest itself could not be read.
 */
export const readSimpleSignings = async (
  source: Source,
  wanted: SignatureQuery,
  signal: AbortSignal,
): Promise<CandidateResults> => {
  const manifest = await source.manifest({ tag: signatureTag(wanted.digest) }, signal);
  if (manifest === undefined) return NOTHING;
  const parsed = parseSignatureManifest(manifest);
  if ('problem' in parsed) return { results: [invalid(parsed.problem)], more: false };
  const readPayload = createPayloadReader(source, wanted, signal);
  const tried = parsed.candidates.slice(0, wanted.signatureCandidates);
  const outcomes = await Promise.all(
    tried.map((candidate) => judgeCandidate(candidate, manifest, readPayload, wanted)),
  );
  return { results: outcomes, more: parsed.candidates.length > tried.length };
};
