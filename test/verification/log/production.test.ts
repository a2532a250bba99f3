import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findForeignBody } from '../../../src/verification/log/binding.ts';
import type { LogEntry } from '../../../src/verification/log/entry.ts';
import { findFalseProof } from '../../../src/verification/log/inclusion.ts';
import { findFalsePromise } from '../../../src/verification/log/promise.ts';
import { createProveLogged } from '../../../src/verification/log/prove-logged.ts';
import { publicLogs } from '../../../src/verification/log/public-logs.ts';
import { readEntries } from '../../../src/verification/log/read-entries.ts';
import type { TrustedLogs } from '../../../src/verification/log/trusted-log.ts';
import { parseTrustedRoot } from '../../../src/verification/log/trusted-root.ts';
import { thirdPartyPath, withThirdParty } from '../../support/third-party.ts';
import { otherKey } from './vectors.ts';

/*
 * Entries of Sigstore's own logs. The bundles sign a file and not an image, so the steps are called one by one; the
 * promise alone also fits into an annotation.
 */

interface Bundle {
  readonly verificationMaterial: { readonly tlogEntries: readonly Record<string, unknown>[] };
  readonly messageSignature: { readonly signature: string };
}

const text = (...parts: readonly string[]) => readFileSync(thirdPartyPath(...parts), 'utf8');
const rootOf = (...parts: readonly string[]): TrustedLogs => {
  const parsed = parseTrustedRoot(text(...parts));
  return parsed.ok ? parsed.logs : [];
};

const CASES = [
  ['managed-key-happy-path', () => publicLogs, '771488337', 1_766_077_479],
  [
    'managed-key-and-trusted-root',
    () => rootOf('sigstore-conformance/managed-key-and-trusted-root/trusted_root.json'),
    '51753644',
    1_767_810_965,
  ],
] as const;

describe.each(CASES)('sigstore-conformance, %s', (name, logsOf, logIndex, integratedTime) => {
  withThirdParty<Bundle>(['sigstore-conformance', name, 'bundle.sigstore.json'], (bundle) => {
    const logs = logsOf();
    const payload = Buffer.from(text('sigstore-conformance', 'a.txt'));
    const signed = {
      key: createPublicKey(text('sigstore-conformance', name, 'key.pub')),
      signature: Buffer.from(bundle.messageSignature.signature, 'base64'),
      payload,
      signedBytes: payload,
    };
    const entries = bundle.verificationMaterial.tlogEntries;
    const read = readEntries({ ...signed, format: 'sigstore-bundle', entries });
    const [entry] = ('entries' in read ? read.entries : []) as [LogEntry];
    const log = logs.find(({ id }) => id === entry.logId) ?? publicLogs[0];
    const { promise, proof } = entry;
    if (log === undefined || promise === undefined || proof === undefined) throw new Error('no such case');

    it('is of this signature, these bytes and this key', () => {
      expect(findForeignBody(entry, signed)).toBeUndefined();
      expect(findForeignBody(entry, { ...signed, key: otherKey })).toBe('the log entry is for another key');
    });

    it('has a promise and an inclusion proof that hold', () => {
      expect(findFalsePromise(entry, promise, log)).toBeUndefined();
      expect(findFalseProof(entry, proof, log, signed)).toBeUndefined();
    });

    it('has neither for another body', () => {
      const other = { ...entry, body: Buffer.concat([entry.body, Buffer.from(' ')]) };
      expect(findFalsePromise(other, promise, log)).toBe('the inclusion promise is not signed by the log');
      expect(findFalseProof(other, proof, log, signed)).toBe(
        'the inclusion proof is invalid: calculated root hash does not match inclusion proof',
      );
    });

    it('proves the signature where its promise is the annotation of a .sig layer', () => {
      const annotation = JSON.stringify({
        SignedEntryTimestamp: promise.signature.toString('base64'),
        Payload: {
          body: entry.body.toString('base64'),
          integratedTime: promise.integratedTime,
          logIndex: promise.logIndex,
          logID: entry.logId,
        },
      });
      const result = createProveLogged(logs)({ ...signed, format: 'simple-signing', annotation });
      expect(result).toEqual({ proof: { logIndex, integratedTime } });
    });
  });
});

const RECORDED =
  'cosign/securesystemsengineering/testimage/manifests/sha256-31dc72a13a0c34b40eb95419d2b2fd67320c856baf3b72da518023ee8d370aee.sig.json';

interface Recorded {
  readonly layers: readonly { readonly annotations: Readonly<Record<string, string>> }[];
}

describe('connaisseur, an image signed without a key of its own', () => {
  withThirdParty<Recorded>(['connaisseur', RECORDED], (manifest) => {
    const annotation = manifest.layers[0]?.annotations['dev.sigstore.cosign/bundle'];
    const none = Buffer.alloc(0);
    const signed = { key: otherKey, signature: none, signedBytes: none, payload: none };
    const logged = { ...signed, format: 'simple-signing', annotation } as const;
    const read = readEntries(logged);
    const [entry] = ('entries' in read ? read.entries : []) as [LogEntry];
    const [log] = publicLogs;
    if (log === undefined || entry.promise === undefined) throw new Error('no such case');
    const { promise } = entry;

    it('has a promise that holds', () => {
      expect(findFalsePromise(entry, promise, log)).toBeUndefined();
    });

    it('names a certificate where a key would be, and so proves no signature by a key', () => {
      expect(createProveLogged(publicLogs)(logged)).toEqual({
        problem: 'the hashedrekord 0.0.1 entry has no valid "spki"',
      });
    });
  });
});
