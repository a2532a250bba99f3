import { describe, expect, it } from 'vitest';
import type { ValidSignature } from '../../../src/verification/index.ts';
import { distinctSignatures, selectFew } from '../../../src/verification/memory/distinct-signatures.ts';

const signatureOf = (changes: Partial<ValidSignature> = {}): ValidSignature => ({
  keyId: 'release',
  format: 'simple-signing',
  signedReference: 'docker.io/istio/pilot',
  payload: `${changes.signedReference ?? 'docker.io/istio/pilot'} signed`,
  logBundle: undefined,
  logged: undefined,
  ...changes,
});
const proof = { proof: { logIndex: '1', integratedTime: undefined } } as const;
const distinct = (signatures: readonly ValidSignature[]) => distinctSignatures(signatures, (each) => each);

describe('a signature is not another one', () => {
  it('for what comes with it', () => {
    const [first, ...others] = Array.from({ length: 10_000 }, (_, at) => signatureOf({ logBundle: `${at}` }));
    expect(distinct([first as ValidSignature, ...others])).toEqual([first]);
  });

  it('and it is the one that the log proves, whichever is listed first', () => {
    const [bare, proven] = [signatureOf(), signatureOf({ logged: proof })];
    const failed = signatureOf({ logged: { problem: 'no entry' } });
    for (const order of [
      [bare, failed, proven],
      [proven, bare, failed],
      [failed, proven, bare],
    ])
      expect(distinct(order)).toEqual([proven]);
  });

  it('but by its key, its format and the bytes it signs it is', () => {
    const all = [
      signatureOf(),
      signatureOf({ keyId: 'corp' }),
      signatureOf({ format: 'sigstore-bundle' }),
      signatureOf({ payload: 'others' }),
    ];
    expect(distinct([...all, ...all])).toEqual(all);
  });
});

describe('the few signatures that are kept', () => {
  const named = (names: readonly string[], changes: Partial<ValidSignature> = {}) =>
    names.map((name) => signatureOf({ signedReference: `docker.io/istio/${name}`, ...changes }));
  const flood = Array.from({ length: 100 }, (_, at) =>
    signatureOf({ signedReference: `docker.io/flood-${at}/ztunnel` }),
  );

  it('are all of them if they are few', () => {
    const all = named(['pilot', 'proxyv2', 'ztunnel']);
    expect(selectFew(all, 3)).toEqual(all);
  });

  it('are not pushed out by those of another name, however many there are and wherever they stand', () => {
    const [pilot] = named(['pilot']);
    for (const all of [
      [...flood, pilot as ValidSignature],
      [pilot as ValidSignature, ...flood],
    ]) {
      const few = selectFew(all, 8);
      expect(few).toHaveLength(8);
      expect(few).toContain(pilot);
    }
  });

  it('are not pushed out by those of another key', () => {
    const names = Array.from({ length: 100 }, (_, at) => `name-${at}`);
    const [pilot] = named(['pilot'], { keyId: 'corp' });
    expect(selectFew([...named(names), pilot as ValidSignature], 8)).toContain(pilot);
  });

  it('are not pushed out by those that no log proves', () => {
    const [pilot] = named(['pilot'], { logged: proof });
    const names = Array.from({ length: 100 }, (_, at) => `name-${at}`);
    expect(selectFew([...named(names), ...named(['pilot']), pilot as ValidSignature], 8)).toContain(pilot);
  });
});
