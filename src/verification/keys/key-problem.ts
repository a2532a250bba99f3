/** A problem with a key. Its message completes "the key …" in one line, and never holds content of the key. */
export class KeyProblem extends Error {}

export const EXPECTED = 'expected ECDSA P-256';
export const PRIVATE =
  'is a private key: give the public key instead, and consider who may have seen this one';
export const UNKNOWN = 'is neither a PEM block nor JSON';
