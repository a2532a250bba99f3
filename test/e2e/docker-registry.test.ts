import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixturePath } from '../support/fixtures.ts';
import { createTls } from '../support/tls.ts';
import { ACCOUNT, type DockerRegistry, startDockerRegistry } from './docker-registry.ts';
import { pushVector } from './push.ts';
import { startTokenService, type TokenService } from './token-service.ts';

/*
 * The bundle verifies images in Debian's docker-registry, over TLS with a private CA. Real cosign signed them. Nothing
 * between the bundle's command line and the registry is simulated.
 */

const PROGRAM = new URL('../../dist/main.js', import.meta.url).pathname;
const KEY = fixturePath('cosign/keys/cosign.pub');
const DIGEST = 'sha256:5f316ef0722234181374ddfec82c5f33be82889a762edb96cd22b6f21e224942';

/** The exit code for each vector. */
const VECTORS: readonly (readonly [name: string, exitCode: number])[] = [
  ['referrers/s01-legacy-notlog', 0],
  ['referrers/s02-legacy-tlog', 0],
  ['referrers/s03-legacy-tlog-recursive', 0],
  ['referrers/s04-legacy-annotations', 0],
  ['referrers/s06-legacy-by-c3-tlog', 0],
  ['referrers/n39-first-bad-second-good', 0],
  ['referrers/s15-unsigned', 10],
  ['referrers/n01-replayed-other-image', 12],
  ['referrers/n02-wrong-key', 12],
  ['referrers/n24-critical-type-other', 12],
];

const nameOf = (vector: string): string => vector.split('/').at(-1) ?? vector;

const authorizationOf = ({ username, password }: typeof ACCOUNT): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

interface Outcome {
  readonly code: number;
  readonly images: readonly {
    readonly outcome: string;
    readonly reason: string | null;
    readonly digest: string | null;
    readonly requests: number;
  }[];
}

const tls = createTls();
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sailmark-e2e-'));
  await writeFile(join(directory, 'ca.pem'), tls.ca);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const writeCredentials = async (host: string, account: typeof ACCOUNT): Promise<string> => {
  const path = join(directory, `${host.replace(':', '-')}-${account.password}.json`);
  const auth = Buffer.from(`${account.username}:${account.password}`).toString('base64');
  await writeFile(path, JSON.stringify({ auths: { [host]: { auth } } }));
  return path;
};

const verify = (credentials: string, ...images: readonly string[]): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const flags = [
      '--output',
      'json',
      '--key',
      KEY,
      '--ca-file',
      join(directory, 'ca.pem'),
      '--registry-config',
      credentials,
    ];
    execFile(process.execPath, [PROGRAM, 'verify', ...flags, ...images], (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (typeof code !== 'number' || stdout === '')
        reject(new Error(`verify ended with ${String(code)}: ${stderr}`));
      else resolve({ code, images: (JSON.parse(stdout) as Outcome).images });
    });
  });

type AuthorizationFor = (repository: string) => string;

const pushVectors = async (host: string, authorizationFor: AuthorizationFor): Promise<void> => {
  for (const [vector] of VECTORS)
    await pushVector({ origin: `https://${host}`, ca: tls.ca, authorizationFor }, vector, nameOf(vector));
};

/** Tests that hold for every kind of authentication. */
const defineVerdicts = (hostOf: () => string): void => {
  it('refuses to say anything of an image where the password is wrong', async () => {
    const credentials = await writeCredentials(hostOf(), { ...ACCOUNT, password: 'guessed' });
    const { code, images } = await verify(credentials, `${hostOf()}/s01-legacy-notlog@${DIGEST}`);
    expect({ code, reason: images[0]?.reason }).toEqual({ code: 20, reason: 'registry-refused' });
  });

  it.each(VECTORS)('%s ends with %i, by digest and by tag', async (vector, exitCode) => {
    const credentials = await writeCredentials(hostOf(), ACCOUNT);
    const repository = `${hostOf()}/${nameOf(vector)}`;
    const outcome = await verify(credentials, `${repository}@${DIGEST}`, `${repository}:1.30.0-amd64`);
    expect({ code: outcome.code, digests: outcome.images.map(({ digest }) => digest) }).toEqual({
      code: exitCode,
      digests: [DIGEST, DIGEST],
    });
  });
};

describe('verify, from the bundle, against docker-registry with basic auth', () => {
  let registry: DockerRegistry;
  beforeAll(async () => {
    registry = await startDockerRegistry(tls, { kind: 'basic' });
    await pushVectors(registry.host, () => authorizationOf(ACCOUNT));
  });
  afterAll(() => registry?.stop());

  defineVerdicts(() => registry.host);
});

describe('verify, from the bundle, against docker-registry with token auth', () => {
  let tokens: TokenService;
  let registry: DockerRegistry;
  beforeAll(async () => {
    tokens = await startTokenService(tls);
    registry = await startDockerRegistry(tls, { kind: 'token', ...tokens });
    await pushVectors(
      registry.host,
      (repository) => `Bearer ${tokens.tokenFor(`repository:${repository}:pull,push`)}`,
    );
  });
  afterAll(async () => {
    await registry?.stop();
    await tokens?.close();
  });

  defineVerdicts(() => registry.host);

  it('asked for pull and nothing else', () => {
    expect(tokens.scopes.filter((scope) => !/^repository:[\w-]+:pull$/.test(scope))).toEqual([]);
    expect(tokens.scopes.length).toBeGreaterThan(0);
  });
});
