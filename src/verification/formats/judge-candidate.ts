import { verifySignature } from '../ecdsa.ts';
import type { KeyRing, TrustedKey } from '../keys/key-ring.ts';
import type { Candidate, Format } from './candidate.ts';
import { type CandidateResult, FOREIGN, invalid, type SignatureQuery } from './candidate-result.ts';

/** Returns the key of the key ring that made the signature, or undefined if none did. */
const findSigner = (
  ring: KeyRing,
  { signedBytes, signature }: Candidate['signature'],
): TrustedKey | undefined => {
  for (const key of ring.keys.values())
    if (verifySignature(key.publicKey, signedBytes, signature)) return key;
  return undefined;
};

/**
 * Judges a candidate, whatever its format. The order of the steps is a security property: the signature is verified
 * first, and only a payload that a key of the key ring signed can be invalid, of another image or valid. The claims of
 * any other payload serve only to explain the rejection.
 */
export const judgeCandidate = (
  { signature, logBundle, proof }: Candidate,
  { parseClaims }: Pick<Format, 'parseClaims'>,
  { digest, ring, proveLogged }: SignatureQuery,
): CandidateResult => {
  const signer = findSigner(ring, signature);
  const claims = parseClaims(signature.payload);
  if ('foreign' in claims) return FOREIGN;
  const namesDigest = 'digests' in claims && claims.digests.includes(digest);
  if (signer === undefined) return { kind: 'unknown-signer', namesDigest };
  if ('problem' in claims) return invalid(claims.problem);
  if (!namesDigest) return { kind: 'other-image', signed: claims.digests[0] };
  return {
    kind: 'valid',
    signature: {
      keyId: signer.keyId,
      format: signature.format,
      signedReference: claims.signedReference,
      payload: Buffer.from(signature.payload).toString('utf8'),
      logBundle,
      logged: proveLogged?.({ ...signature, key: signer.publicKey }),
    },
    proof,
  };
};
