import { createVerify } from 'node:crypto';
import { isStrictSignature } from './ecdsa.ts';
import type { TrustedKey } from './keys/key-ring.ts';

/** What came of one signature over one blob. */
export type BlobVerdict =
  | { readonly valid: true; readonly key: TrustedKey }
  | {
      readonly valid: false;
      /** `no-key`: it is none of the given keys' over these bytes; `form`: it is not what a P-256 signature looks like. */
      readonly problem: 'no-key' | 'form';
    };

/**
 * Whether `signature` (`ECDSA-Sig-Value` in strict DER) is one of `keys`' over SHA-256 of a blob of any length, which is
 * read once and never held. A signature of another form is refused before a byte is read. Rejects where the blob does.
 */
export const verifyBlob = async (
  keys: Iterable<TrustedKey>,
  signature: Uint8Array,
  blob: AsyncIterable<Uint8Array | string>,
): Promise<BlobVerdict> => {
  if (!isStrictSignature(signature)) return { valid: false, problem: 'form' };
  const attempts = [...keys].map((key) => ({ key, verify: createVerify('sha256') }));
  for await (const chunk of blob) for (const { verify } of attempts) verify.update(chunk);
  const signer = attempts.find(({ key, verify }) =>
    verify.verify({ key: key.publicKey, dsaEncoding: 'der' }, signature),
  );
  return signer === undefined ? { valid: false, problem: 'no-key' } : { valid: true, key: signer.key };
};
