import { once } from 'node:events';
import { Agent } from 'node:https';
import { connect } from 'node:tls';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { allowAll, allowed, body, type Response, send, startServer, tls } from './review-server.ts';

const CLIENTS = 8;

/** A client like the API server: it reuses its connection, and opens a new one after `Connection: close`. */
const createClient = (port: number) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: tls.ca });
  return { ask: () => send(port, '/validate/enforce', body, { agent }), end: () => agent.destroy() };
};

/** Fakes the clock of a drain: it lasts until the test advances the clock, however slow the machine is. */
const stopClock = (): void => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(async () => {
    await vi.runAllTimersAsync();
    vi.useRealTimers();
  });
};

/** Resolves once a condition holds; the test's own timeout is the limit. */
const untilTrue = async (isTrue: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await isTrue())) await new Promise((resolve) => setImmediate(resolve));
};

describe('a drain', () => {
  it('loses no review of clients that keep their connections', async () => {
    const { server, port } = await startServer(allowAll, { drain: 1500 });
    stopClock();
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
    await untilTrue(() => tally.answered >= 200);
    expect(tally.closed).toBe(0);
    const before = tally.answered;
    const drained = server.drain();
    // The endpoints of a Service take a moment to change; then there are no new connections.
    await untilTrue(() => tally.answered >= before + 50);
    tally.wanted = false;
    await Promise.all(clients);
    await vi.advanceTimersByTimeAsync(1500);
    await drained;
    expect(tally.failed).toBe(0);
    expect(tally.closed).toBeGreaterThanOrEqual(50 - CLIENTS);
  });

  it('closes each connection with the answer that is given on it, and takes new ones meanwhile', async () => {
    const { server, port } = await startServer(allowAll, { drain: 300 });
    stopClock();
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
    await vi.advanceTimersByTimeAsync(300);
    await drained;
  });

  it('says that it drains, and why, until it has', async () => {
    const { server, probePort } = await startServer(
      allowAll,
      { drain: 300 },
      { notReady: () => ['another reason'] },
    );
    stopClock();
    const drained = server.drain();
    const response = await fetch(`http://127.0.0.1:${probePort}/readyz`);
    expect([response.status, await response.text()]).toEqual([503, 'not ready: draining; another reason\n']);
    expect((await fetch(`http://127.0.0.1:${probePort}/livez`)).status).toBe(200);
    await vi.advanceTimersByTimeAsync(300);
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
    await once(socket, 'secureConnect');
    socket.write('POST /validate/enforce HTTP/1.1\r\nHost: x\r\n');
    // A response proves that the bytes sent before have arrived too.
    await send(port, '/validate/enforce', body);
    const drained = server.drain();
    await untilTrue(() =>
      send(port, '/', body).then(
        () => false,
        () => true,
      ),
    );
    socket.write(`Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    const response = await new Promise<string>((resolve) => {
      socket.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    });
    expect(response).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(response).toMatch(/\r\nconnection: close\r\n/i);
    await drained;
  });

  it('cuts what is not finished when no caller can be waiting for it any more', async () => {
    const { server, port } = await startServer(allowAll, { drain: 5000 });
    stopClock();
    const socket = connect({ host: '127.0.0.1', port, ca: tls.ca });
    const cut = new Promise((resolve) => void socket.once('close', resolve));
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
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
