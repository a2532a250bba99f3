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
    ['base64 that could be a name before an equals sign', `-${'b'.repeat(121)}==`, UNKNOWN],
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

const commented = (text: string) => text.replaceAll(/^(?=.)/gm, '# ');
const other = createSigner().publicPem;
const MALFORMED = 'is malformed: expected one complete PEM block, which begins a line';
const SEVERAL = 'has several PEM blocks: give each key its own entry';
const SECRET =
  'is a whole Secret of Kubernetes, which may hold the private key too: give data.cosign.pub alone, decoded';
const PATH = 'is a path, where the key itself is expected: give it as file, or to --key';
const VARIABLE = 'is a variable that nothing replaced by its value: give the key itself';
const NAMED = 'is a value with its name before it: give the value alone';

describe('text around a key is no reason to trust', () => {
  it.each<[string, string, string]>([
    ['a key that is commented out', commented(pem), MALFORMED],
    ['a key that is commented out in one line', `# ${pem.replaceAll('\n', ' ')}`, MALFORMED],
    [
      'a key that is commented out with its line breaks as \\n',
      `# was:\\n${pem.replaceAll('\n', '\\n')}`,
      MALFORMED,
    ],
    ['a key beside one that is commented out', `${commented(other)}${pem}`, MALFORMED],
    ['a key beside one that has no end', `${other.slice(0, -20)}\n${pem}`, MALFORMED],
    ['two keys, each with a comment', `# old\n${other}# new\n${pem}`, SEVERAL],
    ['the same key twice, and another', `${pem}${pem}${other}`, SEVERAL],
    ['a certificate behind the key, with text', `# key\n${pem}# certificate\n${certificate}`, SEVERAL],
    ['a private key behind the key, with text', `# key\n${pem}# private\n${privatePem}`, PRIVATE],
    [
      'a private key in small letters',
      `${pem}${privatePem.replaceAll('PRIVATE KEY', 'private key')}`,
      PRIVATE,
    ],
    [
      'what `openssl pkey -text` prints of a private key',
      `Private-Key: (256 bit)\npriv:\n    1a:2b:3c\n${pem}`,
      PRIVATE,
    ],
    ['a comment in the block', pem.replace('\n', '\n# my key\n'), MALFORMED],
  ])('%s', async (_, document, problem) => {
    expect(await parseKeys(document)).toEqual({ ok: false, problem });
  });
});

describe('a text that holds or names a key is refused with a remedy', () => {
  it.each<[string, string, string]>([
    ['a Secret in YAML', `apiVersion: v1\nkind: Secret\ndata:\n  cosign.pub: ${base64Of(pem)}\n`, SECRET],
    ['a Secret in JSON', JSON.stringify({ kind: 'Secret', data: { 'cosign.pub': base64Of(pem) } }), SECRET],
    [
      'a Secret with its text',
      `kind: Secret\nstringData:\n  cosign.pub: |\n${pem.replaceAll(/^/gm, '    ')}`,
      SECRET,
    ],
    ['a Secret with a private key', `kind: Secret\nstringData:\n  cosign.key: |\n${privatePem}`, PRIVATE],
    ['the private member of a Secret', `cosign.key: ${base64Of(privatePem)}`, PRIVATE],
    ['a named value that is no key', 'COSIGN_KEY=secret-password', NAMED],
    ['a named key in DER', `cosign.pub: ${base64Of(der)}`, NAMED],
    ['two named values', `a: ${base64Of(pem)}\nb: ${base64Of(other)}`, NAMED],
    [
      'a page',
      `<!DOCTYPE html>\n<html><pre>\n${pem}</pre>`,
      'is an HTML page: give the address of the file itself (its "raw" link)',
    ],
    ['a variable of a workflow', '${{ secrets.COSIGN_PUBLIC_KEY }}', VARIABLE],
    ['a variable of a shell', '$COSIGN_PUBLIC_KEY', VARIABLE],
    ['a variable of a shell, in braces', '"${COSIGN_PUBLIC_KEY}"', VARIABLE],
    ['a command of a shell', '$(cat cosign.pub)', VARIABLE],
    [
      'a value of a chart',
      '{{ .Values.key }}',
      'is a template that nothing replaced by its value: give the key itself',
    ],
    ['an absolute path', '/etc/keys/cosign', PATH],
    ['a path that is base64 too', '/etc/key', PATH],
    ['a relative path', './cosign.pub', PATH],
    ['the name of a file', 'cosign.pub', PATH],
    ['a path of Windows', 'C:\\keys\\cosign.pub', PATH],
  ])('%s', async (_, document, problem) => {
    expect(await parseKeys(document)).toEqual({ ok: false, problem });
  });
});

describe('a key as people paste it is read', () => {
  it.each<[string, Uint8Array | string]>([
    ['with blanks after its BEGIN line', pem.replace('\n', ' \t \n')],
    ['with blanks at the beginning of its lines', pem.replaceAll(/^/gm, '    ')],
    ['with blanks in its lines', pem.replaceAll(/([A-Za-z0-9+/]{20})/g, '$1 ')],
    ['with empty lines between its lines', pem.replaceAll('\n', '\n\n')],
    ['with a comment before it', `# release key\n${pem}`],
    ['with a comment after it', `${pem}# until 2027\n`],
    [
      'as `openssl ec -text` prints it',
      `Public-Key: (256 bit)\npub:\n    04:3f\nASN1 OID: prime256v1\n${pem}`,
    ],
    [
      'with the attributes of a PKCS 12 bag',
      `Bag Attributes\n    friendlyName: release\nKey Attributes: <No Attributes>\n${pem}`,
    ],
    ['with header lines', pem.replace('\n', '\nComment: release-key\nVersion: 2\n\n')],
    ['twice', `${pem}${pem}`],
    ['twice, with text between', `${pem}# again\n${pem.replaceAll('\n', '\r\n')}`],
    ['in base64 of its PEM with a comment', base64Of(`# key\n${pem}`)],
    ['with no-break spaces in its BEGIN line', pem.replace('BEGIN PUBLIC KEY', 'BEGIN\u00a0PUBLIC\u00a0KEY')],
    ['with no-break spaces as indentation', pem.replaceAll(/^/gm, '\u00a0\u00a0')],
    ['with invisible characters', pem.replaceAll(/([A-Za-z0-9+/]{10})/g, '$1\u200b\u2060\u00ad')],
    ['in curly quotes', `\u201c${pem.trim()}\u201d`],
    ['in single curly quotes', `\u2018${pem.trim()}\u2019`],
    ['as a JSON string with escaped slashes', JSON.stringify(pem).replaceAll('/', '\\/')],
    [
      'as a JSON string with escapes of its base64',
      JSON.stringify(pem).replaceAll('=', '\\u003d').replaceAll('+', '\\u002b'),
    ],
    ['as a JSON string in a JSON string', JSON.stringify(JSON.stringify(pem))],
    ['as a JSON string of a file with a comment', JSON.stringify(`# key\n${pem}`)],
    ['with its line breaks escaped twice', pem.replaceAll('\n', '\\\\n')],
    ['as a member of a Secret', `cosign.pub: ${base64Of(pem)}\n`],
    ['as a quoted member of a Secret', `"cosign.pub": "${base64Of(pem)}"`],
    ['as a line of an environment file', `COSIGN_PUBLIC_KEY=${base64Of(pem)}`],
    ['as an exported variable', `export COSIGN_PUBLIC_KEY='${base64Of(pem)}'`],
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
