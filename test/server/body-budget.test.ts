import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'node:tls';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  createReviewMemory,
  incomingMemory,
  largeMemory,
  Overloaded,
  ordinaryMemory,
} from '../../src/server/review-memory.ts';
import { allowAll, allowed, body, send, startServer } from './review-server.ts';

const MIB = 1024 * 1024;

/** Sends the headers of a request with a body of so many bytes, and no body. */
const begin = async (port: number, bytes: number | 'chunked') => {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  const length = bytes === 'chunked' ? 'transfer-encoding: chunked' : `content-length: ${bytes}`;
  socket.write(
    `POST /validate/enforce HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${length}\r\n\r\n`,
  );
  socket.write(bytes === 'chunked' ? '1\r\n{\r\n' : '{');
  return socket;
};

/** Sends so many bytes of a body of which one byte is missing, and waits until the server has had time to read them. */
const sendAllButOne = async (port: number, bytes: number) => {
  const socket = await begin(port, bytes + 2);
  let ended = false;
  socket.once('close', () => {
    ended = true;
  });
  socket.on('error', () => undefined).resume();
  socket.write(Buffer.alloc(bytes, ' '));
  // A second request that is answered shows that the server has read what came before.
  for (let times = 0; times < 5; times += 1) await send(port, '/validate/enforce', body);
  return { socket, isEnded: () => ended };
};

const LIMITS = { reviewBytes: MIB, reviewBytesAtOnce: MIB, valuesPerReview: 1000, imageUsesPerReview: 1000 };
/** Takes twice its length while it is judged. */
const large = body.replace(/\}$/, `,"junk":"${'x'.repeat(900 * 1024)}"}`);

describe('large bodies that are under way', () => {
  it.each([MIB, 'chunked' as const])('take no room by what they announce (%s)', async (bytes) => {
    const { port } = await startServer(allowAll, LIMITS);
    for (let times = 0; times < 20; times += 1) await begin(port, bytes);
    expect((await send(port, '/validate/enforce', large)).status).toBe(200);
  });

  it('are given up, the one that is incomplete for the longest first, where others need their room', async () => {
    const { port } = await startServer(allowAll, LIMITS);
    const slow: Awaited<ReturnType<typeof sendAllButOne>>[] = [];
    for (let times = 0; times < 4; times += 1) slow.push(await sendAllButOne(port, 900 * 1024));
    for (let times = 0; times < 3; times += 1)
      expect((await send(port, '/validate/enforce', large)).status).toBe(200);
    expect(slow.slice(0, 3).map(({ isEnded }) => isEnded())).toEqual([true, true, true]);
  });

  it('make further ones wait a second while they are being judged, and small ones not', async () => {
    const { promise: held, resolve } = Promise.withResolvers<void>();
    const hold = async () => {
      await held;
      return allowed;
    };
    const { port } = await startServer(hold, LIMITS);
    const waiting = send(port, '/validate/enforce', large);
    const overloaded = await untilStatus(port, 503);
    expect([overloaded.headers['retry-after'], overloaded.headers['connection']]).toEqual(['1', 'close']);
    const small = send(port, '/validate/enforce', body);
    resolve();
    expect([(await waiting).status, (await small).status]).toEqual([200, 200]);
    await untilStatus(port, 200);
  });

  it('are let go when they are answered', async () => {
    const { port } = await startServer(allowAll, LIMITS);
    for (let times = 0; times < 5; times += 1)
      expect((await send(port, '/validate/enforce', large)).status).toBe(200);
  });
});

/** As many tiny values as fit in a body that is small; and an ordinary one of the same size. */
const dense = body.replace(/\}$/, `,"junk":[${'[],'.repeat(80_000)}[]]}`);
const sparse = body.replace(/\}$/, `,"junk":"${' '.repeat(100_000)}"}`);

describe('small bodies full of tiny values', () => {
  it('are refused while others of that kind are being judged, and ordinary ones are not', async () => {
    const { promise: held, resolve } = Promise.withResolvers<void>();
    let judged = 0;
    const { port } = await startServer(async () => {
      judged += 1;
      await held;
      return allowed;
    }, LIMITS);
    const first = send(port, '/validate/enforce', dense);
    await vi.waitFor(() => expect(judged).toBe(1));
    const refused = await Promise.all([1, 2, 3].map(() => send(port, '/validate/enforce', dense)));
    expect(refused.map(({ status }) => status)).toEqual([503, 503, 503]);
    const ordinary = send(port, '/validate/enforce', body);
    await vi.waitFor(() => expect(judged).toBe(2));
    resolve();
    expect([(await first).status, (await ordinary).status]).toEqual([200, 200]);
    await vi.waitFor(async () => expect((await send(port, '/validate/enforce', dense)).status).toBe(200));
  });

  it('are counted whole, beyond the limits of larger ones, and one alone is judged', async () => {
    const { port } = await startServer(allowAll, LIMITS);
    for (const each of [dense, sparse])
      expect((await send(port, '/validate/enforce', each)).status).toBe(200);
  });
});

/** Sends a large review until the response has this status; the test's own timeout is the limit. */
const untilStatus = async (port: number, status: number): Promise<Awaited<ReturnType<typeof send>>> => {
  for (;;) {
    const response = await Promise.race([send(port, '/validate/enforce', large), delay(200)]);
    if (response?.status === status) return response;
  }
};

describe('the memory of reviews', () => {
  const limits = { ...LIMITS, reviewBytesAtOnce: 128 * MIB, reviewBytes: 24 * MIB, valuesPerReview: 500_000 };
  const longest = 48 * MIB + 64 * 500_000;

  it.each([
    ['what is configured, on a large heap', 4096 * MIB, [128 * MIB, 128 * MIB, 128 * MIB]],
    ['an eighth of the heap, where that is less', 768 * MIB, [96 * MIB, 96 * MIB, 96 * MIB]],
    ['the longest review at least, where it is large', 64 * MIB, [24 * MIB, 8 * MIB, longest]],
  ])('is %s', (_, heap, expected) => {
    expect([incomingMemory, ordinaryMemory, largeMemory].map((memory) => memory(limits, heap))).toEqual(
      expected,
    );
  });

  it('is taken by no namespace so that others find none', () => {
    const { hold } = createReviewMemory(48 * MIB);
    const held: (() => void)[] = [];
    const holdAll = (namespace: string) => {
      for (;;) held.push(hold(MIB, namespace));
    };
    for (let times = 0; times < 2; times += 1) {
      expect(() => holdAll('a')).toThrow(Overloaded);
      expect(held).toHaveLength(24);
      expect(() => holdAll('b')).toThrow(Overloaded);
      expect(held).toHaveLength(36);
      held.push(hold(6 * MIB, 'c'));
      for (const release of held.splice(0)) release();
    }
  });

  it('is taken by one review alone, however large', () => {
    const { hold } = createReviewMemory(MIB);
    hold(10 * MIB, 'a')();
    hold(10 * MIB, 'b');
    expect(() => hold(1, 'c')).toThrow(Overloaded);
  });
});
