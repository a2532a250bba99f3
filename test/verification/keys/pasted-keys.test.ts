import { generateKeyPairSync } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseKeys } from '../../../src/verification/index.ts';
import { createSigner } from '../../support/signing-kit.ts';
import { createTls } from '../../support/tls.ts';

/* Keys as people paste, export and mount them. What is refused is named, with what to do; nothing of a key is printed. */

const signer = createSigner();
const pem = signer.publicPem;
const der = signer.publicKey.export({ type: 'spki', format: 'der' });
const jwk = JSON.stringify(signer.publicKey.export({ format: 'jwk' }));
const privatePem = signer.privateKey.export({ type: 'pkcs8', format: 'pem' });
const privateDer = signer.privateKey.export({ type: 'pkcs8', format: 'der' });
const encryptedDer = signer.privateKey.export({
  type: 'pkcs8',
  format: 'der',
  cipher: 'aes-256-cbc',
  passphrase: 'secret',
});
const sec1Der = signer.privateKey.export({ type: 'sec1', format: 'der' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ed25519 = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' });
const certificate = createTls().cert;
const base64Of = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64');
const certificateDer = Buffer.from(certificate.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');

const utf16le = (text: string) => Buffer.from(text, 'utf16le');
const utf16be = (text: string) => utf16le(text).swap16();
const withMark = (bytes: Buffer, ...mark: number[]) => Buffer.concat([Buffer.of(...mark), bytes]);

const PRIVATE = 'is a private key: give the public key instead, and consider who may have seen this one';
const NO_KEY = 'is malformed: it contains no public key';
const UNKNOWN = 'is neither a PEM block nor JSON';
const PARAMETERS = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';

describe('a key as people paste it is refused by name', () => {
  it.each([
    ['a private key in DER', privateDer, PRIVATE],
    ['a private key in DER of SEC 1', sec1Der, PRIVATE],
    ['an encrypted private key in DER', encryptedDer, PRIVATE],
    ['a private key in base64', base64Of(privateDer), PRIVATE],
    ['a private PEM block in base64, as a Secret holds it', base64Of(privatePem), PRIVATE],
    ['a private PEM block in UTF-16', withMark(utf16le(privatePem), 0xff, 0xfe), PRIVATE],
    ['a private PEM block with blanks after its BEGIN line', privatePem.replace('\n', '  \n'), PRIVATE],
    ['a private PEM block with its line breaks as \\n', privatePem.replaceAll('\n', '\\n'), PRIVATE],
    ['a private key under the name of a public one', privatePem.replaceAll('PRIVATE', 'PUBLIC'), PRIVATE],
    ["cosign's private key", privatePem.replaceAll('PRIVATE', 'ENCRYPTED SIGSTORE PRIVATE'), PRIVATE],
    [
      'a certificate in DER',
      certificateDer,
      'is a certificate: give the public key alone (`openssl x509 -inform DER -pubkey -noout`)',
    ],
    [
      'a certificate in base64',
      base64Of(certificate),
      'is a certificate: give the public key alone (`openssl x509 -pubkey -noout`)',
    ],
    [
      'an RSA key in DER',
      rsa.publicKey.export({ type: 'spki', format: 'der' }),
      'is an RSA key; expected ECDSA P-256',
    ],
    [
      'an RSA key in DER of PKCS 1',
      rsa.publicKey.export({ type: 'pkcs1', format: 'der' }),
      'is an RSA key; expected ECDSA P-256',
    ],
    ['an Ed25519 key in base64', base64Of(ed25519), 'is an Ed25519 key; expected ECDSA P-256'],
    [
      'a key with EC PARAMETERS before it',
      `${PARAMETERS}${pem}`,
      'has a block of EC PARAMETERS beside the key: remove that block, the key names its curve itself',
    ],
    ['EC PARAMETERS with a private key', `${PARAMETERS}${privatePem}`, PRIVATE],
    ['EC PARAMETERS alone', PARAMETERS, 'is a PEM block of EC PARAMETERS, where a PUBLIC KEY is expected'],
    [
      'an SSH key',
      'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAI me@host',
      'is an SSH key: convert it, `ssh-keygen -e -m PKCS8 -f KEY.pub > cosign.pub`',
    ],
    ['a URL', 'https://corp.example/key.pub\n', 'is the URL of a key: give it as url, or to --key'],
    ['half of it in DER', der.subarray(0, 60), UNKNOWN],
    ['DER with a byte behind it', Buffer.concat([der, Buffer.of(0)]), UNKNOWN],
    ['DER of something else', Buffer.from('3003020100', 'hex'), NO_KEY],
    ['base64 of base64', base64Of(base64Of(der)), UNKNOWN],
    ['base64 in the alphabet of URLs', `-${base64Of(der).slice(1)}`, UNKNOWN],
    ['base64 without its end', base64Of(der).slice(0, -3), UNKNOWN],
    ['binary data', Buffer.from([0x1f, 0x8b, 0x08, 0x00]), UNKNOWN],
    ['UTF-16 of which a byte is lost', utf16le(pem).subarray(1), UNKNOWN],
    ['a byte order mark alone', Buffer.of(0xef, 0xbb, 0xbf), 'is empty'],
  ])('%s', async (_, document, problem) => {
    expect(await parseKeys(document)).toEqual({ ok: false, problem });
  });

  it.each([
    ['env://COSIGN_PUBLIC_KEY', /an environment variable.*`printenv NAME > cosign\.pub`/],
    ['k8s://cosign/release-key', /a Secret of Kubernetes.*`kubectl get secret .*base64 -d > cosign\.pub`/],
    ['awskms:///alias/release', /\(awskms\).*`cosign public-key --key URI > cosign\.pub`/],
    ['gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k', /\(gcpkms\).*`cosign public-key/],
    ['azurekms://vault.example/key', /\(azurekms\).*`cosign public-key/],
    ['hashivault://transit-key', /\(hashivault\).*`cosign public-key/],
    ['pkcs11:token=t;object=o?pin-value=1234', /\(pkcs11\).*`cosign public-key/],
    ['gitlab://group/project', /a variable of GitLab/],
    ['file:///keys/cosign.pub', /a file URL: give the path alone/],
  ])('the URI %s, of which it prints the scheme alone', async (uri, problem) => {
    const parsed = await parseKeys(`${uri}\n`);
    expect(parsed).toEqual({ ok: false, problem: expect.stringMatching(problem) });
    expect(JSON.stringify(parsed)).not.toContain(uri.slice(12));
  });

  it('whatever it is, in one line that holds nothing of it', async () => {
    const secret = privatePem.split('\n')[1] ?? '';
    const documents = fc.oneof(
      fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
      fc.nat(privatePem.length).map((at) => Buffer.from(privatePem.slice(at))),
      fc.nat(privateDer.length).map((at) => privateDer.subarray(0, at)),
      fc.nat(der.length - 1).map((at) => Buffer.from(base64Of(der.subarray(0, at)))),
    );
    await fc.assert(
      fc.asyncProperty(documents, async (document) => {
        const parsed = await parseKeys(document);
        expect(parsed).toEqual({ ok: false, problem: expect.stringMatching(/^[^\r\n]+$/) });
        expect(JSON.stringify(parsed)).not.toContain(secret.slice(0, 8));
      }),
    );
  });
});

describe('a key as people paste it is read', () => {
  it.each<[string, Uint8Array | string]>([
    ['with blanks after its BEGIN line', pem.replace('\n', ' \t \n')],
    ['with blanks at the beginning of its lines', pem.replaceAll(/^/gm, '    ')],
    ['with blanks in its lines', pem.replaceAll(/([A-Za-z0-9+/]{20})/g, '$1 ')],
    ['with empty lines between its lines', pem.replaceAll('\n', '\n\n')],
    ['with no-break spaces', pem.replaceAll('\n', '\u00a0\n')],
    ['with the line ends of Windows', pem.replaceAll('\n', '\r\n')],
    ['with the line ends of old Macs', pem.replaceAll('\n', '\r')],
    ['in one line', pem.replaceAll('\n', ' ')],
    ['with its line breaks as \\n, in quotes', `"${pem.replaceAll('\n', '\\n')}"`],
    ['with a byte order mark', `\ufeff${pem}`],
    ['in bytes with a byte order mark', Buffer.from(`\ufeff${pem}`)],
    ['in UTF-16, as PowerShell writes it', withMark(utf16le(pem), 0xff, 0xfe)],
    ['in UTF-16, big-endian', withMark(utf16be(pem), 0xfe, 0xff)],
    ['in UTF-16 without a byte order mark', utf16le(pem)],
    ['in UTF-16 without a byte order mark, big-endian', utf16be(pem)],
    ['in DER', der],
    ['in base64 of its DER', base64Of(der)],
    ['in base64 of its DER in lines', `${base64Of(der).replaceAll(/.{64}/g, '$&\r\n')}\r\n`],
    ['in base64 of its PEM, as a Secret holds it', base64Of(pem)],
    ['in base64 in UTF-16', withMark(utf16le(base64Of(pem)), 0xff, 0xfe)],
    ['as a JWK with a byte order mark', Buffer.from(`\ufeff${jwk}`)],
    ['as a JWK in UTF-16', withMark(utf16le(jwk), 0xff, 0xfe)],
  ])('%s', async (_, document) => {
    const parsed = await parseKeys(document);
    expect(parsed).toMatchObject({ ok: true });
    expect(parsed.ok && parsed.keys.map(({ publicKey }) => publicKey.equals(signer.publicKey))).toEqual([
      true,
    ]);
  });
});
