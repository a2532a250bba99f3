import { createVerify } from 'node:crypto';
import { isStrictSignature } from './ecdsa.ts';
import type { TrustedKey } from './keys/key-ring.ts';

/** The result for one signature over one blob. */
export type BlobResult =
  | { readonly valid: true; readonly key: TrustedKey }
  | {
      readonly valid: false;
      /** `no-key`: none of the keys made it over these bytes; `form`: it is not a P-256 signature in strict DER. */
      readonly problem: 'no-key' | 'form';
    };

/**
 * Verifies a signature (`ECDSA-Sig-Value` in strict DER) over SHA-256 of a blob with each key. The blob may have any
 * length: it is streamed once. A signature of another form is rejected before a byte is read. Rejects if the blob does.
 */
export const verifyBlob = async (
  keys: Iterable<TrustedKey>,
  signature: Uint8Array,
  blob: AsyncIterable<Uint8Array | string>,
): Promise<BlobResult> => {
  if (!isStrictSignature(signature)) return { valid: false, problem: 'form' };
  const attempts = [...keys].map((key) => ({ key, verify: createVerify('sha256') }));
  for await (const chunk of blob) for (const { verify } of attempts) verify.update(chunk);
  const signer = attempts.find(({ key, verify }) =>
    verify.verify({ key: key.publicKey, dsaEncoding: 'der' }, signature),
  );
  return signer === undefined ? { valid: false, problem: 'no-key' } : { valid: true, key: signer.key };
};
