import { describe, expect, it } from 'vitest';
import { createTokenCache } from '../../../src/registry/auth/token-cache.ts';
import { createSourceCaller, type Transport } from '../../../src/registry/index.ts';
import type { RegistryAuth, TestRegistry } from '../../support/registry-server.ts';
import {
  type ClientOptions,
  createClient,
  DIGEST,
  faultOf,
  pushTestImage,
  requestsOf,
  respondWith,
  startTestRegistry,
  writeJsonFile,
} from '../test-client.ts';

/*
 * Several credentials may match an image. The kubelet tries them one after the other, the most specific first, and
 * sends an anonymous request only if none matches.
 */

const GOOD = { username: 'good', password: 'g' };
const WRONG = { username: 'wrong', password: 'w' };
const WORSE = { username: 'worse', password: 'w' };
const HEADERS: Readonly<Record<string, string>> = Object.fromEntries(
  [GOOD, WRONG, WORSE].map(({ username, password }) => [
    `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
    username,
  ]),
);
const BASIC: RegistryAuth = { kind: 'basic', account: GOOD };
const TOKEN: RegistryAuth = { kind: 'token', account: GOOD };

/** The users of the requests, in order. */
const usersOf = ({ requests }: TestRegistry): readonly string[] =>
  requests.map(({ authorization = '' }) => HEADERS[authorization] ?? authorization.split(' ', 1)[0] ?? '');

type Auths = Readonly<Record<string, unknown>>;

/** A registry with `auth`, and a client that has `auths` for it, by path. */
const startWithCredentials = async (auth: RegistryAuth, auths: Auths, options: ClientOptions = {}) => {
  const registry = await startTestRegistry({ auth });
  pushTestImage(registry);
  const keyed = Object.fromEntries(
    Object.entries(auths).map(([path, entry]) => [`${registry.host}${path}`, entry]),
  );
  const client = createClient(registry.host, {
    plainHttp: true,
    dockerConfig: writeJsonFile({ auths: keyed }),
    ...options,
  });
  return { registry, client };
};

describe('of several credentials', () => {
  it.each([BASIC, TOKEN])(
    'none that is accepted is a refusal, and nobody asks anonymously ($kind)',
    async (auth) => {
      const { registry, client } = await startWithCredentials(auth, { '': WRONG, '/istio': WORSE });
      expect(await faultOf(client.repository().manifest())).toMatchObject({ code: 'refused', asked: true });
      expect(usersOf(registry)).toEqual(['', 'worse', 'wrong']);
    },
  );

  it('a refusal by the registry itself (403) is a reason to try the next as well', async () => {
    const { registry, client } = await startWithCredentials(BASIC, { '': GOOD, '/istio': WRONG });
    registry.fault = (request, response) =>
      HEADERS[request.headers.authorization ?? ''] === 'wrong' && respondWith(403)(request, response);
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    expect(usersOf(registry)).toEqual(['', 'wrong', 'good']);
  });

  it('a failure that is no refusal is the answer', async () => {
    const { registry, client } = await startWithCredentials(TOKEN, { '': GOOD, '/istio': WRONG });
    registry.fault = (request, response) =>
      request.url?.startsWith('/token') === true && respondWith(503)(request, response);
    expect(await faultOf(client.repository().manifest())).toMatchObject({ code: 'unavailable' });
    expect(usersOf(registry)).toEqual(['', 'wrong']);
  });

  it.each([BASIC, TOKEN])('the next is tried where one is refused ($kind)', async (auth) => {
    const { registry, client } = await startWithCredentials(auth, {
      '': GOOD,
      '/istio': WRONG,
      '/istio/pilot': WORSE,
    });
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    expect(usersOf(registry).filter((user) => user !== 'Bearer')).toEqual(['', 'worse', 'wrong', 'good']);
  });

  it('one that was refused is not sent again with every request, but after a while', async () => {
    const { registry, client } = await startWithCredentials(BASIC, { '': GOOD, '/istio': WRONG });
    await client.repository().manifest();
    registry.clearRequests();
    await client.repository().manifest();
    expect(usersOf(registry)).toEqual(['good']);
    client.time += 300_000;
    registry.clearRequests();
    await client.repository().manifest();
    expect(usersOf(registry)).toEqual(['wrong', 'good']);
  });

  it('one that was refused is tried again at once where it is all there is', async () => {
    const { registry, client } = await startWithCredentials(BASIC, { '': WRONG });
    await faultOf(client.repository().manifest());
    await faultOf(client.repository().manifest());
    expect(usersOf(registry)).toEqual(['', 'wrong', 'wrong']);
  });

  it('equal ones are tried once', async () => {
    const { registry, client } = await startWithCredentials(BASIC, { '': WRONG, '/istio': WRONG });
    await faultOf(client.repository().manifest());
    expect(usersOf(registry)).toEqual(['', 'wrong']);
  });

  it('a registry that wants to be asked another way than before is, within the same request', async () => {
    const auth: { kind: RegistryAuth['kind']; account: typeof GOOD } = { kind: 'basic', account: GOOD };
    const { registry, client } = await startWithCredentials(auth, { '': GOOD });
    await client.repository().manifest();
    auth.kind = 'token';
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    expect(usersOf(registry)).toEqual(['', 'good', 'good', 'good', 'Bearer']);
  });

  it('a token that was held and is refused for good is not asked for again', async () => {
    const { registry, client } = await startWithCredentials(TOKEN, { '': GOOD });
    await client.repository().manifest();
    registry.fault = respondWith(403);
    registry.clearRequests();
    expect(await faultOf(client.repository().manifest())).toMatchObject({ code: 'refused' });
    expect(requestsOf(registry)).toEqual([`GET /v2/istio/pilot/manifests/${DIGEST}`]);
  });
});

describe('tokens got with several credentials', () => {
  it('are not taken for one another, held or under way', async () => {
    const users: (string | undefined)[] = [];
    const transport: Transport = {
      async send({ headers }) {
        const user = HEADERS[headers?.['authorization'] ?? ''];
        users.push(user);
        const body = Buffer.from(JSON.stringify({ token: `for-${user}` }));
        return { status: 200, by: 'registry', header: () => undefined, headers: () => [], body };
      },
      close: async () => {},
    };
    const tokens = createTokenCache({ registry: 'r.example', transport, tokenBytes: 1000, now: () => 0 });
    const get = (account: typeof GOOD) =>
      tokens.get(
        'a',
        {
          scheme: {
            kind: 'bearer',
            realm: new URL('https://r.example/token'),
            namedBy: 'registry',
            service: undefined,
            scopes: ['repository:a:pull'],
          },
          credentials: { kind: 'password', ...account },
          fingerprint: account.username,
        },
        { ...createSourceCaller(), signal: new AbortController().signal },
      );
    expect(await Promise.all([get(WRONG), get(GOOD), get(GOOD)])).toEqual([
      'for-wrong',
      'for-good',
      'for-good',
    ]);
    expect(await get(WRONG)).toBe('for-wrong');
    expect(await get(WRONG)).toBe('for-wrong');
    expect(users).toEqual(['wrong', 'good', 'wrong']);
  });
});

describe('places that may hold credentials', () => {
  const SECRET = { namespace: 'istio-system', name: 'regcred' };

  it('that cannot tell are a fault where no other helps, and not an anonymous request', async () => {
    const registry = await startTestRegistry({ auth: { kind: 'token' } });
    pushTestImage(registry);
    const client = createClient(registry.host, { plainHttp: true, secrets: [SECRET] });
    const { code, message } = await faultOf(client.repository().manifest());
    expect(code).toBe('refused');
    expect(message).toContain('the pull secret istio-system/regcred is stored in a cluster');
    expect(requestsOf(registry)).toEqual([`GET /v2/istio/pilot/manifests/${DIGEST}`]);
  });

  it('that cannot tell stand in nobody’s way', async () => {
    const { client } = await startWithCredentials(BASIC, { '': GOOD }, { secrets: [SECRET] });
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
  });

  it('are pull secrets first, then the docker config', async () => {
    const registry = await startTestRegistry({ auth: BASIC });
    pushTestImage(registry);
    const client = createClient(registry.host, {
      plainHttp: true,
      secrets: [SECRET, { ...SECRET, name: 'second' }],
      pullSecrets: {
        find: async (_, name) =>
          JSON.stringify({ auths: { [registry.host]: name === 'second' ? WORSE : WRONG } }),
      },
      dockerConfig: writeJsonFile({ auths: { [`${registry.host}/istio`]: GOOD } }),
    });
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    expect(usersOf(registry)).toEqual(['', 'wrong', 'worse', 'good']);
  });
});
