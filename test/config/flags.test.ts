import { describe, expect, it } from 'vitest';
import { ConfigError, defaultConfig, type FlagOverrides, withFlags } from '../../src/config/index.ts';
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
      registryDefaults: { ca, dockerConfig: '/docker.json' },
    });
  });
});
