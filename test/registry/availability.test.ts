import { describe, expect, it } from 'vitest';
import { faultOf as networkFaultOf } from '../../src/registry/http/network-fault.ts';
import { createSourceCaller, SourceFault } from '../../src/registry/index.ts';
import { onlyTo, redirectTo } from '../support/faults.ts';
import { sendToken } from '../support/registry-auth.ts';
import { createTls } from '../support/tls.ts';
import {
  DIGEST,
  faultOf,
  pushTestImage,
  respondWith,
  startRegistryAndClient,
  startTestRegistry,
} from './test-client.ts';

describe('a host that cannot be connected to', () => {
  it('is asked no more after five failures in a row, by whatever repository, for five seconds', async () => {
    const { registry, client } = await startRegistryAndClient();
    await registry.close();
    for (let time = 0; time < 5; time += 1)
      expect(await faultOf(client.repository(`istio/a${time}`).resolve())).toMatchObject({
        code: 'unavailable',
        asked: true,
      });
    expect(await faultOf(client.repository().resolve())).toEqual({
      code: 'unavailable',
      asked: false,
      message: `${registry.host} failed 5 times in a row; retry in a few seconds`,
    });
    client.time += 5_000;
    expect(await faultOf(client.repository().resolve())).toMatchObject({ asked: true });
  });

  it('over TLS that is not trusted is the same', async () => {
    const { client } = await startRegistryAndClient({ tls: createTls(), client: { ca: createTls().ca } });
    for (let time = 0; time < 5; time += 1) await faultOf(client.repository(`istio/a${time}`).resolve());
    expect(await faultOf(client.repository().resolve())).toMatchObject({ code: 'unavailable', asked: false });
  });
});

describe('a host is held to be up', () => {
  it('whatever one repository responds, and however its connections end', async () => {
    const { registry, client } = await startRegistryAndClient();
    registry.faults.set('istio/odd', (request) => Boolean(request.socket.destroy()));
    for (let time = 0; time < 6; time += 1) await faultOf(client.repository('istio/odd').resolve());
    expect(await client.repository().resolve()).toBe(DIGEST);
  });

  it('whatever becomes of connections to another host that it redirects to', async () => {
    const tls = createTls();
    const { registry, client } = await startRegistryAndClient({ tls });
    const store = await startTestRegistry({ tls });
    registry.faults.set('istio/odd', redirectTo(store));
    await store.close();
    for (let time = 0; time < 6; time += 1)
      expect(await faultOf(client.repository('istio/odd').resolve())).toMatchObject({
        code: 'backend-unavailable',
        asked: true,
      });
    expect(await client.repository().resolve()).toBe(DIGEST);
  });

  it.each(['EMFILE', 'ENFILE', 'ENOBUFS', 'EADDRNOTAVAIL'])(
    'where this machine could open no connection (%s): that is no outage',
    (code) => {
      const fault = networkFaultOf(Object.assign(new Error('no socket'), { code }), {
        name: 'r.example',
        proxy: undefined,
        requestTimeout: 1,
        caller: new AbortController().signal,
        timeout: new AbortController().signal,
        isRedirected: false,
        isOwn: true,
        isConnectError: true,
      });
      expect(fault).toBeInstanceOf(SourceFault);
      expect(fault).toMatchObject({ code: 'deadline', asked: false, noConnection: false });
    },
  );
});

describe('a resource that fails', () => {
  it('is asked no more after five failures in a row; the others of its repository are', async () => {
    const { registry, client } = await startRegistryAndClient();
    registry.fault = onlyTo(/manifests\/broken$/, respondWith(502));
    const { resolve } = client.repository();
    for (let time = 0; time < 5; time += 1)
      expect(await faultOf(resolve('broken'))).toMatchObject({ code: 'unavailable', asked: true });
    expect(await faultOf(resolve('broken'))).toEqual({
      code: 'unavailable',
      asked: false,
      message: `${registry.host}/istio/pilot failed 5 times in a row; retry in a few seconds`,
    });
    expect(await resolve('1.28.0')).toBe(DIGEST);
  });
});

describe('the wait for a response', () => {
  /** A client's caller that counts the waits that have begun and not ended. */
  const watch = () => {
    const waits = { begun: 0, open: 0 };
    const caller = {
      ...createSourceCaller(),
      onWait: () => {
        waits.begun += 1;
        waits.open += 1;
        return () => void (waits.open -= 1);
      },
    };
    return { waits, caller };
  };

  it('is told of the registry itself, and not of the host that it redirects to', async () => {
    const tls = createTls();
    const { registry, client } = await startRegistryAndClient({ tls });
    const store = await startTestRegistry({ tls });
    pushTestImage(store);
    registry.fault = redirectTo(store);
    const { waits, caller } = watch();
    let openAtStore = -1;
    store.fault = () => {
      openAtStore = waits.open;
      return false;
    };
    expect(await client.repository(undefined, caller).resolve()).toBe(DIGEST);
    expect([waits, openAtStore]).toEqual([{ begun: 1, open: 0 }, 0]);
  });

  it('is told of each that waits for the same token', async () => {
    const { registry, client } = await startRegistryAndClient({ auth: { kind: 'token' } });
    const [first, second] = [watch(), watch()];
    const { promise: release, resolve } = Promise.withResolvers<void>();
    registry.fault = (request, response) => {
      if (request.url?.startsWith('/token') !== true) return false;
      void release.then(() => sendToken({ kind: 'token' }, request, response));
      return true;
    };
    const reads = [first, second].map(({ caller }) => client.repository(undefined, caller).resolve());
    await expect.poll(() => registry.requests.length).toBe(3);
    await expect.poll(() => [first.waits.open, second.waits.open]).toEqual([1, 1]);
    resolve();
    expect(await Promise.all(reads)).toEqual([DIGEST, DIGEST]);
    expect([first.waits.open, second.waits.open]).toEqual([0, 0]);
  });

  it('for a token that all have left is given up, and who comes then asks anew', async () => {
    const { registry, client } = await startRegistryAndClient({ auth: { kind: 'token' } });
    let asked = 0;
    registry.fault = (request) => {
      if (request.url?.startsWith('/token') !== true) return false;
      asked += 1;
      return asked === 1;
    };
    const caller = new AbortController();
    const left = faultOf(client.repository().resolve('1.28.0', caller.signal));
    await expect.poll(() => asked).toBe(1);
    caller.abort();
    expect(await left).toMatchObject({ code: 'deadline' });
    expect(await client.repository().resolve()).toBe(DIGEST);
  });
});

describe('requests that hang', () => {
  const forNamespace = (requester: string) => ({ ...createSourceCaller(), requester });
  const SLOTS = { limits: { requestsPerRegistry: 8 } };

  it.each<[string, (index: number) => string, number]>([
    ['to many repositories', (index) => `istio/a${index}`, 4],
    ['to one repository', () => 'istio/a', 3],
  ])('of one namespace, %s, leave the others their slots', async (_, pathOf, held) => {
    const { registry, client } = await startRegistryAndClient({ client: SLOTS });
    registry.fault = onlyTo(/\/istio\/a/, () => true);
    const leaving = new AbortController();
    const hanging = Array.from({ length: 40 }, (__, index) =>
      faultOf(client.repository(pathOf(index), forNamespace('shop')).resolve('1', leaving.signal)),
    );
    await expect.poll(() => registry.requests.length).toBe(held);
    expect(await client.repository(undefined, forNamespace('mesh')).resolve()).toBe(DIGEST);
    leaving.abort();
    const codes = (await Promise.all(hanging)).map(({ code, asked }) => `${code} ${asked}`);
    expect(codes.toSorted()).toEqual([
      ...Array.from({ length: 40 - held }, () => 'deadline false'),
      ...Array.from({ length: held }, () => 'deadline true'),
    ]);
  });

  it('of many namespaces, to one repository, leave another repository its slots', async () => {
    const { registry, client } = await startRegistryAndClient({ client: SLOTS });
    registry.fault = onlyTo(/\/istio\/a/, () => true);
    const leaving = new AbortController();
    const hanging = Array.from({ length: 40 }, (_, index) =>
      faultOf(client.repository('istio/a', forNamespace(`ns-${index}`)).resolve('1', leaving.signal)),
    );
    await expect.poll(() => registry.requests.length).toBe(4);
    expect(await client.repository(undefined, forNamespace('ns-39')).resolve()).toBe(DIGEST);
    leaving.abort();
    await Promise.all(hanging);
  });
});

describe('the state of a registry', () => {
  it('tells that it is down until a connection is made, and what it is asked for now', async () => {
    const { registry, client } = await startRegistryAndClient();
    expect(await client.repository().resolve()).toBe(DIGEST);
    expect(client.state()).toEqual([{ host: registry.host, up: true, failing: 0, inFlight: 0, waiting: 0 }]);
    registry.faults.set('istio/odd', (request) => Boolean(request.socket.destroy()));
    for (let time = 0; time < 6; time += 1) await faultOf(client.repository('istio/odd').resolve());
    expect(client.state()).toMatchObject([{ up: true, failing: 1 }]);
    await registry.close();
    const pending = faultOf(client.repository().resolve());
    expect(client.state()).toMatchObject([{ inFlight: 1, waiting: 0 }]);
    await pending;
    for (let time = 0; time < 4; time += 1) await faultOf(client.repository().resolve());
    client.time += 60_000;
    expect(client.state()).toEqual([{ host: registry.host, up: false, failing: 0, inFlight: 0, waiting: 0 }]);
  });
});
