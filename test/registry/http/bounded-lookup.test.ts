import { describe, expect, it } from 'vitest';
import { createBoundedLookUp } from '../../../src/registry/http/bounded-lookup.ts';
import { createTls } from '../../support/tls.ts';
import {
  codeOf,
  createClient,
  DIGEST,
  faultOf,
  portOf,
  pushTestImage,
  startTestRegistry,
} from '../test-client.ts';

const ADDRESS = { address: '192.0.2.1', family: 4 };

/** A resolver that resolves a name when the test says so. */
const startResolver = () => {
  const pending = new Map<string, () => void>();
  const asked: string[] = [];
  return {
    asked,
    end: (hostname: string) => pending.get(hostname)?.(),
    lookUp: createBoundedLookUp((hostname) => {
      asked.push(hostname);
      const { promise, resolve } = Promise.withResolvers<readonly (typeof ADDRESS)[]>();
      pending.set(hostname, () => resolve([ADDRESS]));
      return promise;
    }),
  };
};

const nextTurn = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));

describe('names that a response chose', () => {
  it('are resolved two at a time, the latest first, each once', async () => {
    const { lookUp, asked, end } = startResolver();
    const results = ['a', 'b', 'c', 'd', 'a', 'd'].map((name) => lookUp(name));
    await nextTurn();
    expect(asked).toEqual(['a', 'b']);
    end('a');
    await nextTurn();
    expect(asked).toEqual(['a', 'b', 'd']);
    for (const name of ['d', 'b']) end(name);
    await nextTurn();
    end('c');
    expect(await Promise.all(results)).toEqual(results.map(() => [ADDRESS]));
  });

  it('are given up, the oldest first, where too many are in line', async () => {
    const { lookUp } = startResolver();
    const results = Array.from({ length: 67 }, (_, index) => lookUp(`name-${index}`));
    await expect(results[2]).rejects.toThrow('too many names are being resolved');
  });

  it('and that do not resolve keep no registry from being connected to', async () => {
    const tls = createTls(['registry.example']);
    const registry = await startTestRegistry({ tls });
    pushTestImage(registry);
    let hanging = 0;
    const host = `registry.example:${portOf(registry)}`;
    const client = createClient(host, {
      ca: tls.ca,
      lookUp: (hostname) => {
        if (hostname === 'registry.example') return Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
        hanging += 1;
        return new Promise(() => undefined);
      },
      limits: { requestTimeout: 500 },
    });
    let count = 0;
    registry.faults.set('istio/odd', (_, response) => {
      response.writeHead(307, { location: `https://name-${(count += 1)}.example/` }).end();
      return true;
    });
    const redirected = Array.from({ length: 3 }, () => codeOf(client.repository('istio/odd').resolve()));
    await expect.poll(() => [hanging, count]).toEqual([2, 3]);
    expect(await client.repository().resolve()).toBe(DIGEST);
    expect(await Promise.all(redirected)).toEqual(Array.from({ length: 3 }, () => 'backend-unavailable'));
    expect(await faultOf(client.repository().resolve())).toMatchObject({ code: 'none' });
  });
});
