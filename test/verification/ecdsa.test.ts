import { createPublicKey, verify as verifyByNode } from 'node:crypto';
import * as fc from 'fast-check';
import jose from 'node-jose';
import { describe, expect, it } from 'vitest';
import { isStrictSignature, verifySignature } from '../../src/verification/ecdsa.ts';
import { createSigner, signBytes } from '../support/signing-kit.ts';
import { withThirdParty } from '../support/third-party.ts';

interface Wycheproof {
  readonly testGroups: readonly {
    readonly publicKeyPem: string;
    readonly tests: readonly {
      readonly tcId: number;
      readonly comment: string;
      readonly msg: string;
      readonly sig: string;
      readonly result: 'valid' | 'invalid';
    }[];
  }[];
}

const signer = createSigner();

/** r and s as 64 bytes, read without validation. */
const joinIntegers = (der: Buffer): Buffer => {
  const first = der.subarray(4, 4 + (der[3] ?? 0));
  const second = der.subarray(4 + first.length + 2);
  const fit = (integer: Buffer) => Buffer.concat([Buffer.alloc(32), integer]).subarray(-32);
  return Buffer.concat([fit(first), fit(second)]);
};

const verifyByJose = async (message: Buffer, der: Buffer): Promise<boolean> => {
  const key = await jose.JWK.asKey(signer.publicKey.export({ format: 'jwk' }));
  // @types/node-jose leaves out the raw form of verify.
  const raw = key as unknown as { verify(alg: string, data: Buffer, mac: Buffer): Promise<unknown> };
  return raw.verify('ES256', message, joinIntegers(der)).then(
    () => true,
    () => false,
  );
};

const sequence = (...integers: readonly string[]) => {
  const body = integers.map((hex) => `02${(hex.length / 2).toString(16).padStart(2, '0')}${hex}`).join('');
  return Buffer.from(`30${(body.length / 2).toString(16).padStart(2, '0')}${body}`, 'hex');
};
const N = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';
const N_LESS_1 = N.replace(/51$/, '50');

describe('a DER-encoded ECDSA signature', () => {
  it.each([
    ['r of zero', sequence('00', '01')],
    ['s of zero', sequence('01', '00')],
    ['an integer without content', sequence('', '01')],
    ['a negative integer', sequence('80', '01')],
    ['a needless zero lead', sequence('0001', '01')],
    ['r of n', sequence(`00${N}`, '01')],
    ['s of n', sequence('01', `00${N}`)],
    ['a 33-byte integer that leads with another byte than zero', sequence(`01${N}`, '01')],
    ['a third integer', sequence('01', '01', '01')],
    ['one integer alone', sequence('01')],
    ['a trailing byte', Buffer.concat([sequence('01', '01'), Buffer.of(0)])],
    ['a long-form length', Buffer.from('308106020101020101', 'hex')],
    ['another tag', Buffer.from('3106020101020101', 'hex')],
    ['nothing', Buffer.alloc(0)],
    ['a lone tag', Buffer.of(0x30)],
    ['an integer longer than what is there', Buffer.from('3006020101020501', 'hex')],
  ])('is refused with %s', (_, der) => {
    expect(isStrictSignature(der)).toBe(false);
  });

  it('may hold the smallest and the greatest integers there are', () => {
    expect(isStrictSignature(sequence('01', `00${N_LESS_1}`))).toBe(true);
    expect(isStrictSignature(sequence('0080', '7f'))).toBe(true);
  });

  it('is never judged by throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.uint8Array(), (der, message) => {
        expect(verifySignature(signer.publicKey, message, der)).toBe(false);
      }),
    );
  });
});

describe('our check and those of node:crypto and node-jose', () => {
  it('agree on signatures as they were made', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const message = Buffer.from(bytes);
        const der = signBytes(signer, message);
        expect(verifySignature(signer.publicKey, message, der)).toBe(true);
        expect(verifyByNode('sha256', message, signer.publicKey, der)).toBe(true);
        expect(await verifyByJose(message, der)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('agree that no signature survives a changed byte', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 100 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (bytes, at, change) => {
          const message = Buffer.from(bytes);
          const der = signBytes(signer, message);
          const place = at % der.length;
          der.writeUInt8(der.readUInt8(place) ^ change, place);
          expect(verifySignature(signer.publicKey, message, der)).toBe(false);
          expect(verifyByNode('sha256', message, signer.publicKey, der)).toBe(false);
          expect(isStrictSignature(der) && (await verifyByJose(message, der))).toBe(false);
        },
      ),
      { numRuns: 100 },
    );
  });
});

withThirdParty<Wycheproof>(['wycheproof', 'ecdsa_secp256r1_sha256_test.json'], ({ testGroups }) => {
  describe('Wycheproof, ECDSA P-256 with SHA-256', () => {
    const cases = testGroups.flatMap(({ publicKeyPem, tests }) =>
      tests.map((test) => ({ ...test, publicKeyPem })),
    );

    it('has all of its 484 cases', () => {
      expect(cases).toHaveLength(484);
    });

    it.each(cases)('agrees on case $tcId: $comment', ({ publicKeyPem, msg, sig, result }) => {
      const key = createPublicKey(publicKeyPem);
      const [message, signature] = [Buffer.from(msg, 'hex'), Buffer.from(sig, 'hex')];
      expect(verifySignature(key, message, signature)).toBe(result === 'valid');
    });
  });
});
