import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Fault, TestRegistry } from '../../support/registry-server.ts';
import {
  codeOf,
  DIGEST,
  faultOf,
  pushTestImage,
  respondWith,
  startRegistryAndClient,
  writeDockerConfig,
} from '../test-client.ts';

/*
 * Registries whose challenges name another scope than the repository's own, and token services that grant what they like.
 */

const OWN = 'repository:istio/pilot:pull';

interface TokenRequest {
  readonly scopes: readonly string[];
  readonly authorization: string | undefined;
  readonly method: string;
}

const scopesOfBody = async (request: IncomingMessage): Promise<readonly string[]> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return (new URLSearchParams(Buffer.concat(chunks).toString()).get('scope') ?? '').split(' ');
};

interface Behaviour {
  /** The scope that a challenge names; undefined: none. */
  readonly challenge: (request: IncomingMessage) => string | undefined;
  /** True if the token service issues a token for these scopes. */
  readonly issues?: (scopes: readonly string[]) => boolean;
  /** True if a token for these scopes lets a request through. */
  readonly accepts: (scopes: readonly string[], request: IncomingMessage) => boolean;
}

/** Makes a registry behave so. Returns the token requests that it gets. */
const withScopes = (
  registry: TestRegistry,
  { challenge, issues = () => true, accepts }: Behaviour,
): readonly TokenRequest[] => {
  const tokenRequests: TokenRequest[] = [];
  registry.fault = (request, response) => {
    const url = new URL(request.url ?? '', registry.origin);
    const { authorization = '' } = request.headers;
    if (url.pathname === '/token') {
      const sendToken = (scopes: readonly string[]): void => {
        tokenRequests.push({
          scopes,
          authorization: request.headers.authorization,
          method: request.method ?? '',
        });
        if (!issues(scopes)) response.writeHead(403).end();
        else response.end(JSON.stringify({ token: Buffer.from(scopes.join(' ')).toString('base64url') }));
      };
      if (request.method === 'POST') void scopesOfBody(request).then(sendToken);
      else sendToken(url.searchParams.getAll('scope'));
      return true;
    }
    const token = Buffer.from(authorization.replace('Bearer ', ''), 'base64url').toString();
    if (accepts(token.split(' '), request)) return registry.serve(request, response);
    const scope = challenge(request);
    const parameter = scope === undefined ? '' : `,scope="${scope}"`;
    response
      .writeHead(401, {
        'www-authenticate': `Bearer realm="${registry.origin}/token",service="s"${parameter}`,
      })
      .end();
    return true;
  };
  return tokenRequests;
};

const start = async (behaviour: Behaviour, credentials?: unknown) => {
  const { registry, client } = await startRegistryAndClient({ credentials });
  return { registry, client, tokenRequests: withScopes(registry, behaviour) };
};

describe('the scope of a challenge never asks for', () => {
  it.each([
    ['a right to push', 'repository:istio/pilot:pull,push', [OWN]],
    ['a right to push alone', 'repository:istio/pilot:push', [OWN]],
    ['a right to delete another repository', 'repository:other/name:delete', [OWN]],
    ['all rights to another repository', 'repository:other/name:*', ['repository:other/name:pull', OWN]],
    ['the catalog', 'registry:catalog:*', [OWN]],
    ['what is no scope', 'admin:org write:packages https://x.example/.default ö "', [OWN]],
    [
      'rights beside a name of odd characters',
      'repository:a b:pull repository:a,b:pull repository:a&scope=b:pull',
      [OWN],
    ],
    ['more than a kilobyte', `repository:${'a'.repeat(1024)}:pull`, [OWN]],
    [
      'more than four others',
      ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `repository:${name}:pull`).join(' '),
      [...['a', 'b', 'c', 'd'].map((name) => `repository:${name}:pull`), OWN],
    ],
  ])('%s', async (_, challenge, scopes) => {
    const { client, tokenRequests } = await start({
      challenge: () => challenge.replaceAll('"', ''),
      accepts: (granted) => granted.includes(OWN),
    });
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    expect(tokenRequests.map((request) => request.scopes)).toEqual([scopes]);
  });

  it('the credentials of the repository that it names', async () => {
    const { registry, client } = await startRegistryAndClient();
    const secret = { auth: Buffer.from('other:secret').toString('base64') };
    const dockerConfig = writeDockerConfig(`${registry.host}/other`, secret);
    const known = await startRegistryAndClient({ client: { dockerConfig } });
    const tokenRequests = withScopes(known.registry, {
      challenge: () => 'repository:other/name:pull',
      accepts: (granted) => granted.includes(OWN),
    });
    expect(await known.client.repository().manifest()).toMatchObject({ digest: DIGEST });
    expect(tokenRequests.map(({ authorization }) => authorization)).toEqual([undefined]);
    expect(client.repository().id).toContain('istio/pilot');
  });
});

describe('a token for a scope that a challenge named', () => {
  it('is sent to no other repository, though its scope names that one', async () => {
    const tokens: (readonly [string, string])[] = [];
    const { registry, client } = await start({
      challenge: ({ url }) =>
        url?.includes('/pilot/') === true ? 'repository:istio/proxyv2:pull' : undefined,
      accepts: (granted, { url = '', headers }) => {
        tokens.push([url.split('/')[3] ?? '', headers.authorization ?? 'none']);
        return granted.includes(OWN) || granted.includes('repository:istio/proxyv2:pull');
      },
    });
    pushTestImage(registry, 'istio/proxyv2');
    await client.repository('istio/pilot').manifest();
    await client.repository('istio/proxyv2').manifest();
    const [ofPilot, ofProxy] = ['pilot', 'proxyv2'].map((name) =>
      tokens.filter(([repository]) => repository === name).map(([, token]) => token),
    );
    expect(ofProxy?.[0]).toBe('none');
    expect(ofProxy?.[1]).not.toBe(ofPilot?.[1]);
  });

  it('that lets nothing through ends in a refusal, after as many requests as there are ways', async () => {
    const { registry, client, tokenRequests } = await start({
      challenge: () => 'repository:other/name:pull',
      accepts: () => false,
    });
    expect(await codeOf(client.repository().manifest())).toBe('refused');
    expect(tokenRequests.map(({ scopes }) => scopes)).toEqual([['repository:other/name:pull', OWN], [OWN]]);
    expect(registry.requests.length).toBe(5);
  });
});

describe('a registry that names a scope of its own', () => {
  it.each([
    ['Artifactory, which rewrites paths', 'repository:other/name:pull'],
    ['Artifactory with a port in the name', 'repository:docker.corp.example:5000/istio/pilot:pull'],
    ['ECR Public, whose scope is a word', 'aws'],
    ['a repository of plugins', 'repository(plugin):istio/pilot:pull'],
  ])('gets it beside the repository’s: %s', async (_, scope) => {
    const { client, tokenRequests } = await start({
      challenge: () => scope,
      accepts: (granted) => granted.includes(scope),
    });
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    expect(tokenRequests.map(({ scopes }) => scopes)).toEqual([[scope, OWN]]);
  });

  it('gets the repository’s too where its own is a placeholder, as GHCR’s is', async () => {
    const { client } = await start({
      challenge: () => 'repository:user/image:pull',
      accepts: (granted) => granted.includes(OWN),
    });
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
  });

  it.each<[string, Partial<Behaviour>]>([
    ['reads the first scope only', { accepts: (granted) => granted[0] === OWN }],
    ['refuses all if it refuses one', { issues: (scopes) => scopes.every((scope) => scope === OWN) }],
  ])('and whose token service %s, gets the repository’s alone', async (_, behaviour) => {
    const { registry, client, tokenRequests } = await start({
      challenge: () => 'repository:user/image:pull',
      accepts: (granted) => granted.includes(OWN),
      ...behaviour,
    });
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    expect(tokenRequests.at(-1)?.scopes).toEqual([OWN]);
    registry.clearRequests();
    client.time += 60_000;
    await client.repository().blob();
    // It is remembered which of them worked.
    expect(tokenRequests.at(-1)?.scopes).toEqual([OWN]);
    expect(registry.requests.length).toBe(2);
  });

  it('for each kind of resource gets each', async () => {
    const kindOf = ({ url }: IncomingMessage): string => url?.split('/')[4] ?? '';
    const { client } = await start({
      challenge: (request) => `repository:${kindOf(request)}:pull`,
      accepts: (granted, request) => granted.includes(`repository:${kindOf(request)}:pull`),
    });
    for (let time = 0; time < 2; time += 1) {
      expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
      expect(await client.repository().blob()).toBeDefined();
    }
  });

  it('that changes while a token is held gets the new one', async () => {
    let scope = 'repository:first:pull';
    const { client } = await start({
      challenge: () => scope,
      accepts: (granted) => granted.includes(scope),
    });
    await client.repository().manifest();
    scope = 'repository:second:pull';
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
  });

  it('gets all scopes in one field where a token is asked for with an identity token', async () => {
    const { client, tokenRequests } = await start(
      { challenge: () => 'aws', accepts: (granted) => granted.includes('aws') },
      { identitytoken: 'refresh' },
    );
    expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    expect(tokenRequests).toEqual([{ scopes: ['aws', OWN], authorization: undefined, method: 'POST' }]);
  });

  /** A token service that responds to several scopes, or to all requests, by this fault. */
  const startFailing = async (fault: Fault, isFailing: (scopes: readonly string[]) => boolean) => {
    const { registry, client } = await start({
      challenge: () => 'aws',
      accepts: (granted) => granted.includes(OWN),
    });
    const { fault: behaviour } = registry;
    registry.fault = (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', registry.origin);
      const fails = pathname === '/token' && isFailing(searchParams.getAll('scope'));
      return (fails ? fault : behaviour)?.(request, response) === true;
    };
    return { registry, client };
  };

  it.each<[string, Fault, string]>([
    ['limits requests', respondWith(429), 'rate-limited'],
    ['asks for a pause', respondWith(503, { 'retry-after': '7' }), 'unavailable'],
  ])('and a token service that %s is asked once, not for each scope', async (_, fault, code) => {
    const { registry, client } = await startFailing(fault, () => true);
    expect(await faultOf(client.repository().manifest())).toMatchObject({ code });
    expect(registry.requests.length).toBe(2);
  });

  it('and a token service that does not respond is asked once, not for each scope', async () => {
    const { registry, client } = await startRegistryAndClient({
      client: { limits: { requestTimeout: 200 } },
    });
    withScopes(registry, { challenge: () => 'aws', accepts: () => false });
    const { fault } = registry;
    registry.fault = (request, response) =>
      request.url?.startsWith('/token') === true || fault?.(request, response) === true;
    expect(await faultOf(client.repository().manifest())).toMatchObject({ code: 'unavailable' });
    expect(registry.requests.length).toBe(2);
  });

  it.each([500, 502, 503])(
    'and a token service that always answers %d is asked for each once',
    async (status) => {
      const { registry, client } = await startFailing(respondWith(status), () => true);
      expect(await faultOf(client.repository().manifest())).toMatchObject({ code: 'unavailable' });
      expect(registry.requests.length).toBe(3);
    },
  );

  it.each([500, 502, 503])(
    'and a token service that answers %d to it, gets the repository’s alone',
    async (status) => {
      const { client } = await startFailing(respondWith(status), (scopes) => scopes.length > 1);
      expect(await client.repository().manifest()).toMatchObject({ digest: DIGEST });
    },
  );
});
