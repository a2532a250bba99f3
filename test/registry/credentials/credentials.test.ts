import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Credentials } from '../../../src/registry/credentials/credentials.ts';
import {
  credentialsFor,
  credentialsMatch,
  parseDockerConfig,
} from '../../../src/registry/credentials/docker-config.ts';
import {
  createDockerConfigFile,
  createFileCredentials,
} from '../../../src/registry/credentials/docker-config-file.ts';
import { withThirdParty } from '../../support/third-party.ts';
import { faultOf } from '../test-client.ts';

interface Table {
  readonly kubelet: {
    readonly urlsMatch: readonly {
      readonly glob: string;
      readonly target: string;
      readonly match: boolean;
    }[];
    readonly keyringHit: readonly KeyRow[];
    readonly keyringMiss: readonly KeyRow[];
  };
  readonly goContainerRegistry: {
    readonly cases: readonly {
      readonly secrets: readonly (readonly [string, string])[];
      readonly resolve: Readonly<Record<string, string | null>>;
    }[];
    readonly secretForms: Readonly<Record<string, string>>;
  };
}
interface KeyRow {
  readonly configKey: string;
  readonly image: string;
  readonly hit: boolean;
}

const entry = (user: string): { readonly auth: string } => ({
  auth: Buffer.from(`${user}:secret`).toString('base64'),
});
const configOf = (auths: Readonly<Record<string, unknown>>): string => JSON.stringify({ auths });
/** The credentials that are tried first. */
const findIn = (text: string, repository: string): Credentials | undefined =>
  credentialsFor(parseDockerConfig(text).entries, repository)[0];
const userFor = (config: string, repository: string): string | null => {
  const found = findIn(config, repository);
  return found?.kind === 'password' ? found.username : null;
};
/** The normal form of a reference: credentials are matched after parsing. */
const normal = (image: string): string => (/^[^/]*[.:]/.test(image) ? image : `docker.io/${image}`);

withThirdParty<Table>(['registry-auth', 'credential-matching.json'], ({ kubelet, goContainerRegistry }) => {
  describe('credentials match as the kubelet decides', () => {
    it.each(kubelet.urlsMatch)('$glob, $target: $match', ({ glob, target, match }) => {
      expect(credentialsMatch(glob, target)).toBe(match);
    });
    it.each([...kubelet.keyringHit, ...kubelet.keyringMiss])('$configKey, $image: $hit', (row) => {
      expect(userFor(configOf({ [row.configKey]: entry('user') }), row.image)).toBe(row.hit ? 'user' : null);
    });
  });

  describe('credentials are found as go-containerregistry finds them', () => {
    const rows = goContainerRegistry.cases.flatMap(({ secrets, resolve }) =>
      Object.entries(resolve).map(([image, user]) => ({ secrets, image, user })),
    );
    it.each(rows)('$secrets, $image: $user', ({ secrets, image, user }) => {
      // A file has each key once: of two secrets for one key the first one counts.
      const auths = Object.fromEntries(secrets.toReversed().map(([key, name]) => [key, entry(name)]));
      expect(userFor(configOf(auths), normal(image))).toBe(user);
    });

    it('in a docker config.json', () => {
      expect(
        findIn(goContainerRegistry.secretForms['kubernetes.io/dockerconfigjson'] ?? '', 'fake.registry.io/a'),
      ).toEqual({
        kind: 'password',
        username: 'foo',
        password: 'bar',
      });
    });
  });
});

describe('credentials of a docker config.json', () => {
  it.each(['https://index.docker.io/v1/', 'index.docker.io', 'docker.io', 'registry-1.docker.io'])(
    'under %s are for Docker Hub',
    (key) => {
      const config = configOf({ [key]: entry('hub') });
      expect(userFor(config, 'docker.io/istio/pilot')).toBe('hub');
      expect(userFor(config, 'quay.io/istio/pilot')).toBeNull();
      expect(userFor(config, 'myhostdocker.io/istio/pilot')).toBeNull();
    },
  );

  it('are those of the longest path', () => {
    const config = configOf({
      'r.example': entry('all'),
      'r.example/istio': entry('istio'),
      '*.example/is': entry('glob'),
    });
    expect(userFor(config, 'r.example/istio/pilot')).toBe('istio');
    expect(userFor(config, 'r.example/other')).toBe('all');
  });

  it('take no glob beyond a label, and no character of a name for a pattern', () => {
    expect(userFor(configOf({ '*': entry('x') }), 'r.example/a')).toBeNull();
    expect(userFor(configOf({ 'r.ex(a+)mple': entry('x') }), 'r.exaample/a')).toBeNull();
    expect(userFor(configOf({ 'r?example': entry('x') }), 'r.example/a')).toBeNull();
  });

  it('do not read a version into the path of an image', () => {
    const config = configOf({ 'r.example/team': entry('team') });
    expect(userFor(config, 'r.example/v1/team/image')).toBeNull();
  });

  it('are a user and password, in one field or two, or an identity token', () => {
    const at = (value: unknown): unknown => findIn(configOf({ 'r.example': value }), 'r.example/a');
    expect(at({ username: 'u', password: 'p' })).toEqual({ kind: 'password', username: 'u', password: 'p' });
    expect(at({ auth: Buffer.from('u:p:with:colons').toString('base64') })).toEqual({
      kind: 'password',
      username: 'u',
      password: 'p:with:colons',
    });
    expect(at({ identitytoken: 'T' })).toEqual({ kind: 'identity-token', token: 'T' });
  });

  it.each([
    [null],
    ['text'],
    [[]],
    [{}],
    [{ auth: 'bm9jb2xvbg==' }],
    [{ auth: 5 }],
    [{ username: 'u' }],
    [{ username: 'u', password: null, auth: null, identitytoken: null, registrytoken: null }],
    [{ auth: 'bm9jb2xvbg==', username: 'u', password: 'p' }],
    [{ registrytoken: 'T\r\nx: y' }],
  ])('that are %j are none', (value) => {
    expect(findIn(configOf({ 'r.example': value }), 'r.example/a')).toBeUndefined();
  });

  /** Read by go-containerregistry (pkg/authn, pkg/v1/remote/transport), docker/cli and the kubelet. */
  const PASSWORD = { username: 'a', password: 'b' };
  it.each([
    [
      { auth: 'YTpi', username: 'u', password: 'p' },
      { kind: 'password', ...PASSWORD },
    ],
    [
      { auth: 'YTpiYw', username: 'u' },
      { kind: 'password', username: 'a', password: 'bc' },
    ],
    [
      { auth: '', username: 'u', password: 'p' },
      { kind: 'password', username: 'u', password: 'p' },
    ],
    [{ Auth: 'YTpi' }, { kind: 'password', ...PASSWORD }],
    [
      { auth: 'YTpi', identitytoken: 'T' },
      { kind: 'identity-token', token: 'T', login: PASSWORD },
    ],
    [
      { auth: 'YTpi', identitytoken: '' },
      { kind: 'password', ...PASSWORD },
    ],
    [{ identityToken: 'T' }, { kind: 'identity-token', token: 'T' }],
    [
      { auth: 'YTpi', identitytoken: 'T', registrytoken: 'R' },
      { kind: 'registry-token', token: 'R' },
    ],
  ])('that are %j are read as Go reads them', (value, credentials) => {
    expect(findIn(configOf({ 'r.example': value }), 'r.example/a')).toEqual(credentials);
  });

  it.each([
    '{"auths":null}',
    '{"auths":null,"credHelpers":null,"credsStore":null}',
    '{"auths":{"r.example":null},"credHelpers":{"r.example":null},"credsStore":""}',
    '{"credHelpers":{"r.example":""}}',
    'null',
    '',
    ' \n',
  ])('that are %j are none', (text) => {
    expect(parseDockerConfig(text)).toEqual({ entries: [], store: undefined });
  });

  it('stand beside an entry that is null', () => {
    const config = JSON.stringify({
      auths: { 'r.example/a': null, 'r.example': entry('all') },
      credHelpers: null,
    });
    expect(userFor(config, 'r.example/a')).toBe('all');
  });

  it('are for hosts whatever their capitals', () => {
    expect(
      userFor(configOf({ 'HTTPS://Registry.Corp.Example:5000': entry('x') }), 'registry.corp.example:5000/a'),
    ).toBe('x');
    expect(userFor(configOf({ '*.Corp.Example': entry('x') }), 'registry.corp.example/a')).toBe('x');
    expect(userFor(configOf({ 'r.example/Team': entry('x') }), 'r.example/team')).toBeNull();
    expect(userFor(configOf({ 'Index.Docker.io/v1/': entry('x') }), 'docker.io/istio/pilot')).toBe('x');
  });

  it('are for an address of IPv6 in brackets', () => {
    const config = configOf({ '[fd00::1]:5000': entry('five'), '[fd00::1]': entry('plain') });
    expect(userFor(config, '[fd00::1]:5000/a')).toBe('five');
    expect(userFor(config, '[fd00::1]/a')).toBe('plain');
    expect(userFor(config, '[fd00::2]/a')).toBeNull();
  });

  it('are not looked for in a prototype', () => {
    expect(findIn('{"auths":{"__proto__":{"auth":"YTpi"}}}', '__proto__/a')).toEqual({
      kind: 'password',
      username: 'a',
      password: 'b',
    });
    expect(findIn('{"__proto__":{"auths":{"r.example":{"auth":"YTpi"}}}}', 'r.example/a')).toBeUndefined();
  });
});

const fileCredentials = (file: string) => createFileCredentials(createDockerConfigFile(file));

describe('a credentials file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sailmark-credentials-'));
  const file = join(directory, 'config.json');
  afterEach(() => rmSync(file, { force: true }));

  it('that is not there is a fault that names it, not an anonymous request', async () => {
    const fault = await faultOf(fileCredentials(file)('r.example/a'));
    expect(fault).toMatchObject({ code: 'refused', asked: false });
    expect(fault.message).toContain(file);
  });

  it.each(['{"auths":{"r.example":{"auth":"c2VjcmV0OnNlY3JldA=="}', '[]', '{"auths":[]}', 'nul'])(
    'that is broken (%j) is a fault that tells nothing of what is in it',
    async (text) => {
      writeFileSync(file, text);
      const fault = await faultOf(fileCredentials(file)('r.example/a'));
      expect(fault).toMatchObject({ code: 'refused', asked: false });
      expect(fault.message).not.toMatch(/c2Vj|secret/);
    },
  );

  it('that is a directory is a fault that says what to name', async () => {
    const fault = await faultOf(fileCredentials(directory)('r.example/a'));
    expect(fault).toMatchObject({ code: 'refused', asked: false });
    expect(fault.message).toBe(
      `cannot read the registry credentials in ${directory}: it is a directory; name the file in it`,
    );
  });

  it('that is empty has no credentials', async () => {
    writeFileSync(file, '');
    expect(await fileCredentials(file)('r.example/a')).toEqual([]);
  });

  it('may be a .dockercfg, and holds nothing for others', async () => {
    writeFileSync(file, JSON.stringify({ 'https://r.example/v1/': entry('old'), email: 'x' }));
    expect(await fileCredentials(file)('r.example/a')).toMatchObject([{ username: 'old' }]);
    expect(await fileCredentials(file)('email/a')).toEqual([]);
    writeFileSync(file, JSON.stringify({ auths: {}, 'r.example': entry('old') }));
    expect(await fileCredentials(file)('r.example/a')).toEqual([]);
  });

  it('is read again when the kubelet sets its link to another directory, of the same age and size', async () => {
    const place = join(directory, 'secret');
    const write = (version: string, user: string): void => {
      mkdirSync(join(place, version), { recursive: true });
      const text = join(place, version, '.dockerconfigjson');
      writeFileSync(text, configOf({ 'r.example': entry(user) }));
      utimesSync(text, 1, 1);
      symlinkSync(version, join(place, 'next'));
      renameSync(join(place, 'next'), join(place, '..data'));
    };
    write('..1', 'one');
    symlinkSync('..data/.dockerconfigjson', join(place, '.dockerconfigjson'));
    const find = fileCredentials(join(place, '.dockerconfigjson'));
    expect(await find('r.example/a')).toMatchObject([{ username: 'one' }]);
    write('..2', 'two');
    expect(await find('r.example/a')).toMatchObject([{ username: 'two' }]);
  });

  it('is read again when it changes, and is good again once it is repaired', async () => {
    const find = fileCredentials(file);
    const write = (text: string, second: number): void => {
      writeFileSync(file, text);
      utimesSync(file, second, second);
    };
    write(configOf({ 'r.example': entry('one') }), 1);
    expect(await find('r.example/a')).toMatchObject([{ username: 'one' }]);
    write(configOf({ 'r.example': entry('two') }), 2);
    expect(await find('r.example/a')).toMatchObject([{ username: 'two' }]);
    write('{', 3);
    expect(await faultOf(find('r.example/a'))).toMatchObject({ code: 'refused' });
    expect(await faultOf(find('r.example/a'))).toMatchObject({ code: 'refused' });
    write(configOf({ 'r.example': entry('six') }), 4);
    expect(await find('r.example/a')).toMatchObject([{ username: 'six' }]);
  });
});
