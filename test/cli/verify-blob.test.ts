import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { createSigner, type Signer } from '../support/signing-kit.ts';
import { createTls } from '../support/tls.ts';

const signer = createSigner();
const stranger = createSigner();
const CONTENT = Buffer.from('what was released');
const DER = sign('sha256', CONTENT, signer.privateKey);
const FOREIGN = sign('sha256', CONTENT, stranger.privateKey);

let directory = '';
const write = async (name: string, content: string | Uint8Array): Promise<string> => {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
};

let key = '';
let file = '';
let signature = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sailmark-blob-'));
  key = await write('release.pub', signer.publicPem);
  file = await write('tool.tar', CONTENT);
  signature = await write('tool.tar.sig', DER.toString('base64'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const verify = (...argv: readonly string[]) => runCli(['verify-blob', ...argv]);
const verifyWith = (given: string) => verify('--key', key, '--signature', given, file);
const BUNDLE = 'application/vnd.dev.sigstore.bundle';
const hintOf = ({ publicKey }: Signer) =>
  createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
/** A bundle as `cosign sign-blob --key --bundle` writes it, with changed members. */
const bundle = (changes: object = {}, by: Signer = signer): string =>
  JSON.stringify({
    mediaType: `${BUNDLE}.v0.3+json`,
    verificationMaterial: { publicKey: { hint: hintOf(by) } },
    messageSignature: {
      messageDigest: { algorithm: 'SHA2_256', digest: createHash('sha256').update(CONTENT).digest('base64') },
      signature: sign('sha256', CONTENT, by.privateKey).toString('base64'),
    },
    ...changes,
  });
const withEntries = (tlogEntries: readonly object[]) =>
  bundle({ verificationMaterial: { publicKey: { hint: hintOf(signer) }, tlogEntries } });
const OK = { code: 0, stdout: '', stderr: 'Verified OK\n' };

describe('verify-blob refuses', () => {
  it('a signature by another key, and names the file and the key', async () => {
    expect(await verifyWith(FOREIGN.toString('base64'))).toEqual({
      code: 12,
      stdout: '',
      stderr: `Error: ${file}: the signature does not verify with the key ${key}\n`,
    });
  });

  it('a file that is not the one signed', async () => {
    const other = await write('other.tar', 'what was not released');
    expect((await verify('--key', key, '--signature', signature, other)).code).toBe(12);
  });

  it('a signature of another form, before it reads the file', async () => {
    const bytes = await write('form.sig', DER.subarray(0, -1));
    expect(await verifyWith(bytes)).toEqual({
      code: 12,
      stdout: '',
      stderr: `Error: ${file}: the signature is malformed: expected ECDSA P-256 in DER, got ${DER.length - 1} other bytes\n`,
    });
  });

  it('r and s side by side, and says what is wanted', async () => {
    const raw = sign('sha256', CONTENT, { key: signer.privateKey, dsaEncoding: 'ieee-p1363' });
    const { code, stderr } = await verifyWith(await write('raw.sig', raw));
    expect({ code, stderr }).toEqual({
      code: 12,
      stderr: expect.stringContaining(
        'expected a signature in DER, as `openssl dgst -sign` and cosign write it, got 64 bytes',
      ),
    });
  });

  it('to call a signature bad while a key named could not be fetched', async () => {
    const argv = ['--key', key, '--key', 'https://127.0.0.1:1/release.pub', '--signature'];
    const { code, stderr } = await verify(...argv, FOREIGN.toString('base64'), file);
    expect({ code, stderr }).toEqual({
      code: 20,
      stderr: expect.stringMatching(
        /^Warning: no key loaded from https:\/\/127\.0\.0\.1:1\/release\.pub: .*\nError: /,
      ),
    });
  });
});

describe('the JSON of a bundle', () => {
  const snaked = (text: string): string =>
    text.replaceAll(
      /"([a-z]+[A-Z]\w*)":/g,
      (_, name: string) => `"${name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}":`,
    );
  const verifyBundle = async (text: string) =>
    verify('--key', key, '--bundle', await write('names.json', text), file);

  it.each<[string, () => string, string]>([
    ['an unknown member', () => bundle({ note: 'x' }), 'the bundle has an unknown member "note"'],
    [
      'a field under both of its names',
      () => bundle({ message_signature: {} }),
      'the bundle has a field under both of its names',
    ],
    [
      'a certificate in snake_case',
      () =>
        snaked(
          bundle({ verificationMaterial: { publicKey: {}, x509CertificateChain: { certificates: [] } } }),
        ),
      'keyless',
    ],
    ['an envelope in snake_case', () => snaked(bundle({ dsseEnvelope: {} })), 'a DSSE envelope'],
    ['another hash by its number', () => bundle().replace('"SHA2_256"', '2'), 'not of SHA2_256'],
    ['a stranger, in snake_case', () => snaked(bundle({}, stranger)), ''],
  ])('is refused with %s', async (_, text, message) => {
    const { code, stderr } = await verifyBundle(text());
    expect(code).toBe(12);
    expect(stderr).toContain(message);
  });

  it.each<[string, () => string]>([
    ['snake_case', () => snaked(bundle())],
    ['the number of its hash', () => bundle().replace('"SHA2_256"', '1')],
  ])('may have %s, as cosign reads it', async (_, text) => {
    expect(await verifyBundle(text())).toEqual(OK);
  });
});

describe('verify-blob says what was given for a signature that is none', () => {
  const P384 = createSigner('P-384');
  const utf16 = Buffer.from(`\ufeff${DER.toString('base64')}\r\n`, 'utf16le');
  it.each<[string, () => string | Uint8Array, RegExp]>([
    ['a Sigstore bundle', () => bundle(), /is a bundle: give it with --bundle$/],
    [
      'a bundle of cosign 2',
      () => JSON.stringify({ base64Signature: 'MEUC' }),
      /is a bundle: give it with --bundle$/,
    ],
    ['other JSON', () => '{"signature":"MEUC"}', /is JSON$/],
    ['text in UTF-16', () => utf16, /is text in UTF-16, as PowerShell writes it: write it in ASCII/],
    ['text in UTF-16, big-endian', () => Buffer.from(utf16).swap16(), /is text in UTF-16/],
    ['an RSA signature', () => Buffer.alloc(256, 0xfa), /got 256 bytes, the length of an RSA signature$/],
    ['an RSA signature in base64', () => Buffer.alloc(512, 0xfa).toString('base64'), /of an RSA signature$/],
    [
      'a signature on P-384',
      () => sign('sha256', CONTENT, P384.privateKey),
      /an ECDSA signature on a larger curve$/,
    ],
    ['the public key', () => signer.publicPem, /is a key: is it meant for --key\?$/],
    ['a PGP signature', () => '-----BEGIN PGP SIGNATURE-----\n\niQIz\n', /is a PGP block$/],
    [
      'a signature of minisign',
      () => 'untrusted comment: signature\nRUQ=\n',
      /is a signature of minisign or signify$/,
    ],
    ['a checksum', () => `${'0a'.repeat(32)}  tool.tar\n`, /is a SHA-256 checksum, not a signature$/],
    [
      'a signature in hexadecimal',
      () => DER.toString('hex'),
      /is in hexadecimal: write its bytes, `xxd -r -p`$/,
    ],
    ['an empty file', () => '', /the signature is empty$/],
  ])('%s', async (name, content, message) => {
    const { code, stdout, stderr } = await verifyWith(await write(`given ${name}`, content()));
    expect({ code, stdout, stderr: stderr.trimEnd() }).toEqual({
      code: 12,
      stdout: '',
      stderr: expect.stringMatching(message),
    });
  });

  it('after it named a key of another kind', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const rsaKey = await write('rsa.pub', rsa.publicKey.export({ type: 'spki', format: 'pem' }));
    const given = await write('rsa.sig', sign('sha256', CONTENT, rsa.privateKey));
    expect(await verify('--key', rsaKey, '--signature', given, file)).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error: --key ${rsaKey}: is an RSA key; expected ECDSA P-256\n`,
    });
  });
});

describe('verify-blob refuses a bundle', () => {
  const withMaterial = (verificationMaterial: object) => bundle({ verificationMaterial });
  const withMessage = (messageSignature: object) => bundle({ messageSignature });
  const digest = { algorithm: 'SHA2_256', digest: createHash('sha256').update(CONTENT).digest('base64') };
  it.each<[string, () => string, RegExp]>([
    [
      'of an image or an attestation',
      () => bundle({ messageSignature: undefined, dsseEnvelope: {} }),
      /holds a DSSE envelope/,
    ],
    ['with a DSSE envelope beside', () => bundle({ dsseEnvelope: {} }), /holds a DSSE envelope/],
    [
      'with a certificate',
      () => withMaterial({ certificate: { rawBytes: '' } }),
      /was signed with a certificate/,
    ],
    [
      'with a certificate beside the key',
      () => withMaterial({ publicKey: {}, certificate: {} }),
      /with a certificate/,
    ],
    ['with a chain of certificates', () => withMaterial({ x509CertificateChain: {} }), /with a certificate/],
    ['without a key', () => withMaterial({ publicKey: null }), /names no public key$/],
    ['without a signature', () => bundle({ messageSignature: null }), /holds no signature$/],
    [
      'whose signature is no text',
      () => withMessage({ messageDigest: digest, signature: 1 }),
      /no signature in standard/,
    ],
    [
      'whose signature is absent',
      () => withMessage({ messageDigest: digest }),
      /no signature in standard base64$/,
    ],
    [
      'without a digest',
      () => withMessage({ signature: 'MEUC' }),
      /is over a digest of no algorithm, not of SHA2_256$/,
    ],
    [
      'over another digest',
      () => withMessage({ messageDigest: { ...digest, algorithm: 'SHA2_512' }, signature: 'MEUC' }),
      /is over a digest of SHA2_512, not of SHA2_256$/,
    ],
    [
      'with half a digest',
      () => withMessage({ messageDigest: { ...digest, digest: 'AAAA' }, signature: 'MEUC' }),
      /has no SHA-256 of the file in base64$/,
    ],
    [
      'of a version to come',
      () => bundle({ mediaType: `${BUNDLE}.v0.4+json` }),
      /another version than 0\.1 to 0\.3$/,
    ],
    ['that is other JSON', () => '{"a":1}', /is JSON, but not a Sigstore bundle$/],
    ['that is no JSON', () => DER.toString('base64'), /cannot be read: it is not JSON in UTF-8$/],
    [
      'with a key twice',
      () => bundle().replace('{', '{"messageSignature":{},'),
      /"messageSignature" occurs twice$/,
    ],
    ['that has no end', () => ' '.repeat(2 ** 20 + 1), /is longer than 1048576 bytes$/],
  ])('%s', async (name, content, message) => {
    const path = await write(`bundle ${name}.json`, content());
    const { code, stdout, stderr } = await verify('--key', key, '--bundle', path, file);
    expect({ code, stdout, stderr: stderr.trimEnd() }).toEqual({
      code: 12,
      stdout: '',
      stderr: expect.stringMatching(message),
    });
    expect(stderr).toContain(`Error: ${path}: the bundle `);
  });

  it('by another key, which its hint names', async () => {
    const path = await write('stranger.json', bundle({}, stranger));
    expect(await verify('--key', key, '--bundle', path, file)).toEqual({
      code: 12,
      stdout: '',
      stderr: `Error: ${file}: the signature does not verify with the key ${key}; the bundle names another key, "${hintOf(stranger)}"\n`,
    });
  });

  it('by another key that poses as ours', async () => {
    const posing = { verificationMaterial: { publicKey: { hint: hintOf(signer) } } };
    const path = await write('posing.json', bundle(posing, stranger));
    expect(await verify('--key', key, '--bundle', path, file)).toEqual({
      code: 12,
      stdout: '',
      stderr: `Error: ${file}: the signature does not verify with the key ${key}\n`,
    });
  });

  it('of another file', async () => {
    const other = await write('other file', 'what was not released');
    const path = await write('good.json', bundle());
    expect(await verify('--key', key, '--bundle', path, other)).toMatchObject({
      code: 12,
      stderr: `Error: ${other}: the bundle is for another file: its SHA-256 is not that of this one\n`,
    });
  });

  it('whose digest is of another file, though its signature is of this one, as cosign does', async () => {
    const messageDigest = { ...digest, digest: createHash('sha256').update('other').digest('base64') };
    const path = await write('lying.json', withMessage({ messageDigest, signature: DER.toString('base64') }));
    expect((await verify('--key', key, '--bundle', path, file)).code).toBe(12);
  });

  it('together with a signature, or none of both', async () => {
    expect(await verify('--key', key, '--bundle', 'a', '--signature', 'b', file)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--signature and --bundle: give one of them'),
    });
    expect(await verify('--key', key, '--bundle', 'none.json', file)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^Error: --bundle none\.json: cannot read the file: ENOENT/),
    });
  });
});

describe('verify-blob cannot begin', () => {
  const SIGNATURE = DER.toString('base64');
  const CASES: readonly (readonly [what: string, argv: () => readonly string[], message: RegExp])[] = [
    [
      'without a key, for which there is no default',
      () => ['--signature', signature, file],
      /^Error: --key is missing: there is no default, because Istio's release keys sign only images/,
    ],
    ['without a signature', () => ['--key', key, file], /^Error: --signature is missing: /],
    ['without a file', () => ['--key', key, '--signature', signature], /^Error: no file given: .* FILE/],
    [
      'with two files',
      () => ['--key', key, '--signature', signature, file, 'second'],
      /^Error: unexpected argument "second"; usage: sailmark verify-blob/,
    ],
    [
      'with a key that is not there',
      () => ['--key', 'none.pub', '--signature', signature, file],
      /^Error: --key none\.pub: file not found\n$/,
    ],
    [
      'with a file that is not there',
      () => ['--key', key, '--signature', signature, 'none.tar'],
      /^Error: cannot read none\.tar: ENOENT/,
    ],
    [
      'with a directory',
      () => ['--key', key, '--signature', signature, directory],
      /^Error: cannot read .*: EISDIR/,
    ],
    [
      'with a mistyped path of a signature, though it reads as base64',
      () => ['--key', key, '--signature', 'tool/sig', file],
      /^Error: --signature tool\/sig: file not found, and not a base64-encoded signature either\n$/,
    ],
    [
      'with a directory for a signature',
      () => ['--key', key, '--signature', directory, file],
      /^Error: --signature .*: cannot read the file: EISDIR/,
    ],
    [
      'with the file given for the signature and too long for one',
      () => ['--key', key, '--signature', join(directory, 'long'), file],
      /^Error: --signature .*: not a signature: the file is longer than 16384 bytes\n$/,
    ],
    [
      'with a configuration, which it has no use for',
      () => ['--key', key, '--signature', SIGNATURE, '--config', 'x.yaml', file],
      /^Error: unknown flag --config/,
    ],
  ];
  beforeAll(() => write('long', Buffer.alloc(16_385)));

  it.each(CASES)('%s', async (_what, argv, message) => {
    const { code, stdout, stderr } = await verify(...argv());
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(message) });
  });
});

describe('verify-blob accepts a bundle', () => {
  it.each<[string, () => string]>([
    ['as cosign 3 writes it', () => bundle()],
    ['of version 0.1', () => bundle({ mediaType: `${BUNDLE}+json;version=0.1` })],
    ['of version 0.2', () => bundle({ mediaType: `${BUNDLE}+json;version=0.2` })],
    ['with a log entry, which it ignores', () => withEntries([{ logIndex: '1' }])],
    ['whose other members are null', () => bundle({ dsseEnvelope: null })],
    ['without a hint', () => bundle({ verificationMaterial: { publicKey: {} } })],
    [
      'of cosign 2',
      () => JSON.stringify({ base64Signature: DER.toString('base64'), cert: 'a key', rekorBundle: null }),
    ],
  ])('%s', async (name, content) => {
    const path = await write(`good ${name}.json`, content());
    expect(await verify('--key', key, '--bundle', path, file)).toEqual(OK);
  });
});

describe('verify-blob accepts', () => {
  it.each([
    ['base64 in a file', DER.toString('base64')],
    [
      'base64 in lines, as `openssl base64` writes it',
      `${DER.toString('base64').replaceAll(/.{64}/g, '$&\r\n')}\r\n`,
    ],
    ['base64 with a byte order mark', `\ufeff${DER.toString('base64')}`],
    ['base64 between spaces', `  ${DER.toString('base64')} \n`],
    ['DER in a file', DER],
  ])('%s', async (name, content) => {
    expect(await verifyWith(await write(`${name.slice(0, 10)}.sig`, content))).toEqual(OK);
  });

  it('base64 on the command line, as cosign does', async () => {
    expect(await verifyWith(DER.toString('base64'))).toEqual(OK);
  });

  it('a file whose name could be a signature, before the signature it could be', async () => {
    const named = await write(DER.toString('base64').replaceAll(/[/+=]/g, 'A'), DER);
    expect(await verifyWith(named)).toEqual(OK);
  });

  it('standard input for the file', async () => {
    const options = { stdin: CONTENT.toString() };
    expect(await runCli(['verify-blob', '--key', key, '--signature', signature, '-'], options)).toEqual(OK);
  });

  it('any of several keys, in PEM, JWK and JWKS', async () => {
    const jwk = createPublicKey(signer.publicPem).export({ format: 'jwk' });
    const other = createPublicKey(stranger.publicPem).export({ format: 'jwk' });
    const paths = [
      await write('key.jwk', JSON.stringify(jwk)),
      await write('keys.jwks', JSON.stringify({ keys: [other, jwk] })),
    ];
    const strangers = await write('stranger.pub', stranger.publicPem);
    for (const path of paths)
      expect(await verify('--key', strangers, '--key', path, '--signature', signature, file)).toEqual(OK);
  });

  it('a key by URL with its pin, and says so of one without', async () => {
    const tls = createTls();
    const server = createServer(tls, (_request, response) => response.end(signer.publicPem));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/release.pub`;
    const spki = signer.publicKey.export({ type: 'spki', format: 'der' });
    const pin = createHash('sha256').update(spki).digest('hex');
    const ca = await write('ca.pem', tls.ca);
    const verifyUrl = (named: string) =>
      verify('--key', named, '--ca-file', ca, '--signature', signature, file);
    const pinned = await verifyUrl(`${url}#sha256=${pin}`);
    const unpinned = await verifyUrl(url);
    const mispinned = await verifyUrl(`${url}#sha256=${'0'.repeat(64)}`);
    await new Promise((resolve) => server.close(resolve));
    expect(pinned).toEqual(OK);
    expect(unpinned).toEqual({
      ...OK,
      stderr: expect.stringMatching(/^Note: .* is not pinned[^]*Verified OK\n$/),
    });
    expect(mispinned).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('does not match the pin'),
    });
  });
});

describe('verify-blob reads a large file', () => {
  const SIZE = 3 * 2 ** 26;
  let large = '';
  let signed = '';
  beforeAll(async () => {
    large = join(directory, 'large');
    const handle = await open(large, 'w');
    await handle.truncate(SIZE);
    await handle.close();
    signed = sign('sha256', Buffer.alloc(SIZE), signer.privateKey).toString('base64');
  });
  const verifyLarge = (isTTY: boolean, ...argv: readonly string[]) =>
    runCli(['verify-blob', '--key', key, '--signature', signed, ...argv, large], { isTTY });

  it('without holding it', async () => {
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }, 1);
    expect(await verifyLarge(false)).toEqual(OK);
    clearInterval(watch);
    expect(most).toBeLessThan(16 * 2 ** 20);
  });

  it('and tells how far it is on a terminal alone, unless told not to', async () => {
    const line = '\r64 of 192 MiB\r128 of 192 MiB\r192 of 192 MiB\r\u001B[K';
    expect(await verifyLarge(true)).toEqual({ ...OK, stderr: `${line}Verified OK\n` });
    expect(await verifyLarge(true, '--no-progress')).toEqual(OK);
    expect(
      await runCli(['verify-blob', '--key', key, '--signature', signature, file], { isTTY: true }),
    ).toEqual(OK);
  });
});
