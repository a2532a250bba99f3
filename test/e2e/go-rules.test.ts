import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseDockerConfig } from '../../src/registry/credentials/docker-config.ts';
import { createHostTest } from '../../src/registry/credentials/host-glob.ts';
import { createProxyFor } from '../../src/registry/proxy/proxy.ts';
import { dockerConfigCases, writeCase } from '../support/docker-config-cases.ts';
import { pathOf } from './tools.ts';

/*
 * Side by side with the libraries of Go that cosign and the kubelet decide by: golang.org/x/net/http/httpproxy, path.Match,
 * and go-containerregistry's default keychain.
 */

const root = mkdtempSync(join(tmpdir(), 'sailmark-go-rules-'));
afterAll(() => rmSync(root, { recursive: true }));

/** Asks Go all questions at once; each answer is its JSON. */
const askGo = (
  questions: readonly Readonly<Record<string, string>>[],
  env: Readonly<Record<string, string>> = {},
): readonly unknown[] => {
  const { stdout, stderr, status } = spawnSync(pathOf('go-rules'), {
    input: questions.map((question) => `${JSON.stringify(question)}\n`).join(''),
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
    env,
  });
  if (status !== 0) throw new Error(stderr);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
};

const product = <A, B>(left: readonly A[], right: readonly B[]): readonly (readonly [A, B])[] =>
  left.flatMap((a) => right.map((b) => [a, b] as const));

/** A sequence of numbers below `bound` that is the same in every run (a linear congruential generator). */
const createNumbers = (seed: number): ((bound: number) => number) => {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >> 8) % bound;
  };
};

describe('NO_PROXY', () => {
  const ENTRIES = [
    '*',
    '*.corp.example',
    '.0.1',
    '.corp.example',
    '.示例.example',
    '0.0.0.0/0',
    '10.0.0.0/33',
    '10.0.0.0/8',
    '10.0.0.1',
    '10.0.0.1:443',
    '127.0.0.1',
    ':443',
    '::/0',
    '::1',
    '::ffff:10.0.0.0/104',
    '::ffff:10.0.0.0/90',
    '::ffff:10.0.0.1',
    '[::ffff:10.0.0.1]:443',
    '[corp.example]:443',
    '[fd12::1',
    '[fd12::1]',
    '[fd12::1]:5000',
    'CORP.example',
    'a..b',
    'corp.example',
    'corp.example.',
    'corp.example:',
    'corp.example:443',
    'corp.example:5000',
    'corp.example:https',
    'fd00::/8',
    'fd12::1',
    'fd12::1%eth0',
    'fd12:0:0::1',
    'localhost',
    'r.corp.example,10.0.0.2',
    'xn--fsq092h.example',
    '示例.example:80',
    ' , a.example ,*',
    '',
  ];
  const HOSTS = [
    '10.0.0.1',
    '10.200.0.1',
    '11.0.0.1',
    '127.0.0.1',
    '127.1.2.3',
    '[::1]',
    '[::2]',
    '[::ffff:10.0.0.1]',
    '[::ffff:127.0.0.1]',
    '[fd12::1]',
    '[fe00::1]',
    'a.example',
    'corp.example',
    'localhost',
    'notcorp.example',
    'r.corp.example',
    'r.localhost',
    'www.xn--fsq092h.example',
    'xn--fsq092h.example',
  ];
  const URLS = HOSTS.flatMap((host) => [`http://${host}`, `https://${host}`, `https://${host}:5000`]);

  it('exempts what Go exempts', () => {
    const rows = product(ENTRIES, URLS);
    const proxy = new URL('http://proxy');
    const ours = rows.map(
      ([noProxy, url]) => createProxyFor({ http: proxy, https: proxy, noProxy })(new URL(url)) === undefined,
    );
    const inGo = askGo(rows.map(([NoProxy, URL]) => ({ NoProxy, URL })));
    expect(rows.filter((_, index) => ours[index] !== inGo[index])).toEqual([]);
    expect(new Set(ours)).toEqual(new Set([true, false]));
  });
});

describe('a label of a host', () => {
  it('matches a glob where Go matches it, and no malformed one', () => {
    const number = createNumbers(7);
    const textOf = (alphabet: string, length: number): string =>
      Array.from({ length }, () => alphabet.charAt(number(alphabet.length))).join('');
    const rows = Array.from(
      { length: 50_000 },
      () => [textOf('ab]-[^*?\\', number(9)), textOf('ab]-[^', number(5))] as const,
    );
    const ours = rows.map(([glob, label]) => createHostTest(glob)(label));
    const inGo = askGo(rows.map(([Glob, Label]) => ({ Glob, Label }))).map((answer) => answer === true);
    expect(rows.filter((_, index) => ours[index] !== inGo[index])).toEqual([]);
    expect(ours.filter(Boolean).length).toBeGreaterThan(1000);
  });
});

describe('the credentials of the user', () => {
  const HOST = 'r.example';
  const QUESTION = { Repository: `${HOST}/istio/pilot` };

  it.each(dockerConfigCases.filter(({ flag }) => flag === undefined))(
    'are those that go-containerregistry finds: $what',
    (row) => {
      const directory = mkdtempSync(join(root, 'case-'));
      const env = writeCase(row, directory, HOST);
      expect(askGo([QUESTION], env)).toEqual([
        expect.objectContaining({ Username: row.inGo ?? row.users[0] ?? '' }),
      ]);
    },
  );

  it.each([
    { auth: 'YTpi' },
    { Auth: 'YTpi' },
    { auth: 'YTpi', username: 'u', password: 'p' },
    { auth: '', username: 'u', password: 'p' },
    { username: 'u', password: 'p', auth: null, identitytoken: null, registrytoken: null },
    { identitytoken: 'T' },
    { identityToken: 'T' },
    { auth: 'YTpi', identitytoken: 'T' },
    { registrytoken: 'R' },
    { auth: 'YTpi', identitytoken: 'T', registrytoken: 'R' },
    null,
    {},
  ])('of an entry %j are those that go-containerregistry reads', (entry) => {
    const home = mkdtempSync(join(root, 'entry-'));
    mkdirSync(join(home, '.docker'));
    const text = JSON.stringify({ auths: { [HOST]: entry }, credHelpers: null, credsStore: null });
    writeFileSync(join(home, '.docker', 'config.json'), text);
    const credentials = parseDockerConfig(text).entries[0]?.credentials;
    const of = (found: typeof credentials): Readonly<Record<string, string>> => {
      if (found?.kind === 'registry-token') return { RegistryToken: found.token };
      const { username: Username = '', password: Password = '' } =
        (found?.kind === 'identity-token' ? found.login : found?.kind === 'password' ? found : undefined) ??
        {};
      return {
        Username,
        Password,
        IdentityToken: found?.kind === 'identity-token' ? found.token : '',
        RegistryToken: '',
      };
    };
    expect(askGo([QUESTION], { HOME: home })).toEqual([expect.objectContaining(of(credentials))]);
  });

  it.each(['', 'null', '{"auths":null}'])('of a file that is %j are none', (text) => {
    const home = mkdtempSync(join(root, 'file-'));
    mkdirSync(join(home, '.docker'));
    writeFileSync(join(home, '.docker', 'config.json'), text);
    expect(parseDockerConfig(text).entries).toEqual([]);
    expect(askGo([QUESTION], { HOME: home })).toEqual([
      { Username: '', Password: '', IdentityToken: '', RegistryToken: '' },
    ]);
  });
});
