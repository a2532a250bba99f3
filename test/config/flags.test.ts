import { describe, expect, it } from 'vitest';
import { ConfigError, defaultConfig, type FlagOverrides, withFlags } from '../../src/config/index.ts';
import { createSigner } from '../support/signing-kit.ts';
import { createTls } from '../support/tls.ts';
import { filesOf, parse } from './parse.ts';

const PIN = 'ab'.repeat(32);
const { ca } = createTls();

const refused = async (flags: FlagOverrides): Promise<unknown> => {
  const error: unknown = await withFlags(defaultConfig, flags, filesOf({ '/text': 'x' })).catch(
    (reason: unknown) => reason,
  );
  return error instanceof ConfigError ? error.problems : error;
};

describe('flags', () => {
  it('are refused by their names, all at once', async () => {
    const keys = ['http://a.example/k', 'https://a.example/k#sha256=abc', 'https://a.example/k#', ''];
    expect(await refused({ keys, caFile: '/text' })).toEqual([
      { path: '--key', message: 'http://a.example/k must be an https URL, or a file' },
      { path: '--key', message: 'https://a.example/k: the pin must be #sha256= and 64 hexadecimal digits' },
      { path: '--key', message: 'https://a.example/k: the pin must be #sha256= and 64 hexadecimal digits' },
      { path: '--key', message: 'must be a file or an https URL' },
      { path: '--ca-file', message: '/text: no PEM certificate found' },
    ]);
    expect(await refused({ caFile: '/nowhere' })).toEqual([
      { path: '--ca-file', message: "cannot be read: ENOENT: no such file or directory, open '/nowhere'" },
    ]);
  });

  it('are refused for a key that is no file and no URL, which is not printed', async () => {
    const signer = createSigner();
    const privatePem = signer.privateKey.export({ type: 'pkcs8', format: 'pem' });
    const keys = ['k8s://cosign/release', 'pkcs11:token=t?pin-value=1234', signer.publicPem, privatePem];
    const base64 = signer.privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
    const refusal = await refused({ keys: [...keys, base64] });
    const AS_TEXT = 'is given as text, where its location is expected: write it to a file';
    expect(refusal).toEqual(
      [
        expect.stringMatching(
          /^is in a Secret of Kubernetes, which is not read: write it to a file, `kubectl/,
        ),
        expect.stringMatching(/^is in a key management service or token \(pkcs11\), .*`cosign public-key/),
        AS_TEXT,
        'is a private key: give the public key instead, and consider who may have seen this one',
        AS_TEXT,
      ].map((message) => ({ path: '--key', message })),
    );
    for (const secret of ['1234', base64, privatePem.split('\n')[1] ?? ''])
      expect(JSON.stringify(refusal)).not.toContain(secret);
  });

  it('change nothing where none is given', async () => {
    expect(await withFlags(defaultConfig, {}, filesOf({}))).toEqual(defaultConfig);
  });

  it('stand over the configuration', async () => {
    const config = await parse('registries: [{host: a.example, tokenRealms: [b.example]}]');
    const flags: FlagOverrides = {
      keys: ['./corp.pub', `https://a.example/k#sha256=${PIN}`, 'https://b.example/k'],
      caFile: '/ca',
      dockerConfig: '/docker.json',
      plainHttpHosts: ['a.example', 'localhost:5000', 'localhost:5000'],
    };
    expect(await withFlags(config, flags, filesOf({ '/ca': ca }))).toEqual({
      ...config,
      keys: [
        { location: { kind: 'file', path: './corp.pub' } },
        { location: { kind: 'url', url: 'https://a.example/k', spkiSha256: PIN } },
        { location: { kind: 'url', url: 'https://b.example/k' } },
      ],
      registries: [
        { host: 'a.example', tokenRealms: ['b.example'], plainHttp: true },
        { host: 'localhost:5000', plainHttp: true },
      ],
      registryDefaults: { ca, caFile: '/ca', dockerConfig: '/docker.json' },
    });
  });
});
