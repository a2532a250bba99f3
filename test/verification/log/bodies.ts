import { createHash, type KeyObject } from 'node:crypto';

/** The subject of an entry. A test changes one member to get an entry for something else. */
export interface Subject {
  readonly signature: Buffer;
  readonly payload: Buffer;
  readonly signedBytes: Buffer;
  readonly key: KeyObject;
}

const digest = (bytes: Buffer) => createHash('sha256').update(bytes);
const pem = (key: KeyObject) => Buffer.from(key.export({ type: 'spki', format: 'pem' })).toString('base64');
const hexHash = (bytes: Buffer) => ({ algorithm: 'sha256', value: digest(bytes).digest('hex') });
const base64Hash = (bytes: Buffer) => ({ algorithm: 'SHA2_256', digest: digest(bytes).digest('base64') });
const signature2 = ({ signature, key }: Subject) => ({
  content: signature.toString('base64'),
  verifier: {
    keyDetails: 'PKIX_ECDSA_P256_SHA_256',
    publicKey: { rawBytes: key.export({ type: 'spki', format: 'der' }).toString('base64') },
  },
});

const bodyOf = (kind: string, apiVersion: string, spec: unknown): Buffer =>
  Buffer.from(JSON.stringify({ apiVersion, kind, spec }));

const detached = ({ signature, signedBytes, key }: Subject) => ({
  data: { hash: hexHash(signedBytes) },
  signature: { content: signature.toString('base64'), publicKey: { content: pem(key) } },
});

/** `hashedrekord` 0.0.1: the entry of Rekor v1 for a `.sig` signature. */
export const hashedrekord = (subject: Subject): Buffer => bodyOf('hashedrekord', '0.0.1', detached(subject));

/** `rekord` 0.0.1: the entry of cosign 1.2 and older. */
export const rekord = (subject: Subject): Buffer => {
  const { data, signature } = detached(subject);
  return bodyOf('rekord', '0.0.1', { data, signature: { ...signature, format: 'x509' } });
};

/** `dsse` 0.0.1: the entry of Rekor v1 for an envelope. */
export const dsse = ({ signature, payload, key }: Subject): Buffer =>
  bodyOf('dsse', '0.0.1', {
    envelopeHash: { algorithm: 'sha256', value: '00'.repeat(32) },
    payloadHash: hexHash(payload),
    signatures: [{ signature: signature.toString('base64'), verifier: pem(key) }],
  });

/** `intoto` 0.0.2: the earlier entry of Rekor v1 for an envelope. */
export const intoto = ({ signature, payload, key }: Subject): Buffer =>
  bodyOf('intoto', '0.0.2', {
    content: {
      envelope: {
        payloadType: 'application/vnd.in-toto+json',
        signatures: [
          {
            publicKey: pem(key),
            sig: Buffer.from(signature.toString('base64')).toString('base64'),
          },
        ],
      },
      hash: { algorithm: 'sha256', value: '00'.repeat(32) },
      payloadHash: hexHash(payload),
    },
  });

/** `hashedrekord` 0.0.2: the entry of Rekor v2. */
export const hashedrekord2 = (subject: Subject): Buffer =>
  bodyOf('hashedrekord', '0.0.2', {
    hashedRekordV002: { data: base64Hash(subject.signedBytes), signature: signature2(subject) },
  });

/** `dsse` 0.0.2: an entry that Rekor v2 may have for an envelope. */
export const dsse2 = (subject: Subject): Buffer =>
  bodyOf('dsse', '0.0.2', {
    dsseV002: { payloadHash: base64Hash(subject.payload), signatures: [signature2(subject)] },
  });
