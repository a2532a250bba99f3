import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../support/registry-server.ts';
import { withThirdParty } from '../../support/third-party.ts';
import { createTls } from '../../support/tls.ts';
import {
  codeOf,
  DIGEST,
  faultOf,
  MANIFEST,
  pushTestImage,
  requestsOf,
  respondWith,
  startRegistryAndClient,
  startTestRegistry,
  writeDockerConfig,
} from '../test-client.ts';

const ACCOUNT = { username: 'reader', password: 'pass word:ü' };
const BASIC = `Basic ${Buffer.from(`${ACCOUNT.username}:${ACCOUNT.password}`).toString('base64')}`;
const MANIFEST_QUESTION = `GET /v2/istio/pilot/manifests/${DIGEST}`;

/** The entry of a docker `config.json`. */
const ENTRY = { auth: BASIC.slice(6) };
const IDENTITY = { identitytoken: 'refresh+me' };

const isToken = ({ url }: IncomingMessage): boolean => url?.startsWith('/token') === true;
/** Responds to token requests only. */
const tokenService =
  (fault: Fault): Fault =>
  (request, response) =>
    isToken(request) && fault(request, response);

describe('a token', () => {
  it('is asked for once by all who wait, and then held', async () => {
    const { registry, client } = await startRegistryAndClient({ auth: { kind: 'token' } });
    const repositories = Array.from({ length: 6 }, () => client.repository());
    await Promise.all(repositories.map((repository) => repository.manifest()));
    expect(requestsOf(registry).filter((line) => line === 'GET /token').length).toBe(1);
    registry.clearRequests();
    await client.repository().manifest();
    expect(requestsOf(registry)).toEqual([MANIFEST_QUESTION]);
  });

  it('is one for each repository, for pull and nothing else', async () => {
    const { registry, client } = await startRegistryAndClient({ auth: { kind: 'token' } });
    pushTestImage(registry, 'istio/proxyv2');
    await client.repository().manifest();
    await client.repository('istio/proxyv2').manifest();
    const scopes = registry.requests
      .filter(({ path }) => path.startsWith('/token'))
      .map(({ path }) => new URL(path, 'http://r').searchParams.getAll('scope'));
    expect(scopes).toEqual([['repository:istio/pilot:pull'], ['repository:istio/proxyv2:pull']]);
  });

  it('of one repository is held while another is asked', async () => {
    const { registry, client } = await startRegistryAndClient({ auth: { kind: 'token' } });
    pushTestImage(registry, 'istio/proxyv2');
    for (const path of ['istio/pilot', 'istio/proxyv2', 'istio/pilot', 'istio/proxyv2'])
      await client.repository(path).manifest();
    expect(requestsOf(registry).filter((asked) => asked === 'GET /token').length).toBe(2);
  });

  it.each([0, -1])(
    'that says it lives for %d s is held as one that says nothing: a minute',
    async (lifetime) => {
      const { registry, client } = await startRegistryAndClient({ auth: { kind: 'token', lifetime } });
      await client.repository().manifest();
      client.time += 54_000;
      registry.clearRequests();
      await client.repository().manifest();
      expect(requestsOf(registry)).toEqual([MANIFEST_QUESTION]);
    },
  );

  it('is asked for again shortly before it ends', async () => {
    const { registry, client } = await startRegistryAndClient({ auth: { kind: 'token', lifetime: 60 } });
    await client.repository().manifest();
    client.time += 54_000;
    registry.clearRequests();
    await client.repository().manifest();
    expect(requestsOf(registry)).toEqual([MANIFEST_QUESTION]);
    client.time += 1_001;
    registry.clearRequests();
    await client.repository().manifest();
    expect(requestsOf(registry)).toEqual(['GET /token', MANIFEST_QUESTION]);
  });

  it('that is refused is replaced once', async () => {
    const { registry, client } = await startRegistryAndClient({ auth: { kind: 'token' } });
    const issued: string[] = [];
    let good = 'first';
    registry.fault = (request, response) => {
      if (isToken(request)) {
        issued.push(good);
        response.end(JSON.stringify({ token: good }));
        return true;
      }
      if (request.headers.authorization === `Bearer ${good}`) {
        response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(MANIFEST);
        return true;
      }
      return false;
    };
    await client.repository().manifest();
    good = 'second';
    registry.clearRequests();
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    expect(requestsOf(registry)).toEqual([MANIFEST_QUESTION, 'GET /token', MANIFEST_QUESTION]);
    expect(issued).toEqual(['first', 'second']);
  });

  it('that is refused as soon as it was given is not held', async () => {
    const { registry, client } = await startRegistryAndClient({ auth: { kind: 'token' } });
    registry.fault = (request, response) =>
      request.headers.authorization !== undefined && respondWith(403)(request, response);
    expect(await codeOf(client.repository().manifest())).toBe('refused');
    registry.fault = undefined;
    registry.clearRequests();
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    expect(requestsOf(registry)).toEqual(['GET /token', MANIFEST_QUESTION]);
  });

  it('is asked for with the credentials of the repository, in the header alone', async () => {
    const { registry, client } = await startRegistryAndClient({
      auth: { kind: 'token', account: ACCOUNT },
      credentials: ENTRY,
    });
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    const request = registry.requests.find(({ path }) => path.startsWith('/token'));
    expect(request?.authorization).toBe(BASIC);
    expect(request?.path).not.toContain('pass');
  });

  it('is not asked for with the credentials of another port', async () => {
    const { client } = await startRegistryAndClient({
      auth: { kind: 'token', account: ACCOUNT },
      client: { dockerConfig: writeDockerConfig('127.0.0.1', ENTRY) },
    });
    expect((await faultOf(client.repository().manifest())).message).toContain('to an anonymous request');
  });

  it('is asked for with an identity token by POST', async () => {
    const { registry, client } = await startRegistryAndClient({
      auth: { kind: 'token' },
      credentials: IDENTITY,
    });
    let body = '';
    registry.fault = tokenService((request, response) => {
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => {
        const scope = new URLSearchParams(body).get('scope') ?? '';
        response.end(JSON.stringify({ access_token: `token-for-${Buffer.from(scope).toString('hex')}` }));
      });
      return true;
    });
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      service: 'test registry',
      scope: 'repository:istio/pilot:pull',
      grant_type: 'refresh_token',
      client_id: 'sailmark',
      refresh_token: 'refresh+me',
    });
    expect(requestsOf(registry)).toEqual([MANIFEST_QUESTION, 'POST /token', MANIFEST_QUESTION]);
  });

  it('sends a POST with an identity token once, though its connection is lost', async () => {
    const { registry, client } = await startRegistryAndClient({
      auth: { kind: 'token' },
      credentials: IDENTITY,
    });
    registry.fault = tokenService((request) => {
      request.socket.destroy();
      return true;
    });
    expect(await codeOf(client.repository().manifest())).toBe('unavailable');
    expect(requestsOf(registry)).toEqual([MANIFEST_QUESTION, 'POST /token']);
  });

  it('never takes a POST with an identity token to where it is redirected', async () => {
    const { registry, client } = await startRegistryAndClient({
      auth: { kind: 'token' },
      credentials: IDENTITY,
    });
    registry.fault = tokenService(respondWith(307, { location: '/token2' }));
    expect(await codeOf(client.repository().manifest())).toBe('refused');
    expect(requestsOf(registry)).toEqual([MANIFEST_QUESTION, 'POST /token']);
  });
});

describe('a token service', () => {
  withThirdParty<{ readonly tokenResponse: readonly { readonly body: string; readonly token: string }[] }>(
    ['registry-auth', 'transport.json'],
    ({ tokenResponse }) => {
      it.each(tokenResponse)('that answers $body is understood', async ({ body, token }) => {
        const { registry, client } = await startRegistryAndClient({ auth: { kind: 'token' } });
        registry.fault = tokenService(respondWith(200, {}, body));
        await faultOf(client.repository().manifest());
        expect(registry.requests.at(-1)?.authorization).toBe(`Bearer ${token}`);
      });
    },
  );

  it.each([
    ['no JSON', '<html>'],
    ['null', 'null'],
    ['no token', '{"details":"x"}'],
    ['an empty token', '{"token":""}'],
    ['a token that would write headers', '{"token":"a\\r\\nX-Evil: 1"}'],
    ['a token that is no text', '{"token":{"a":1}}'],
  ])('that answers %s is no token service', async (_name, body) => {
    const { registry, client } = await startRegistryAndClient({ auth: { kind: 'token' } });
    registry.fault = tokenService(respondWith(200, {}, body));
    expect(await faultOf(client.repository().manifest())).toEqual({
      code: 'answer-invalid',
      asked: true,
      message: `the token service of ${registry.host} responded without a token`,
    });
  });

  it('that answers more than a token is cut off', async () => {
    const { registry, client } = await startRegistryAndClient({ auth: { kind: 'token' } });
    registry.fault = tokenService(respondWith(200, {}, JSON.stringify({ token: 'x'.repeat(5000) })));
    expect(await codeOf(client.repository().manifest())).toBe('answer-invalid');
  });

  it('that fails is a registry that fails', async () => {
    const { registry, client } = await startRegistryAndClient({ auth: { kind: 'token' } });
    registry.fault = tokenService(respondWith(502));
    for (let time = 0; time < 5; time += 1)
      expect(await codeOf(client.repository().manifest())).toBe('unavailable');
    registry.clearRequests();
    expect(await faultOf(client.repository().manifest())).toMatchObject({
      code: 'unavailable',
      asked: false,
    });
    expect(registry.requests).toEqual([]);
  });

  it('that asks for a pause gets it', async () => {
    const { registry, client } = await startRegistryAndClient({ auth: { kind: 'token' } });
    registry.fault = tokenService(respondWith(429, { 'retry-after': '20' }));
    expect(await faultOf(client.repository().manifest())).toMatchObject({
      code: 'rate-limited',
      asked: true,
    });
    registry.fault = undefined;
    registry.clearRequests();
    expect(await faultOf(client.repository().manifest())).toMatchObject({
      code: 'rate-limited',
      asked: false,
    });
    expect(registry.requests).toEqual([]);
    client.time += 20_000;
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
  });

  it('that gives no token says whether credentials were sent, and nothing of them', async () => {
    const { registry, client } = await startRegistryAndClient({
      auth: { kind: 'token', account: { ...ACCOUNT, password: 'other' } },
    });
    expect((await faultOf(client.repository().manifest())).message).toContain(
      'returned no token to an anonymous request (401)',
    );
    const known = await startRegistryAndClient({
      auth: { kind: 'token', account: { ...ACCOUNT, password: 'other' } },
      credentials: ENTRY,
    });
    const { message } = await faultOf(known.client.repository().manifest());
    expect(message).toContain('returned no token for these credentials (401)');
    expect(message).not.toContain(ACCOUNT.password);
    expect(message).not.toContain(BASIC.slice(6));
    expect(registry.requests.length).toBe(2);
  });

  it('that never answers costs each caller only his own time, and ends in its own', async () => {
    const { registry, client } = await startRegistryAndClient({
      auth: { kind: 'token' },
      client: { limits: { requestTimeout: 400 } },
    });
    registry.fault = tokenService(() => true);
    const patient = faultOf(client.repository().manifest());
    expect(await faultOf(client.repository().manifest(AbortSignal.timeout(100)))).toMatchObject({
      code: 'deadline',
      asked: true,
    });
    expect(await patient).toMatchObject({ code: 'unavailable' });
    registry.fault = undefined;
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
  });

  it('may be on another port over https, as its own domain', async () => {
    const tls = createTls();
    const service = await startTestRegistry({ tls, auth: { kind: 'token' } });
    const { client } = await startRegistryAndClient({
      tls,
      auth: { kind: 'token', realm: `${service.origin}/token` },
    });
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    expect(requestsOf(service)).toEqual(['GET /token']);
  });

  it('over plain HTTP is not asked, but at the host that plain HTTP is allowed to', async () => {
    const service = await startTestRegistry({ auth: { kind: 'token' } });
    const { client } = await startRegistryAndClient({
      auth: { kind: 'token', realm: `${service.origin}/token` },
    });
    expect(await faultOf(client.repository().manifest())).toMatchObject({
      code: 'refused',
      asked: true,
      message: expect.stringContaining('the token realm of') as string,
    });
    expect(service.requests).toEqual([]);
  });

  it('is asked without what its realm says of a user', async () => {
    const { registry, client } = await startRegistryAndClient({ auth: { kind: 'token' } });
    registry.fault = (request, response) => {
      if (isToken(request) || request.headers.authorization !== undefined) return false;
      return respondWith(401, {
        'www-authenticate': `Bearer realm="http://user:word@${registry.host}/token?extra=1",service="x"`,
      })(request, response);
    };
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    const asked = registry.requests.find(({ path }) => path.startsWith('/token'));
    expect(asked).toMatchObject({
      authorization: undefined,
      path: expect.stringContaining('extra=1') as string,
    });
  });
});

describe('a password', () => {
  it('is shown to a registry that asks for it, from then on at once', async () => {
    const { registry, client } = await startRegistryAndClient({
      auth: { kind: 'basic', account: ACCOUNT },
      credentials: ENTRY,
    });
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    await client.repository().blob();
    expect(registry.requests.map(({ authorization }) => authorization)).toEqual([undefined, BASIC, BASIC]);
  });

  it('that is wrong is shown once a request', async () => {
    const { registry, client } = await startRegistryAndClient({
      auth: { kind: 'basic', account: { ...ACCOUNT, password: 'another' } },
      credentials: ENTRY,
    });
    expect(await codeOf(client.repository().manifest())).toBe('refused');
    expect(await codeOf(client.repository().manifest())).toBe('refused');
    expect(registry.requests.map(({ authorization }) => authorization)).toEqual([undefined, BASIC, BASIC]);
  });

  it('that is not there is a fault that says so', async () => {
    const { registry, client } = await startRegistryAndClient({ auth: { kind: 'basic', account: ACCOUNT } });
    expect(await faultOf(client.repository().manifest())).toEqual({
      code: 'refused',
      asked: true,
      message: `${registry.host} requires a user name and password, but none is configured for ${registry.host}/istio/pilot`,
    });
  });
});

describe('a token that nobody needed credentials for', () => {
  it.each([401, 403])('and that is refused with %d is left out', async (status) => {
    const { registry, client } = await startRegistryAndClient({ auth: { kind: 'token' } });
    await client.repository().manifest();
    registry.fault = (request, response) =>
      isToken(request) || request.headers.authorization === undefined
        ? !isToken(request) && registry.serve(request, response)
        : respondWith(status)(request, response);
    for (let time = 0; time < 3; time += 1)
      expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
  });
});

describe('a 401', () => {
  it.each([[{}], [{ 'www-authenticate': 'Negotiate' }], [{ 'www-authenticate': '=' }]])(
    'with %j as its challenge is a refusal',
    async (headers) => {
      const { registry, client } = await startRegistryAndClient();
      registry.fault = respondWith(401, headers);
      expect(await codeOf(client.repository().manifest())).toBe('refused');
      expect(registry.requests.length).toBe(1);
    },
  );

  it('is met with a token where it offers a password as well', async () => {
    const { registry, client } = await startRegistryAndClient({ auth: { kind: 'token' } });
    registry.fault = (request, response) => {
      if (isToken(request) || request.headers.authorization !== undefined) return false;
      response.setHeader('www-authenticate', [
        'Basic realm="x"',
        `Bearer realm="${registry.origin}/token",service="x"`,
      ]);
      response.writeHead(401).end();
      return true;
    };
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
  });
});
