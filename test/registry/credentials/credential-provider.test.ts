import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createProvidersCredentials } from '../../../src/registry/credentials/credential-provider.ts';
import type { CredentialProvider } from '../../../src/registry/index.ts';
import {
  createClient,
  DIGEST,
  faultOf,
  pushTestImage,
  startTestRegistry,
  temporaryDirectory,
  writeExecutable,
} from '../test-client.ts';

/*
 * Providers are real programs: each logs its requests in a file beside it, and prints the response that the test
 * gives it.
 */

const V1 = 'credentialprovider.kubelet.k8s.io/v1';
const ACCOUNT = { username: 'AWS', password: 's3cret' };

type Response = Readonly<Record<string, unknown>>;
const response = (more: Response = {}): Response => ({
  apiVersion: V1,
  kind: 'CredentialProviderResponse',
  cacheKeyType: 'Registry',
  auth: { 'r.example': ACCOUNT },
  ...more,
});

const scriptPrinting = (answer: unknown): string => `
const fs = require('node:fs');
fs.appendFileSync(__dirname + '/log', fs.readFileSync(0, 'utf8') + '\\n');
process.stdout.write(${JSON.stringify(typeof answer === 'string' ? answer : JSON.stringify(answer))});`;

const settingsOf = (binDir: string, more: Partial<CredentialProvider> = {}) => ({
  config: '/etc/providers.yaml',
  binDir,
  providers: [
    {
      name: 'provider',
      matchImages: ['r.example', '*.r.example'],
      defaultCacheDuration: 0,
      apiVersion: V1,
      args: [],
      env: [],
      ...more,
    },
  ],
});

/** Runs a provider with this body. `requests` returns the requests that it got. */
const createTestProvider = (body: string, more: Partial<CredentialProvider> = {}) => {
  const binDir = writeExecutable('provider', body);
  const clock = { time: 0 };
  const environment = { PATH: '/usr/bin', HOME: '/home/ada', AWS_SECRET_ACCESS_KEY: 'x' };
  const [find = async () => []] = createProvidersCredentials(
    settingsOf(binDir, more),
    environment,
    () => clock.time,
  );
  const requests = (): readonly { readonly image: string }[] =>
    readFileSync(join(binDir, 'log'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { image: string });
  return { find, requests, clock, binDir };
};

describe('a credential provider', () => {
  it.each([
    ['process.exit(1)', 'failed (exit code 1)'],
    ["console.log('s3cret'); console.error('s3cret'); process.exit(2)", 'failed (exit code 2)'],
    [scriptPrinting('s3cret'), 'did not return a CredentialProviderResponse in JSON'],
    [scriptPrinting(''), 'did not return a CredentialProviderResponse in JSON'],
    [scriptPrinting({ ...response(), kind: 'Other' }), 'did not return a CredentialProviderResponse in JSON'],
    [
      scriptPrinting(`log line\n${JSON.stringify(response())}`),
      'did not return a CredentialProviderResponse',
    ],
    [scriptPrinting(response({ apiVersion: 'x/v1' })), `did not return the configured apiVersion, ${V1}`],
    [
      scriptPrinting(response({ cacheKeyType: 'Cluster' })),
      'returned no cacheKeyType of Image, Registry, Global',
    ],
    [scriptPrinting(response({ cacheDuration: 'long' })), 'returned a malformed cacheDuration'],
    [scriptPrinting(response({ cacheDuration: 60 })), 'returned a malformed cacheDuration'],
    [scriptPrinting(response({ cacheDuration: '-1s' })), 'returned a malformed cacheDuration'],
    [scriptPrinting(response({ auth: ['s3cret'] })), 'returned an auth that is not an object'],
    [
      "process.stdout.write('s3cret'.repeat(200000)); setInterval(() => {}, 9)",
      'wrote more than 1048576 bytes',
    ],
  ])(
    'that does not do its part (%#) is a fault that names it and nothing that it said',
    async (body, why) => {
      const { find, binDir } = createTestProvider(body);
      const fault = await faultOf(find('r.example/a'));
      expect(fault).toMatchObject({ code: 'refused', asked: false });
      expect(fault.message).toContain(`the credential provider provider in ${binDir} ${why}`);
      expect(fault.message).toContain('check it and its entry in /etc/providers.yaml');
      expect(fault.message).not.toContain('s3cret');
    },
  );

  it('that is not there, or not executable, is a fault that names it', async () => {
    const binDir = temporaryDirectory();
    const [find = async () => []] = createProvidersCredentials(settingsOf(binDir), {}, Date.now);
    expect((await faultOf(find('r.example/a'))).message).toContain(`provider in ${binDir} does not exist`);
    writeFileSync(join(binDir, 'provider'), '');
    expect((await faultOf(find('r.example/a'))).message).toContain(`provider in ${binDir} is not executable`);
  });

  it('is asked for the images that it is for, and for no other', async () => {
    const { find, requests } = createTestProvider(scriptPrinting(response()));
    for (const image of [
      'example/a',
      'r.example:5000/a',
      'x.y.r.example/a',
      'rxexample/a',
      'docker.io/r.example/a',
    ])
      expect(await find(image)).toEqual([]);
    expect(await find('r.example/a/b')).toEqual([{ kind: 'password', ...ACCOUNT }]);
    expect(requests()).toEqual([
      { apiVersion: V1, kind: 'CredentialProviderRequest', image: 'r.example/a/b' },
    ]);
  });

  it('gives what its answer has for the image, the most particular first; empty ones are none', async () => {
    const auth = {
      'other.example': ACCOUNT,
      'r.example': { username: 'all', password: 'p' },
      'r.example/team': { username: 'team', password: 'p' },
      '*.example': { username: '', password: '' },
      'r.example/te': null,
    };
    const { find } = createTestProvider(scriptPrinting(response({ auth })));
    expect(await find('r.example/team/a')).toMatchObject([{ username: 'team' }, { username: 'all' }]);
  });

  it.each([{ auth: null }, { auth: undefined }, { auth: {} }])('may have none (%j)', async (more) => {
    const { find } = createTestProvider(scriptPrinting(response(more)));
    expect(await find('r.example/a')).toEqual([]);
  });

  it.each(['v1beta1', 'v1alpha1'])('may speak %s', async (version) => {
    const apiVersion = `credentialprovider.kubelet.k8s.io/${version}`;
    const { find, requests } = createTestProvider(scriptPrinting(response({ apiVersion })), { apiVersion });
    expect(await find('r.example/a')).toHaveLength(1);
    expect(requests()).toMatchObject([{ apiVersion }]);
  });

  it('gets its arguments, PATH, HOME and what is named for it, and nothing else of the environment', async () => {
    const body = `
const password = JSON.stringify([process.argv.slice(2), process.env]);
const answer = ${JSON.stringify(response())};
process.stdout.write(JSON.stringify({ ...answer, auth: { 'r.example': { username: 'u', password } } }));`;
    const { find } = createTestProvider(body, {
      args: ['--region', 'x y'],
      env: [{ name: 'AWS_PROFILE', value: 'mesh' }],
    });
    expect(await find('r.example/a')).toEqual([
      {
        kind: 'password',
        username: 'u',
        password: JSON.stringify([
          ['--region', 'x y'],
          { PATH: '/usr/bin', HOME: '/home/ada', AWS_PROFILE: 'mesh' },
        ]),
      },
    ]);
  });
});

describe('an answer of a credential provider', () => {
  const IMAGES = ['r.example/a', 'r.example/a', 'r.example/b', 'x.r.example/a'];
  const auth = { 'r.example': ACCOUNT, '*.r.example': ACCOUNT };

  it.each([
    ['Image', ['r.example/a', 'r.example/b', 'x.r.example/a']],
    ['Registry', ['r.example/a', 'x.r.example/a']],
    ['Global', ['r.example/a']],
  ])('for each %s is held for that', async (cacheKeyType, wanted) => {
    const { find, requests } = createTestProvider(
      scriptPrinting(response({ cacheKeyType, auth, cacheDuration: '1m0s' })),
    );
    for (const image of IMAGES) expect(await find(image)).toHaveLength(1);
    expect(requests().map(({ image }) => image)).toEqual(wanted);
  });

  it.each([
    ['1m0s', 0, 60_000],
    [undefined, 60_000, 60_000],
    [null, 60_000, 60_000],
    ['0s', 60_000, 0],
    [undefined, 0, 0],
  ])(
    'with the duration %j, by default %d ms, is held %d ms',
    async (cacheDuration, defaultCacheDuration, held) => {
      const { find, requests, clock } = createTestProvider(scriptPrinting(response({ cacheDuration })), {
        defaultCacheDuration,
      });
      await find('r.example/a');
      clock.time = held - 1;
      await find('r.example/a');
      expect(requests().length).toBe(held === 0 ? 2 : 1);
      clock.time = held;
      await find('r.example/a');
      expect(requests().length).toBe(held === 0 ? 3 : 2);
    },
  );

  it('is waited for by all who ask for the same, and is not given to who asks for another', async () => {
    const body = scriptPrinting(response({ cacheKeyType: 'Image' }));
    const { find, requests } = createTestProvider(body);
    await Promise.all(['r.example/a', 'r.example/a', 'r.example/b'].map((image) => find(image)));
    expect(
      requests()
        .map(({ image }) => image)
        .toSorted(),
    ).toEqual(['r.example/a', 'r.example/b']);
  });

  it('that was for a registry, and turns out to be for one image, is not shared', async () => {
    const body = `
const fs = require('node:fs');
const { image } = JSON.parse(fs.readFileSync(0, 'utf8'));
fs.appendFileSync(__dirname + '/log', JSON.stringify({ image }) + '\\n');
const first = image === 'r.example/first';
const answer = ${JSON.stringify(response({ cacheDuration: '0s' }))};
const auth = { 'r.example': { username: image, password: 'p' } };
process.stdout.write(JSON.stringify({ ...answer, auth, cacheKeyType: first ? 'Registry' : 'Image' }));`;
    const { find } = createTestProvider(body);
    await find('r.example/first');
    const found = await Promise.all(['r.example/a', 'r.example/b'].map((image) => find(image)));
    expect(found).toMatchObject([[{ username: 'r.example/a' }], [{ username: 'r.example/b' }]]);
  });

  it('that failed is not held', async () => {
    const body = `
const once = __dirname + '/once';
const files = require('node:fs');
if (!files.existsSync(once)) { files.writeFileSync(once, ''); process.exit(1); }
${scriptPrinting(response())}`;
    const { find } = createTestProvider(body);
    expect(await faultOf(find('r.example/a'))).toMatchObject({ code: 'refused' });
    expect(await find('r.example/a')).toHaveLength(1);
  });
});

describe('a registry with a credential provider', () => {
  it('is asked with what that answers, and its failure is told', async () => {
    const registry = await startTestRegistry({ auth: { kind: 'basic', account: ACCOUNT } });
    pushTestImage(registry);
    const auth = { [registry.host]: ACCOUNT };
    const binDir = writeExecutable('provider', scriptPrinting(response({ auth })));
    const repositoryFor = (name: string) =>
      createClient(registry.host, {
        plainHttp: true,
        providers: settingsOf(binDir, { name, matchImages: [registry.host] }),
      }).repository();
    expect((await faultOf(repositoryFor('other').manifest())).message).toContain(
      'the credential provider other',
    );
    expect(await repositoryFor('provider').manifest()).toMatchObject({ digest: DIGEST });
  });
});
