import { createHash, createVerify } from 'node:crypto';
import { isStrictSignature } from './ecdsa.ts';
import type { TrustedKey } from './keys/key-ring.ts';

/** The result for one signature over one blob. */
export type BlobResult =
  | { readonly valid: true; readonly key: TrustedKey }
  | {
      readonly valid: false;
      /**
       * `no-key`: none of the keys made it over these bytes; `form`: it is not a P-256 signature in strict DER; `digest`: the
       * blob has another SHA-256 than the one expected.
       */
      readonly problem: 'no-key' | 'form' | 'digest';
    };

/** A signature, and the SHA-256 of what it signs, if the bundle that carries it says so. */
export interface BlobSignature {
  readonly signature: Uint8Array;
  readonly sha256?: Uint8Array | undefined;
}

/**
 * Verifies a signature (`ECDSA-Sig-Value` in strict DER) over SHA-256 of a blob with each key. The blob may have any
 * length: it is streamed once. A signature of another form is rejected before a byte is read. Rejects if the blob does.
 */
export const verifyBlob = async (
  keys: Iterable<TrustedKey>,
  { signature, sha256 }: BlobSignature,
  blob: AsyncIterable<Uint8Array | string>,
): Promise<BlobResult> => {
  if (!isStrictSignature(signature)) return { valid: false, problem: 'form' };
  const attempts = [...keys].map((key) => ({ key, verify: createVerify('sha256') }));
  const hash = sha256 === undefined ? undefined : createHash('sha256');
  for await (const chunk of blob) {
    hash?.update(chunk);
    for (const { verify } of attempts) verify.update(chunk);
  }
  const signer = attempts.find(({ key, verify }) =>
    verify.verify({ key: key.publicKey, dsaEncoding: 'der' }, signature),
  );
  // The digest is compared too, as sigstore-go does: it is not signed, and proves nothing where the signature fails.
  if (hash !== undefined && sha256 !== undefined && !hash.digest().equals(sha256))
    return { valid: false, problem: 'digest' };
  return signer === undefined ? { valid: false, problem: 'no-key' } : { valid: true, key: signer.key };
};
