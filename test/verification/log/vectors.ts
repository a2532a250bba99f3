import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { LoggedSignature } from '../../../src/verification/log/log-proof.ts';
import { parseTrustedRoot } from '../../../src/verification/log/trusted-root.ts';
import { fixturePath, readFixture } from '../../support/fixtures.ts';

/*
 * Reads the vectors without the code under test, except its types: the content of their blobs, unchecked, if the
 * signature is the trusted key's.
 */

type Annotated = LoggedSignature & { readonly format: 'simple-signing' };
type Bundled = LoggedSignature & { readonly format: 'sigstore-bundle' };

interface Layer {
  readonly digest: string;
  readonly mediaType: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Bundle {
  readonly verificationMaterial: { readonly tlogEntries?: readonly unknown[] };
  readonly dsseEnvelope: {
    readonly payload: string;
    readonly payloadType: string;
    readonly signatures: readonly { readonly sig: string }[];
  };
}

const readKey = (name: string): KeyObject =>
  createPublicKey(readFileSync(fixturePath('cosign/keys', name), 'utf8'));

/** The key that the vectors trust. */
export const cosignKey = readKey('cosign.pub');
/** A key that they do not trust. */
export const otherKey = readKey('other.pub');

const root = parseTrustedRoot(readFileSync(fixturePath('cosign/keys/trusted_root.json'), 'utf8'));
/** The logs of the vectors: `localhost` is Rekor v1, `log2.lab.test` is Rekor v2. */
export const vectorLogs = root.ok ? root.logs : [];

const fromBase64 = (text: string) => Buffer.from(text, 'base64');
const pae = (type: string, payload: Buffer) =>
  Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload]);
const isCosigns = (bytes: Buffer, signature: Buffer) => verify('sha256', bytes, cosignKey, signature);

const annotatedOf = (layer: Layer, payload: Buffer): Annotated[] => {
  const signature = fromBase64(layer.annotations?.['dev.cosignproject.cosign/signature'] ?? '');
  const annotation = layer.annotations?.['dev.sigstore.cosign/bundle'];
  return isCosigns(payload, signature)
    ? [{ format: 'simple-signing', key: cosignKey, signature, signedBytes: payload, payload, annotation }]
    : [];
};

const bundledOf = (blob: Buffer): Bundled[] => {
  const { verificationMaterial, dsseEnvelope } = JSON.parse(blob.toString()) as Bundle;
  const { payloadType } = dsseEnvelope;
  const payload = fromBase64(dsseEnvelope.payload);
  const signature = fromBase64(dsseEnvelope.signatures[0]?.sig ?? '');
  const entries = verificationMaterial.tlogEntries ?? [];
  const signedBytes = pae(payloadType, payload);
  return isCosigns(signedBytes, signature) && dsseEnvelope.payload.length > 0
    ? [{ format: 'sigstore-bundle', key: cosignKey, signature, signedBytes, payload, entries }]
    : [];
};

const loggedOf = (layer: Layer, blob: Buffer): LoggedSignature[] => {
  if (layer.mediaType.endsWith('simplesigning.v1+json')) return annotatedOf(layer, blob);
  if (!layer.mediaType.startsWith('application/vnd.dev.sigstore.bundle')) return [];
  try {
    return bundledOf(blob);
  } catch {
    return [];
  }
};

/** Every signature of a vector (`referrers/s02-legacy-tlog`) that the trusted key made. */
export const readVector = (vector: string): LoggedSignature[] => {
  const blob = (digest: string) =>
    readFileSync(fixturePath('cosign', vector, 'blobs', digest.replace(':', '-')));
  const { manifests } = readFixture<{ readonly manifests: readonly { readonly digest: string }[] }>(
    'cosign',
    vector,
    'index.json',
  );
  return manifests.flatMap(({ digest }) => {
    const { layers = [] } = JSON.parse(blob(digest).toString()) as { readonly layers?: readonly Layer[] };
    const signed = layers.filter(({ mediaType }) => mediaType.includes('sig'));
    return signed.flatMap((layer) => loggedOf(layer, blob(layer.digest)));
  });
};

/** The one such signature, in the `.sig` format. */
export const annotatedVector = (vector: string): Annotated => {
  const found = readVector(vector).find((logged): logged is Annotated => logged.format === 'simple-signing');
  if (found === undefined) throw new Error(`${vector} has no .sig signature`);
  return found;
};

/** The one such signature, in a bundle. */
export const bundledVector = (vector: string): Bundled => {
  const found = readVector(vector).find((logged): logged is Bundled => logged.format === 'sigstore-bundle');
  if (found === undefined) throw new Error(`${vector} has no bundle`);
  return found;
};
