import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { matching, parseDockerConfig } from '../../src/registry/docker-config.ts';
import { createRegistries } from '../../src/registry/index.ts';
import { registryLimits } from '../support/registry-limits.ts';
import { type RegistryAuth, startRegistry } from '../support/registry-server.ts';

/*
 * A docker config.json may leave credentials to a helper program, as `docker login` does on most desktops. Helpers are
 * not run yet: what is public is read anonymously, and a refusal must not look as if nothing had been configured.
 */

const findIn = (text: string, repository: string): unknown =>
  matching(parseDockerConfig(text).entries, repository)[0];
const ACCOUNT = { username: 'ada', password: 'secret' };

const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

/** What becomes of a tag of a registry that wants `auth` where its credentials are with the helper `corp`. */
const resolve = async (auth: RegistryAuth): Promise<unknown> => {
  const registry = await startRegistry({ auth });
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-helper-'));
  const dockerConfig = join(directory, 'config.json');
  await writeFile(dockerConfig, JSON.stringify({ credHelpers: { [registry.host]: 'corp' } }));
  const settings = [{ host: registry.host, plainHttp: true, dockerConfig }];
  const registries = createRegistries({ settings, limits: registryLimits, now: Date.now });
  opened.push(registries.close, registry.close, () => rm(directory, { recursive: true }));
  const source = registries.open({ registry: registry.host, path: 'istio/pilot' }, () => {});
  return source.resolve('1.28.0', AbortSignal.timeout(5000));
};

describe('credentials that a helper keeps', () => {
  it('are named where the registry wants a password', async () => {
    await expect(resolve({ kind: 'basic', account: ACCOUNT })).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('kept by the credential helper corp, which is not run'),
    });
  });

  it('are named where the token service gives no token', async () => {
    await expect(resolve({ kind: 'token', account: ACCOUNT })).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('kept by the credential helper corp, which is not run'),
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
