import { describe, expect, it } from 'vitest';
import { parseChallenges } from '../../../src/registry/auth/challenge.ts';
import { codeOf, DIGEST, faultOf, requestsOf, startRegistryAndClient } from '../test-client.ts';

/*
 * Registries that offer several ways to be asked, some of which cannot be taken.
 */

const ACCOUNT = { username: 'reader', password: 'word' };
const BASIC = `Basic ${Buffer.from('reader:word').toString('base64')}`;

/** A registry that offers these challenges, for a password or the token of its own service. */
const startWith = async (
  challenges: (origin: string) => string | readonly string[],
  credentials: unknown = ACCOUNT,
) => {
  const { registry, client } = await startRegistryAndClient({ credentials });
  registry.fault = (request, response) => {
    const { url, headers } = request;
    if (url?.startsWith('/token') === true) {
      response.end(JSON.stringify({ token: 'good' }));
      return true;
    }
    if (url?.startsWith('/broken') === true) {
      response.writeHead(500).end();
      return true;
    }
    if (headers.authorization === BASIC || headers.authorization === 'Bearer good')
      return registry.serve(request, response);
    const offered = [challenges(registry.origin)].flat();
    response.writeHead(401, { 'www-authenticate': [...offered] }).end();
    return true;
  };
  return { registry, client };
};

const FOREIGN = 'Bearer realm="https://elsewhere.example/token"';
const own = (origin: string): string => `Bearer realm="${origin}/token",service="s"`;

/** Challenges that cannot be met, each beside one that can. */
const UNMET: readonly (readonly [string, string])[] = [
  ['of a foreign token service', FOREIGN],
  ['without a realm', 'Bearer service="s"'],
  ['whose realm is no URL', 'Bearer realm="/token"'],
  ['whose realm is not https', 'Bearer realm="http://127.0.0.2/token"'],
  ['of an unknown scheme', 'Digest qop="auth", nonce="a,b", algorithm=MD5'],
  ['of Negotiate', 'Negotiate'],
  ['of Negotiate with data', 'Negotiate YIIabc+/=='],
  ['that is malformed', 'Bearer realm="https://open'],
  ['that is malformed in its middle', 'Digest ="x" ?? realm'],
];

describe('a list of challenges that cannot be met', () => {
  it.each(UNMET)('%s is a refusal', async (_, challenge) => {
    const { registry, client } = await startWith(() => challenge);
    expect(await codeOf(client.repository().manifest())).toBe('refused');
    expect(registry.requests.length).toBe(1);
  });

  it('names the token service that is not permitted', async () => {
    const { client } = await startWith(() => [FOREIGN, 'Negotiate']);
    expect((await faultOf(client.repository().manifest())).message).toContain('elsewhere.example');
  });

  it('asks no more than a few token services, however many are named', async () => {
    const { registry, client } = await startWith((origin) =>
      Array.from({ length: 50 }, (_, at) => `Bearer realm="${origin}/broken/${at}"`),
    );
    expect(await codeOf(client.repository().manifest())).not.toBe('none');
    expect(registry.requests.length).toBeLessThan(6);
  });
});

describe('a password beside token services', () => {
  const scoped = (origin: string, at: number): string =>
    `Bearer realm="${origin}/token?${at}",scope="repository:other/${at}:pull"`;

  /** The token services give tokens that the registry refuses, or fail. */
  const startBeside = async (
    challenges: (origin: string, count: number) => readonly string[],
    status: number,
    password: string,
  ) => {
    const { registry, client } = await startRegistryAndClient({
      credentials: { ...ACCOUNT, password },
    });
    let count = 0;
    registry.fault = (request, response) => {
      if (request.url?.startsWith('/token') === true) {
        response.writeHead(status).end(JSON.stringify({ token: 'bad' }));
        return true;
      }
      if (request.headers.authorization === BASIC) return registry.serve(request, response);
      count += 1;
      response.writeHead(401, { 'www-authenticate': [...challenges(registry.origin, count)] }).end();
      return true;
    };
    return { registry, client };
  };
  const OFFERS: readonly (readonly [string, (origin: string, count: number) => readonly string[]])[] = [
    ['two', (origin) => [scoped(origin, 1), scoped(origin, 2), 'Basic realm="r"']],
    ['many', (origin) => ['Basic realm="r"', ...Array.from({ length: 50 }, (_, at) => scoped(origin, at))]],
    [
      'others each time',
      (origin, count) => [scoped(origin, 2 * count), scoped(origin, 2 * count + 1), 'Basic realm="r"'],
    ],
  ];
  const cases = OFFERS.flatMap(([name, offer]) =>
    [200, 401, 403, 500].map((status) => [name, status, offer] as const),
  );

  it.each(cases)('%s that answer %d, is refused if it is wrong', async (_, status, offer) => {
    const { registry, client } = await startBeside(offer, status, 'wrong');
    expect(await codeOf(client.repository().manifest())).not.toBe('none');
    expect(registry.requests.length).toBeLessThanOrEqual(24);
  });

  it.each(cases)('%s that answer %d, has its turn', async (_, status, offer) => {
    const { registry, client } = await startBeside(offer, status, ACCOUNT.password);
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    expect(registry.requests.length).toBeLessThanOrEqual(24);
  });
});

describe('a challenge that cannot be met', () => {
  const BESIDE = [
    ['a password', () => 'Basic realm="r"'],
    ['a token', own],
  ] as const;
  const pairs = UNMET.flatMap(([name, unmet]) =>
    BESIDE.map(([beside, met]) => [name, beside, unmet, met] as const),
  );

  it.each(pairs)(
    '%s, hides none for %s beside it, whatever the order',
    async (_name, _beside, unmet, met) => {
      for (const order of [
        (origin: string) => [unmet, met(origin)],
        (origin: string) => [met(origin), unmet],
      ]) {
        const { client } = await startWith(order);
        expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
      }
    },
  );

  it.each(pairs.filter(([name]) => !name.includes('malformed')))(
    '%s, hides none for %s in the same header, whatever the order',
    async (_name, _beside, unmet, met) => {
      for (const order of [
        (origin: string) => `${unmet}, ${met(origin)}`,
        (origin: string) => `${met(origin)}, ${unmet}`,
      ]) {
        const { client } = await startWith(order);
        expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
      }
    },
  );

  it('because its token service fails or refuses hides no password', async () => {
    const { registry, client } = await startWith((origin) => [
      `Bearer realm="${origin}/broken"`,
      'Basic realm="r"',
    ]);
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    registry.clearRequests();
    await client.repository().manifest();
    // It is remembered which of them worked.
    expect(requestsOf(registry)).toEqual([`GET /v2/istio/pilot/manifests/${DIGEST}`]);
  });

  it('for want of a password hides no token', async () => {
    const { client } = await startWith((origin) => ['Basic realm="r"', own(origin)], {});
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
  });
});

describe('a header of challenges', () => {
  it.each([
    ['has data of Negotiate', 'Negotiate YII=, Basic realm="r"', ['negotiate', 'basic']],
    ['has an empty value', 'Bearer error=,realm="https://a/t"', ['bearer']],
    [
      'has a URL without quotes',
      'Bearer realm=https://a/t?x=1,service=s, Basic realm=r',
      ['bearer', 'basic'],
    ],
    ['is malformed and goes on', 'Bearer realm="x"y, Basic realm="r"', ['bearer', 'basic']],
  ])('is read where it %s', (_, header, schemes) => {
    expect(parseChallenges([header]).map(({ scheme }) => scheme)).toEqual(schemes);
  });

  it('keeps the URL that stands without quotes', () => {
    expect(parseChallenges(['Bearer realm=https://a/t?x=1,service=s'])).toEqual([
      { scheme: 'bearer', params: { realm: 'https://a/t?x=1', service: 's' } },
    ]);
  });
});
