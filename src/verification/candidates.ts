import type { Digest } from '../image/index.ts';
import { SourceFault } from '../registry/index.ts';
import { parseBase64 } from './base64.ts';
import { isStrictSignature, verifySignature } from './ecdsa.ts';
import type { KeyRing, TrustedKey } from './key-ring.ts';
import { type Candidate, parsePayload } from './simple-signing.ts';
import type { ValidSignature } from './verification.ts';

/** What one candidate came to. Only `valid` counts; the others explain. */
export type Outcome =
  | { readonly kind: 'valid'; readonly signature: ValidSignature }
  /** No key of the ring made it. `claims`: it names this image, so a key we lack could make it count. */
  | { readonly kind: 'stranger'; readonly claims: boolean }
  | { readonly kind: 'other-image'; readonly signed: Digest }
  | { readonly kind: 'invalid'; readonly detail: string }
  /** The source could not be asked for what was signed. */
  | { readonly kind: 'unread'; readonly fault: SourceFault };

/** The signed bytes of a candidate: at hand, or asked of the source once for all candidates that share them. */
export type ReadPayload = (digest: Digest) => Promise<Uint8Array | undefined>;

const findSigner = (ring: KeyRing, payload: Uint8Array, signature: Uint8Array): TrustedKey | undefined => {
  for (const key of ring.keys.values()) if (verifySignature(key.publicKey, payload, signature)) return key;
  return undefined;
};

const invalid = (detail: string): Outcome => ({ kind: 'invalid', detail });

/** Judges signed bytes that hash to the layer's digest. The signature comes first: nothing unsigned is parsed for trust. */
const judgePayload = (
  payload: Uint8Array,
  signature: Uint8Array,
  candidate: Candidate,
  wanted: { readonly digest: Digest; readonly ring: KeyRing; readonly payloadBytes: number },
): Outcome => {
  const signer = findSigner(wanted.ring, payload, signature);
  const claims = parsePayload(payload);
  const named = 'digest' in claims && claims.digest === wanted.digest;
  if (signer === undefined) return { kind: 'stranger', claims: named };
  if ('problem' in claims) return invalid(claims.problem);
  if (!named) return { kind: 'other-image', signed: claims.digest };
  const { logBundle } = candidate;
  return {
    kind: 'valid',
    signature: {
      keyId: signer.keyId,
      format: 'simple-signing',
      signedReference: claims.signedReference,
      payload: Buffer.from(payload).toString('utf8'),
      logBundle: (logBundle?.length ?? 0) > wanted.payloadBytes ? undefined : logBundle,
    },
  };
};

/** Judges one candidate for `digest`. Rejects only for what is no fault of the source. */
export const judgeCandidate = async (
  candidate: Candidate,
  readPayload: ReadPayload,
  wanted: { readonly digest: Digest; readonly ring: KeyRing; readonly payloadBytes: number },
): Promise<Outcome> => {
  const { digest, size } = candidate;
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
    return judgePayload(payload, signature, candidate, wanted);
  } catch (error) {
    if (error instanceof SourceFault) return { kind: 'unread', fault: error };
    throw error;
  }
};
