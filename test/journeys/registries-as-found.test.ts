import { describe, expect, it, onTestFinished } from 'vitest';
import { pod, review } from '../support/builders.ts';
import { fallbackTag } from '../support/bundle-kit.ts';
import { startInProcessWebhook } from '../support/in-process-webhook.ts';
import { type Mirror, startMirror } from '../support/mirror.ts';
import type { Fault } from '../support/registry-server.ts';
import { createSigner, type PushTarget, pushSignatures, type Signer, sign } from '../support/signing-kit.ts';
import { createTls } from '../support/tls.ts';

/*
 * Registries that people have: static ones, GitLab, Nexus, Artifactory, and some that refuse.
 */

const NAME = 'istio/proxyv2';

const start = async (options: Parameters<typeof startMirror>[0] = {}, configuration: object = {}) => {
  const mirror = await startMirror(options);
  onTestFinished(() => mirror.registry.close());
  const webhook = await startInProcessWebhook({ ...mirror.configuration, ...configuration });
  return {
    mirror,
    judge: (image: string) => webhook.summaryOf(review(pod([image]))),
    messageFor: async (image: string) =>
      (await webhook.sendReview('/validate/enforce', review(pod([image])))).status?.message ?? '',
  };
};

const json =
  (status: number, body: object): Fault =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    return true;
  };
const onlyFor =
  (pattern: RegExp, fault: Fault): Fault =>
  (request, response) =>
    pattern.test(`${request.method} ${request.url}`) && fault(request, response);

/** Pushes signatures as a static server has them: their manifest has no type inside, and this one outside. */
const pushAs = ({ registry }: Mirror, type: string): PushTarget => ({
  pushBlob: (repository, bytes) => registry.pushBlob(repository, bytes),
  pushManifest(repository, tag, bytes) {
    const { mediaType, ...manifest } = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
    expect(mediaType).toBeDefined();
    registry.pushManifest(repository, tag, Buffer.from(JSON.stringify(manifest)), type);
  },
});
const signAs = (mirror: Mirror, type: string, by: Signer = mirror.release) => {
  const image = mirror.add({ by: false });
  const signature = sign(by, 'docker.io/istio/proxyv2', image.digest);
  pushSignatures(pushAs(mirror, type), NAME, image.digest, [signature]);
  return image;
};

const TYPES = ['text/plain', 'application/octet-stream', 'application/pgp-signature', 'application/json'];

describe('a signature of a static registry', () => {
  it.each(TYPES)('by a stranger is refused, called %s', async (type) => {
    const { mirror, judge } = await start();
    const { byDigest } = signAs(mirror, type, createSigner());
    expect(await judge(byDigest)).toMatchObject({ verdict: 'deny', reasons: ['signer-untrusted'] });
  });

  it('that is a login page is no missing signature', async () => {
    const { mirror, judge } = await start();
    const { byDigest } = mirror.add({ by: false });
    mirror.registry.fault = onlyFor(/\.sig$/, json(200, { error: 'login_required' }));
    expect(await judge(byDigest)).toMatchObject({ verdict: 'deny', reasons: ['registry-answer-invalid'] });
  });

  it('that is an artifact manifest is missing', async () => {
    const { mirror, judge } = await start();
    const type = 'application/vnd.oci.artifact.manifest.v1+json';
    const { byDigest, digest } = mirror.add({ by: false });
    const bytes = Buffer.from(JSON.stringify({ mediaType: type, blobs: [] }));
    mirror.registry.pushManifest(NAME, `${fallbackTag(digest)}.sig`, bytes, type);
    expect(await judge(byDigest)).toMatchObject({ verdict: 'deny', reasons: ['signature-missing'] });
  });

  it.each(TYPES)('verifies, called %s', async (type) => {
    const { mirror, judge } = await start();
    expect(await judge(signAs(mirror, type).byDigest)).toMatchObject({ verdict: 'allow' });
  });
});

describe('a registry that resolves the fallback tag to the image itself, as GitLab', () => {
  const startGitLab = async (by?: false) => {
    const { mirror, judge } = await start({ referrersApi: false });
    const image = mirror.add(by === undefined ? {} : { by });
    mirror.registry.fault = (request, response) => {
      request.url = request.url?.replace(new RegExp(`${fallbackTag(image.digest)}$`), image.digest) ?? '';
      return mirror.registry.serve(request, response);
    };
    return judge(image.byDigest);
  };

  it('lists no signature of an unsigned image', async () => {
    expect(await startGitLab(false)).toMatchObject({ verdict: 'deny', reasons: ['signature-missing'] });
  });

  it('hides no signature of a signed one', async () => {
    expect(await startGitLab()).toMatchObject({ verdict: 'allow' });
  });
});

describe('a registry that finds nothing by HEAD, as Nexus', () => {
  it('has no image that GET does not find either', async () => {
    const { mirror, judge } = await start();
    const { byTag } = mirror.add();
    expect(await judge(`${byTag}-nowhere`)).toMatchObject({ verdict: 'deny', reasons: ['image-not-found'] });
  });

  it.each([403, 404, 405])('has the image that GET finds, where HEAD answers %d', async (status) => {
    const { mirror, judge } = await start();
    mirror.registry.fault = onlyFor(/^HEAD /, json(status, {}));
    expect(await judge(mirror.add().byTag)).toMatchObject({ verdict: 'allow' });
  });
});

describe('a registry whose challenge names its own scope, as Artifactory', () => {
  it('lets a signed image start, and no unsigned one', async () => {
    const { mirror, judge } = await start();
    const { registry } = mirror;
    registry.fault = (request, response) => {
      const url = new URL(request.url ?? '', registry.origin);
      if (url.pathname === '/token') {
        const isGranted = url.searchParams.getAll('scope').includes('repository:docker-local/proxyv2:pull');
        response.end(JSON.stringify({ token: isGranted ? 'good' : 'bad' }));
        return true;
      }
      if (request.headers.authorization === 'Bearer good') return false;
      const challenge = `Bearer realm="${registry.origin}/token",scope="repository:docker-local/proxyv2:pull"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
      return true;
    };
    expect(await judge(mirror.add({ by: false }).byTag)).toMatchObject({ reasons: ['signature-missing'] });
    expect(await judge(mirror.add().byTag)).toMatchObject({ verdict: 'allow' });
  });
});

describe('a denial says what helps', () => {
  it.each([401, 403])('where the registry answers %d: the repository may not exist', async (status) => {
    const { mirror, messageFor } = await start();
    const { byTag } = mirror.add();
    mirror.registry.fault = json(status, { errors: [{ code: 'DENIED' }] });
    const message = await messageFor(byTag);
    expect(message).toContain('(registry-refused)');
    expect(message).toContain('that the repository exists');
  });

  it('where a token is refused: the repository may not exist', async () => {
    const account = { username: 'reader', password: 'word' };
    const { mirror, messageFor } = await start({ auth: { kind: 'token', account } });
    expect(await messageFor(mirror.add().byTag)).toContain('that the repository exists');
  });

  it('where the token service is another’s: tokenRealms, and not credentials', async () => {
    const { mirror, messageFor } = await start({
      auth: { kind: 'token', realm: 'https://elsewhere.example/token' },
    });
    const message = await messageFor(mirror.add().byTag);
    expect(message).toContain('registries[].tokenRealms');
    expect(message).not.toContain('credentials');
  });

  it('where the registry’s certificate is not trusted: its authority, and not to try again', async () => {
    const { mirror, messageFor } = await start({ tls: createTls() }, { registries: [] });
    const message = await messageFor(mirror.add().byTag);
    expect(message).toContain('trust the authority');
    expect(message).not.toContain('try again');
  });
});
