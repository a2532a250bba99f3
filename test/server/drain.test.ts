import { once } from 'node:events';
import { Agent } from 'node:https';
import { connect } from 'node:tls';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { allowAll, allowed, body, type Response, send, startServer, tls } from './review-server.ts';

const CLIENTS = 8;

/** A client as the API server is one: it keeps its connection, and makes a new one after `Connection: close`. */
const createClient = (port: number) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: tls.ca });
  return { ask: () => send(port, '/validate/enforce', body, { agent }), end: () => agent.destroy() };
};

describe('a drain', () => {
  it('loses no review of clients that keep their connections', async () => {
    const { server, port } = await startServer(allowAll, { drain: 1500 });
    const tally = { answered: 0, failed: 0, closed: 0, wanted: true };
    const busy = async (): Promise<void> => {
      const { ask, end } = createClient(port);
      while (tally.wanted) {
        const response = await ask().catch(() => undefined);
        tally[response?.status === 200 ? 'answered' : 'failed'] += 1;
        if (response?.headers['connection'] === 'close') tally.closed += 1;
      }
      end();
    };
    const clients = Array.from({ length: CLIENTS }, busy);
    await vi.waitUntil(() => tally.answered >= 200, { interval: 1 });
    expect(tally.closed).toBe(0);
    const before = tally.answered;
    const drained = server.drain();
    // The endpoints of a Service take a moment to change; then nobody comes any more.
    await vi.waitUntil(() => tally.answered >= before + 50, { interval: 1 });
    tally.wanted = false;
    await Promise.all(clients);
    await drained;
    expect(tally.failed).toBe(0);
    expect(tally.closed).toBeGreaterThanOrEqual(50 - CLIENTS);
  });

  it('closes each connection with the answer that is given on it, and takes new ones meanwhile', async () => {
    const { server, port } = await startServer(allowAll, { drain: 300 });
    const client = createClient(port);
    const first = await client.ask();
    const second = await client.ask();
    expect([first.headers['connection'], second.connection]).toEqual(['keep-alive', first.connection]);
    const drained = server.drain();
    const third = await client.ask();
    const fourth = await client.ask();
    expect([third.status, third.headers['connection'], third.connection]).toEqual([
      200,
      'close',
      first.connection,
    ]);
    expect([fourth.status, fourth.headers['connection']]).toEqual([200, 'close']);
    expect(fourth.connection).not.toBe(first.connection);
    client.end();
    await drained;
  });

  it('says that it drains, and why, until it has', async () => {
    const { server, probePort } = await startServer(
      allowAll,
      { drain: 300 },
      { notReady: () => ['another reason'] },
    );
    const drained = server.drain();
    const response = await fetch(`http://127.0.0.1:${probePort}/readyz`);
    expect([response.status, await response.text()]).toEqual([503, 'not ready: draining; another reason\n']);
    expect((await fetch(`http://127.0.0.1:${probePort}/livez`)).status).toBe(200);
    await drained;
    await expect(fetch(`http://127.0.0.1:${probePort}/livez`)).rejects.toThrow('fetch failed');
  });

  it('finishes the reviews that are under way, and takes no more', async () => {
    const reviewing = Promise.withResolvers<void>();
    const result = Promise.withResolvers<typeof allowed>();
    const { server, port } = await startServer(() => {
      reviewing.resolve();
      return result.promise;
    });
    const client = createClient(port);
    const underWay: Promise<Response> = client.ask();
    await reviewing.promise;
    let over = false;
    const drained = server.drain().finally(() => {
      over = true;
    });
    let refused: unknown;
    while (refused === undefined)
      refused = await send(port, '/other', body).then(
        () => undefined,
        (error: Error) => error.message,
      );
    expect(refused).toMatch(/ECONNREFUSED|ECONNRESET|socket hang up/);
    expect(over).toBe(false);
    result.resolve(allowed);
    const { status, headers } = await underWay;
    expect([status, headers['connection']]).toEqual([200, 'close']);
    await drained;
    client.end();
  });

  it('does not wait for connections on which nothing was asked yet', async () => {
    const { server, port } = await startServer(allowAll);
    const unused = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    onTestFinished(() => void unused.destroy());
    await once(unused, 'secureConnect');
    const closed = once(unused, 'close');
    unused.resume();
    await server.drain();
    expect(await closed).toEqual([false]);
  });

  it('does not wait for connections that are idle', async () => {
    const { server, port } = await startServer(allowAll);
    const client = createClient(port);
    await client.ask();
    await server.drain();
    await expect(client.ask()).rejects.toThrow(/ECONNREFUSED|ECONNRESET|socket hang up/);
    client.end();
  });

  it('answers a request that had begun to arrive when the connections were closed', async () => {
    const { server, port } = await startServer(allowAll);
    const socket = connect({ host: '127.0.0.1', port, ca: tls.ca });
    socket.write('POST /validate/enforce HTTP/1.1\r\nHost: x\r\n');
    // An answered request is the proof that the bytes before it have arrived too.
    await send(port, '/validate/enforce', body);
    const drained = server.drain();
    await vi.waitUntil(
      () =>
        send(port, '/', body).then(
          () => false,
          () => true,
        ),
      { interval: 1 },
    );
    socket.write(`Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    const answer = await new Promise<string>((resolve) => {
      socket.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    });
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
    await drained;
  });

  it('cuts what is not finished when no caller can be waiting for it any more', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { server, port } = await startServer(allowAll, { drain: 5000 });
    const socket = connect({ host: '127.0.0.1', port, ca: tls.ca });
    const cut = new Promise((resolve) => void socket.once('close', resolve));
    socket.on('error', () => {});
    socket.write('POST /validate/enforce HTTP/1.1\r\nHost: x\r\n');
    await send(port, '/validate/enforce', body);
    let over = false;
    const drained = server.drain().finally(() => {
      over = true;
    });
    await vi.advanceTimersByTimeAsync(5000 + 29_999);
    expect(over).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await Promise.all([drained, cut]);
  });

  it('is one drain, however often it is asked for', async () => {
    const { server } = await startServer(allowAll);
    expect(server.drain()).toBe(server.drain());
    await server.drain();
  });
});
