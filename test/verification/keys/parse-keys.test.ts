import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import jose from 'node-jose';
import { describe, expect, it } from 'vitest';
import { parseKeys } from '../../../src/verification/index.ts';
import { fixturePath } from '../../support/fixtures.ts';
import { createSigner } from '../../support/signing-kit.ts';

const signer = createSigner();
const jwk = signer.publicKey.export({ format: 'jwk' });
const privateJwk = signer.privateKey.export({ format: 'jwk' });
const privatePem = signer.privateKey.export({ type: 'pkcs8', format: 'pem' });
const spkiPem = (type: 'rsa' | 'ed25519' | 'x25519') => {
  const options = { modulusLength: 2048, publicKeyEncoding: { type: 'spki', format: 'pem' } } as const;
  const make = generateKeyPairSync as (name: string, options: object) => { publicKey: string };
  return make(type, options).publicKey;
};
const asPem = (der: Buffer, label = 'PUBLIC KEY') =>
  `-----BEGIN ${label}-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`;

const der = signer.publicKey.export({ type: 'spki', format: 'der' });
/** The same key with its point compressed, which OpenSSL reads as well. */
const compressed = Buffer.concat([
  Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex'),
  Buffer.of(((der.at(-1) ?? 0) & 1) === 1 ? 3 : 2),
  der.subarray(27, 59),
]);
/** The same point with P-256 as explicit parameters (RFC 3279, section 2.3.5). */
const explicit = (() => {
  const tlv = (tag: number, ...parts: Buffer[]) => {
    const body = Buffer.concat(parts);
    const length =
      body.length < 128
        ? Buffer.of(body.length)
        : body.length < 256
          ? Buffer.of(0x81, body.length)
          : Buffer.of(0x82, body.length >> 8, body.length & 255);
    return Buffer.concat([Buffer.of(tag), length, body]);
  };
  const hex = (text: string) => Buffer.from(text, 'hex');
  const p = hex('00ffffffff00000001000000000000000000000000ffffffffffffffffffffffff');
  const a = hex('ffffffff00000001000000000000000000000000fffffffffffffffffffffffc');
  const b = hex('5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b');
  const g = hex(
    '046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5',
  );
  const n = hex('00ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
  const field = tlv(0x30, tlv(0x06, hex('2a8648ce3d0101')), tlv(0x02, p));
  const parameters = tlv(
    0x30,
    tlv(0x02, Buffer.of(1)),
    field,
    tlv(0x30, tlv(0x04, a), tlv(0x04, b)),
    tlv(0x04, g),
    tlv(0x02, n),
    tlv(0x02, Buffer.of(1)),
  );
  return tlv(
    0x30,
    tlv(0x30, tlv(0x06, hex('2a8648ce3d0201')), parameters),
    tlv(0x03, Buffer.of(0), der.subarray(26)),
  );
})();
const KEY_3F = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEP9iHh7+0xmZA5WF2/IxZC4kvig0e
hv3hBQXHymABtGpckaN6QxLXaJfIMjYRZHcS1G2vkATqLLINM23rWKy+4Q==
-----END PUBLIC KEY-----
`;
const P256 = 'expected ECDSA P-256';
const PRIVATE = 'is a private key: give the public key instead, and consider who may have seen this one';

describe('a key is refused', () => {
  it.each([
    ['a private key in PEM', privatePem, PRIVATE],
    ['a private key in SEC 1 PEM', signer.privateKey.export({ type: 'sec1', format: 'pem' }), PRIVATE],
    ['a public key with a private one behind it', `${signer.publicPem}${privatePem}`, PRIVATE],
    ['a private JWK', JSON.stringify(privateJwk), PRIVATE],
    ['a symmetric JWK', '{"kty":"oct","k":"AAAA"}', PRIVATE],
    ['a private JWK in a set', JSON.stringify({ keys: [jwk, privateJwk] }), PRIVATE],
    [
      'two PEM blocks',
      `${signer.publicPem}${createSigner().publicPem}`,
      'has several PEM blocks: give each key its own entry',
    ],
    ['P-384', createSigner('P-384').publicPem, `is a P-384 key; ${P256}`],
    ['P-521', createSigner('P-521').publicPem, `is a P-521 key; ${P256}`],
    ['secp256k1', createSigner('secp256k1').publicPem, `is an ECDSA secp256k1 key; ${P256}`],
    ['RSA', spkiPem('rsa'), `is an RSA key; ${P256}`],
    ['Ed25519', spkiPem('ed25519'), `is an Ed25519 key; ${P256}`],
    ['X25519', spkiPem('x25519'), `is an X25519 key; ${P256}`],
    [
      'a P-384 JWK',
      JSON.stringify(createSigner('P-384').publicKey.export({ format: 'jwk' })),
      `is a P-384 key; ${P256}`,
    ],
    ['an RSA JWK', '{"kty":"RSA","n":"AQAB","e":"AQAB"}', `is an RSA key; ${P256}`],
    ['an Ed25519 JWK', '{"kty":"OKP","crv":"Ed25519","x":"AA"}', `is an Ed25519 key; ${P256}`],
    [
      'a certificate',
      asPem(der, 'CERTIFICATE'),
      'is a certificate: give the public key alone (`openssl x509 -pubkey -noout`)',
    ],
    [
      'another PEM block',
      asPem(der, 'CERTIFICATE REQUEST'),
      'is a PEM block of CERTIFICATE REQUEST, where a PUBLIC KEY is expected',
    ],
    [
      'text before the block in its line',
      `my key: ${signer.publicPem}`,
      'is malformed: expected one complete PEM block, which begins a line',
    ],
    [
      'a block without an end',
      signer.publicPem.slice(0, -20),
      'is malformed: expected one complete PEM block, which begins a line',
    ],
    ['a block that is no key', asPem(Buffer.from('no key')), 'is malformed: it contains no public key'],
    [
      'a byte too many',
      asPem(Buffer.concat([der, Buffer.of(0)])),
      'has explicit curve parameters or a compressed point: give it as `openssl ec -pubin` writes it',
    ],
    [
      'a compressed point',
      asPem(compressed),
      'has explicit curve parameters or a compressed point: give it as `openssl ec -pubin` writes it',
    ],
    [
      'a point off the curve',
      asPem(Buffer.concat([der.subarray(0, -1), Buffer.of((der.at(-1) ?? 0) ^ 1)])),
      'is malformed: it contains no public key',
    ],
    [
      'a JWK off the curve',
      JSON.stringify({ ...jwk, y: jwk.x }),
      'is malformed: its point is not on the curve P-256',
    ],
    [
      'a JWK with a short coordinate',
      JSON.stringify({ ...jwk, x: 'AAAA' }),
      'is malformed: its x is not 32 bytes in base64url',
    ],
    [
      'a JWK for encryption',
      JSON.stringify({ ...jwk, use: 'enc' }),
      'is not for signatures: its "use" says so',
    ],
    [
      'a JWK for signing only',
      JSON.stringify({ ...jwk, key_ops: ['sign'] }),
      'is not for verification: its "key_ops" says so',
    ],
    [
      'a JWK for another algorithm',
      JSON.stringify({ ...jwk, alg: 'ES384' }),
      'is not for ES256: its "alg" says so',
    ],
    [
      'a JWK with a key twice',
      `{"kty":"EC",${JSON.stringify(jwk).slice(1)}`,
      'is malformed: the key "kty" occurs twice',
    ],
    ['an empty set', '{"keys":[]}', 'is a JSON Web Key Set without keys'],
    ['a set of something else', '{"keys":[1]}', 'is not a JSON Web Key: it is not an object'],
    ['a list', JSON.stringify([jwk]), 'is not a JSON Web Key: it is not an object'],
    ['another object', '{"hello":"world"}', 'is not a JSON Web Key: its "kty" is missing or unknown'],
    ['nothing', ' \n', 'is empty'],
    [
      'HTML',
      '<!doctype html><title>404</title>',
      'is an HTML page: give the address of the file itself (its "raw" link)',
    ],
  ])('where it is %s', async (_, text, problem) => {
    expect(await parseKeys(text)).toEqual({ ok: false, problem });
  });

  // With work that grows with the square of the length, this takes minutes: a key URL serves what it likes.
  it('where its lines hold a run of blanks, in time that grows with the length', async () => {
    const blanks = ' '.repeat(500_000);
    expect(await parseKeys(`-----BEGIN PUBLIC KEY-----\nA${blanks}B\n-----END PUBLIC KEY-----`)).toEqual({
      ok: false,
      problem: expect.stringContaining('is malformed'),
    });
  });

  it('where its curve is written out as parameters, though OpenSSL takes it for P-256', async () => {
    expect(createPublicKey({ key: explicit, format: 'der', type: 'spki' }).asymmetricKeyType).toBe('ec');
    expect((await parseKeys(asPem(explicit))).ok).toBe(false);
  });
});

describe('a key is read', () => {
  const spkiSha256 = createHash('sha256').update(der).digest('hex');
  // RFC 7638, section 3: the required members in lexical order, without white space.
  const thumbprint = createHash('sha256')
    .update(`{"crv":"P-256","kty":"EC","x":"${jwk.x}","y":"${jwk.y}"}`)
    .digest('base64url');

  it.each([
    ['PEM', signer.publicPem],
    ['PEM with CRLF and white space around', `\n  ${signer.publicPem.replaceAll('\n', '\r\n')}\r\n`],
    ['PEM with blanks at the end of its base64', signer.publicPem.replaceAll(/(?<!-)\n/g, ' \t  \n')],
    ['a JWK', JSON.stringify(jwk)],
    [
      'a JWK that calls itself something',
      JSON.stringify({ ...jwk, kid: 'mine', use: 'sig', alg: 'ES256', key_ops: ['verify'] }),
    ],
    ['a JWK set', JSON.stringify({ keys: [jwk] })],
  ])('from %s, with one id whatever it was written as', async (_, text) => {
    const parsed = await parseKeys(text);
    expect(parsed.ok && parsed.keys.map(({ keyId, spkiSha256: spki }) => ({ keyId, spki }))).toEqual([
      { keyId: thumbprint, spki: spkiSha256 },
    ]);
    expect(parsed.ok && parsed.keys[0].publicKey.equals(signer.publicKey)).toBe(true);
  });

  it('from a set of several', async () => {
    const other = createSigner();
    const parsed = await parseKeys(
      JSON.stringify({ keys: [jwk, other.publicKey.export({ format: 'jwk' })] }),
    );
    expect(parsed.ok && parsed.keys.map(({ publicKey }) => publicKey.equals(signer.publicKey))).toEqual([
      true,
      false,
    ]);
  });

  it('from the file Istio publishes', async () => {
    const parsed = await parseKeys(readFileSync(fixturePath('istio/istio-key.pub'), 'utf8'));
    expect(parsed.ok && parsed.keys).toHaveLength(1);
  });

  it("from PEM whose X begins with byte 0x3F, where node-jose's own import fails", async () => {
    const pem = KEY_3F;
    await expect(jose.JWK.asKey(pem, 'pem')).rejects.toThrow('outside buffer bounds');
    const parsed = await parseKeys(pem);
    expect(parsed.ok && parsed.keys[0].publicKey.equals(createPublicKey(pem))).toBe(true);
  });
});
