import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createRepository } from '../../../src/image/index.ts';
import { createRunHelpers } from '../../../src/registry/credentials/credential-helper.ts';
import { credentialsFor, parseDockerConfig } from '../../../src/registry/credentials/docker-config.ts';
import { createRegistries, createSourceCaller } from '../../../src/registry/index.ts';
import { registryLimits } from '../../support/registry-limits.ts';
import { type RegistryAuth, startRegistry } from '../../support/registry-server.ts';
import { faultOf, writeExecutable } from '../test-client.ts';

/*
 * A docker config.json may leave credentials to a helper program, as `docker login` does on most desktops. A server
 * runs none: public images are read anonymously, and a refusal must not look as if nothing were configured.
 */

const findIn = (text: string, repository: string): unknown =>
  credentialsFor(parseDockerConfig(text).entries, repository)[0];
const ACCOUNT = { username: 'ada', password: 'secret' };

const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

/** Resolves a tag of a registry with `auth` whose credentials are in the helper `corp`. */
const resolve = async (auth: RegistryAuth): Promise<unknown> => {
  const registry = await startRegistry({ auth });
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-helper-'));
  const dockerConfig = join(directory, 'config.json');
  await writeFile(dockerConfig, JSON.stringify({ credHelpers: { [registry.host]: 'corp' } }));
  const settings = [{ host: registry.host, plainHttp: true, dockerConfig }];
  const registries = createRegistries({ settings, limits: registryLimits, now: Date.now });
  opened.push(registries.close, registry.close, () => rm(directory, { recursive: true }));
  const source = registries.open(createRepository(registry.host, 'istio/pilot'), createSourceCaller());
  return source.resolve('1.28.0', AbortSignal.timeout(5000));
};

describe('credentials that a helper keeps', () => {
  it('are named where the registry wants a password', async () => {
    await expect(resolve({ kind: 'basic', account: ACCOUNT })).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('stored by the credential helper corp, which is not run'),
    });
  });

  it('are named where the token service gives no token', async () => {
    await expect(resolve({ kind: 'token', account: ACCOUNT })).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('stored by the credential helper corp, which is not run'),
    });
  });

  it('are not missed where anybody may have a token', async () => {
    expect(await resolve({ kind: 'token' })).toBeUndefined();
  });

  it.each(['credHelpers', 'auths'])('in a file whose %s is no object is a broken file', (name) => {
    expect(() => findIn(JSON.stringify({ [name]: ['x'] }), 'r.example/a')).toThrow(name);
  });

  it('are those of a host that credHelpers names, or of an empty entry beside credsStore, and no other', () => {
    const file = JSON.stringify({
      auths: { 'https://index.docker.io/v1/': {}, 'both.example': {} },
      credHelpers: { 'both.example': 'corp' },
      credsStore: 'desktop',
    });
    const helperOf = (repository: string): unknown => findIn(file, repository);
    expect(helperOf('docker.io/istio/pilot')).toEqual({
      kind: 'helper',
      helper: 'desktop',
      server: 'https://index.docker.io/v1/',
    });
    expect(helperOf('both.example/a')).toEqual({ kind: 'helper', helper: 'corp', server: 'both.example' });
    expect(helperOf('other.example/a')).toBeUndefined();
  });

  it('stand back behind what the file itself holds, though that is less particular', () => {
    const file = JSON.stringify({
      auths: { '*.example': ACCOUNT },
      credHelpers: { 'registry.corp.example': 'corp', 'r.example': 'corp' },
    });
    expect(findIn(file, 'r.example/a')).toEqual({ kind: 'password', ...ACCOUNT });
    expect(findIn(file, 'registry.corp.example/a')).toEqual({
      kind: 'helper',
      helper: 'corp',
      server: 'registry.corp.example',
    });
  });
});

/** Writes a helper, a real program: it logs each request in a file beside it. */
const writeHelper = (body: string, name = 'corp'): string =>
  writeExecutable(
    `docker-credential-${name}`,
    `const fs = require('node:fs');
const server = fs.readFileSync(0, 'utf8');
fs.appendFileSync(__dirname + '/log', process.argv[2] + ' ' + server + '\\n');
${body}`,
  );
const scriptPrinting = (username: string, secret: string): string =>
  `console.log(JSON.stringify({ ServerURL: server, Username: '${username}', Secret: '${secret}' }))`;
const NOTHING = "console.log('credentials not found in native keychain'); process.exit(1)";

const running = (config: unknown, PATH: string) => {
  const clock = { time: 0 };
  const read = async () => parseDockerConfig(JSON.stringify(config));
  const find = createRunHelpers(read, { PATH, SECRET: 'x' }, () => clock.time);
  const requests = (): readonly string[] => readFileSync(join(PATH, 'log'), 'utf8').trim().split('\n');
  return { find, requests, clock };
};

describe('a credential helper that is run', () => {
  const CONFIG = { credHelpers: { 'r.example': 'corp' } };

  it.each([
    ["console.log('s3cret'); process.exit(1)", 'failed (exit code 1)'],
    ["console.log('s3cret')", 'did not return credentials'],
    ["console.log('[]')", 'did not return credentials'],
    ["console.log('null')", 'did not return credentials'],
    [`console.log('{"Username":"s3cret"}')`, 'did not return credentials'],
  ])('and does not do its part (%#) is a fault that names it and nothing that it said', async (body, why) => {
    const fault = await faultOf(running(CONFIG, writeHelper(body)).find('r.example/a'));
    expect(fault).toMatchObject({ code: 'refused', asked: false });
    expect(fault.message).toContain(`the credential helper docker-credential-corp ${why}`);
    expect(fault.message).not.toContain('s3cret');
  });

  it('is one in PATH, of that name', async () => {
    const find = (helper: string) =>
      faultOf(running({ credHelpers: { 'r.example': helper } }, writeHelper(NOTHING)).find('r.example/a'));
    expect((await find('other')).message).toContain('docker-credential-other does not exist');
    expect((await find('../corp')).message).toContain('has an invalid name');
  });

  it('is asked for the host as the file writes it, and for no other', async () => {
    const { find, requests } = running(CONFIG, writeHelper(scriptPrinting('ada', 's3cret')));
    expect(await find('other.example/a')).toEqual([]);
    expect(await find('r.example/a')).toEqual([{ kind: 'password', username: 'ada', password: 's3cret' }]);
    expect(requests()).toEqual(['get r.example']);
  });

  it('may give an identity token, or have nothing', async () => {
    const token = running(CONFIG, writeHelper(scriptPrinting('<token>', 'refresh')));
    expect(await token.find('r.example/a')).toEqual([{ kind: 'identity-token', token: 'refresh' }]);
    expect(await running(CONFIG, writeHelper(NOTHING)).find('r.example/a')).toEqual([]);
  });

  it('has the whole environment, as it has from Docker', async () => {
    const { find } = running(
      CONFIG,
      writeHelper("console.log(JSON.stringify({ Username: 'u', Secret: process.env.SECRET }))"),
    );
    expect(await find('r.example/a')).toEqual([{ kind: 'password', username: 'u', password: 'x' }]);
  });

  it('is asked once for all who wait, and again after a minute; a failure is not held', async () => {
    const { find, requests, clock } = running(CONFIG, writeHelper(scriptPrinting('ada', 's3cret')));
    await Promise.all([find('r.example/a'), find('r.example/b')]);
    clock.time = 59_999;
    await find('r.example/a');
    expect(requests().length).toBe(1);
    clock.time = 60_000;
    await find('r.example/a');
    expect(requests().length).toBe(2);
    const failing = running(CONFIG, writeHelper('process.exit(1)'));
    await faultOf(failing.find('r.example/a'));
    await faultOf(failing.find('r.example/a'));
    expect(failing.requests().length).toBe(2);
  });

  it('is the store for every host of which nothing is said, and is then no fault where it fails', async () => {
    const store = running({ credsStore: 'corp' }, writeHelper(scriptPrinting('ada', 's3cret')));
    for (const repository of ['docker.io/istio/pilot', 'r.example:5000/a'])
      expect(await store.find(repository)).toHaveLength(1);
    expect(store.requests()).toEqual(['get https://index.docker.io/v1/', 'get r.example:5000']);
    const failing = running({ credsStore: 'corp' }, writeHelper('process.exit(1)'));
    expect(await failing.find('r.example/a')).toEqual([
      { kind: 'helper', helper: 'corp', server: 'r.example' },
    ]);
    const named = running({ credsStore: 'corp', auths: { 'r.example': {} } }, writeHelper('process.exit(1)'));
    expect(await faultOf(named.find('r.example/a'))).toMatchObject({ code: 'refused' });
  });
});
