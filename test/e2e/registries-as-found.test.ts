import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { fallbackTag } from '../support/bundle-kit.ts';
import { type Fault, startRegistry, type TestRegistry } from '../support/registry-server.ts';
import {
  createSigner,
  imageManifest,
  type PushTarget,
  push,
  pushSignatures,
  type Signer,
  sign,
} from '../support/signing-kit.ts';
import { pathOf, runProgram } from './tools.ts';

/*
 * The bundle and real cosign verify the same image in registries that behave as registries of other makers do.
 */

const PROGRAM = new URL('../../dist/main.js', import.meta.url).pathname;
const PATH = 'istio/proxyv2';
const OWN = `repository:${PATH}:pull`;

const release = createSigner();
let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sailmark-found-'));
  await writeFile(join(directory, 'key.pub'), release.publicPem);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const stripType = (bytes: Uint8Array, members: object = {}): Buffer => {
  const { mediaType: _, ...manifest } = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
  return Buffer.from(JSON.stringify({ ...manifest, ...members }));
};

/** Pushes an image and its signature, whose manifest is served as this type. */
const pushImage = (registry: TestRegistry, by: Signer | false, type?: string) => {
  const digest = push(registry, PATH, imageManifest('found'), '1.28.0');
  const target: PushTarget = {
    pushBlob: (...blob) => registry.pushBlob(...blob),
    pushManifest: (repository, tag, bytes, mediaType) =>
      registry.pushManifest(
        repository,
        tag,
        type === undefined ? bytes : stripType(bytes),
        type ?? mediaType,
      ),
  };
  if (by !== false) pushSignatures(target, PATH, digest, [sign(by, `docker.io/${PATH}`, digest)]);
  return digest;
};

/** Grants tokens for what is asked, and serves those that were granted `wanted`, with these challenges. */
const withToken =
  (registry: TestRegistry, wanted: string, challenges: readonly string[]): Fault =>
  (request, response) => {
    const url = new URL(request.url ?? '', registry.origin);
    if (url.pathname === '/token') {
      const scopes = url.searchParams.getAll('scope').join(' ');
      response.end(JSON.stringify({ token: Buffer.from(scopes).toString('base64url') }));
      return true;
    }
    const token = (request.headers.authorization ?? '').replace('Bearer ', '');
    const scopes = Buffer.from(token, 'base64url').toString().split(' ');
    if (scopes.includes(wanted)) return false;
    response.writeHead(401, { 'www-authenticate': [...challenges] }).end();
    return true;
  };
const bearer = ({ origin }: TestRegistry, scope: string): string =>
  `Bearer realm="${origin}/token",service="s",scope="${scope}"`;

const rejectHead =
  (status: number): Fault =>
  (request, response) => {
    if (request.method !== 'HEAD') return false;
    response.writeHead(status).end();
    return true;
  };
const indexOf =
  (members: string): Fault =>
  (request, response) => {
    if (request.url?.includes('/referrers/') !== true) return false;
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    response.writeHead(200, { 'content-type': mediaType });
    response.end(`{"schemaVersion":2,"mediaType":"${mediaType}"${members}}`);
    return true;
  };

/** Registries in which the image is found, and its signature if it has one. */
const REGISTRIES: readonly (readonly [string, (registry: TestRegistry) => Fault])[] = [
  [
    'rewrites the paths of scopes, as Artifactory',
    (registry) => withToken(registry, 'repository:a/b:pull', [bearer(registry, 'repository:a/b:pull')]),
  ],
  [
    'has a scope of its own, as ECR Public',
    (registry) => withToken(registry, 'aws', [bearer(registry, 'aws')]),
  ],
  [
    'names a placeholder for a scope, as GHCR',
    (registry) => withToken(registry, OWN, [bearer(registry, 'repository:user/image:pull')]),
  ],
  ['offers Negotiate as well', (registry) => withToken(registry, OWN, ['Negotiate', bearer(registry, OWN)])],
  ['answers 404 to HEAD, as Nexus', () => rejectHead(404)],
  ['answers 403 to HEAD', () => rejectHead(403)],
  ['lists no referrers with null', () => indexOf(',"manifests":null')],
];

/** Answers the ping that cosign begins with where the fault does not. */
const setFault = (registry: TestRegistry, fault: Fault = () => false): void => {
  registry.fault = (request, response) => {
    if (fault(request, response)) return true;
    if (request.url !== '/v2/') return false;
    response.end('{}');
    return true;
  };
};

const startWith = async (makeFault: (registry: TestRegistry) => Fault | undefined): Promise<TestRegistry> => {
  const registry = await startRegistry();
  onTestFinished(() => registry.close());
  setFault(registry, makeFault(registry));
  return registry;
};

/** The exit codes of cosign and of ours. */
const verifyWithBoth = async ({ host }: TestRegistry) => {
  const reference = `${host}/${PATH}:1.28.0`;
  const key = join(directory, 'key.pub');
  const options = { cwd: directory, env: { HOME: directory, DOCKER_CONFIG: directory } };
  const cosign = await runProgram(
    pathOf('cosign 3'),
    ['verify', '--key', key, '--insecure-ignore-tlog', reference],
    options,
  );
  const sailmark = await runProgram(
    process.execPath,
    [PROGRAM, 'verify', '--key', key, '--allow-http-registry', reference],
    options,
  );
  return { cosign: cosign.code, sailmark: sailmark.code };
};

describe.each(REGISTRIES)('where a registry %s, both programs', (_, makeFault) => {
  it('find no signature of an unsigned image', async () => {
    const registry = await startWith(makeFault);
    pushImage(registry, false);
    expect(await verifyWithBoth(registry)).toEqual({ cosign: 10, sailmark: 10 });
  });

  it('refuse the signature of a stranger', async () => {
    const registry = await startWith(makeFault);
    pushImage(registry, createSigner());
    expect(await verifyWithBoth(registry)).toEqual({ cosign: 12, sailmark: 12 });
  });

  it('verify a signed image', async () => {
    const registry = await startWith(makeFault);
    pushImage(registry, release);
    expect(await verifyWithBoth(registry)).toEqual({ cosign: 0, sailmark: 0 });
  });
});

describe('where the fallback tag is the image itself, as in GitLab, both programs', () => {
  it.each([
    ['find no signature of an unsigned image', false, 10],
    ['verify a signed image', release, 0],
  ] as const)('%s', async (_, by, code) => {
    const registry = await startWith(() => undefined);
    registry.referrersApi = false;
    const digest = pushImage(registry, by);
    setFault(registry, (request) => {
      request.url = request.url?.replace(new RegExp(`${fallbackTag(digest)}$`), digest) ?? '';
      return false;
    });
    expect(await verifyWithBoth(registry)).toEqual({ cosign: code, sailmark: code });
  });
});

describe('where a static server types a signature by its tag, both programs', () => {
  it.each(['text/plain', 'application/octet-stream', 'application/pgp-signature', 'application/json'])(
    'verify it as %s',
    async (type) => {
      const registry = await startWith(() => undefined);
      pushImage(registry, release, type);
      expect(await verifyWithBoth(registry)).toEqual({ cosign: 0, sailmark: 0 });
    },
  );
});
