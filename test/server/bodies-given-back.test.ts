import { once } from 'node:events';
import { connect } from 'node:tls';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { allowAll, allowed, body, send, startServer } from './review-server.ts';

const MIB = 1024 * 1024;
const KIB = 1024;
/** Room for one long body. */
const LIMITS = { reviewBytes: MIB, reviewBytesAtOnce: MIB, valuesPerReview: 1000, imageUsesPerReview: 1000 };
const withJunk = (junk: string): string => body.replace(/\}$/, `,"junk":${junk}}`);
const long = withJunk(`"${'x'.repeat(900 * KIB)}"`);

const head = (rest: string): string =>
  `POST /validate/enforce HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${rest}\r\n\r\n`;
const request = (content: string): string => head(`content-length: ${content.length}`) + content;
const chunk = (content: string): string => `${content.length.toString(16)}\r\n${content}\r\n`;

const open = async (port: number) => {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
};

/** Writes to a connection of its own, waits until the server has read it, and closes it. */
const sendAndLeave = async (port: number, content: string): Promise<void> => {
  const socket = await open(port);
  await new Promise((resolve) => void socket.resume().write(content, resolve));
  await send(port, '/validate/enforce', body);
  socket.destroy();
};

/** Reads from a connection until so many responses have come, or it is closed. Resolves with their statuses. */
const readStatuses = (socket: Awaited<ReturnType<typeof open>>, count: number): Promise<string[]> =>
  new Promise((resolve) => {
    let text = '';
    const statuses = () => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status ?? '');
    socket.on('data', (piece: Buffer) => {
      text += piece.toString('latin1');
      if (statuses().length >= count) resolve(statuses());
    });
    socket.once('close', () => resolve(statuses()));
  });

describe('the memory of a body is given back', () => {
  it.each([
    ['that its sender leaves half way', head(`content-length: ${long.length}`) + long.slice(0, 800 * KIB)],
    [
      'that its sender leaves half way, in chunks',
      head('transfer-encoding: chunked') + chunk(long.slice(0, 800 * KIB)),
    ],
    ['whose sender does not wait for the answer', request(long)],
    ['that is too long, and did not say so', head('transfer-encoding: chunked') + chunk('x'.repeat(MIB + 1))],
    ['that is not JSON', request(long.replace('{', '['))],
    ['that holds too much', request(withJunk(`[${'{},'.repeat(300_000)}{}]`))],
  ])('%s', async (_, content) => {
    const { port } = await startServer(allowAll, LIMITS);
    for (let times = 0; times < 10; times += 1) await sendAndLeave(port, content);
    await vi.waitFor(async () => expect((await send(port, '/validate/enforce', long)).status).toBe(200));
  });

  it('of each request that is sent before the answer to the one before', async () => {
    const { port } = await startServer(allowAll, { ...LIMITS, reviewBytesAtOnce: 4 * MIB });
    const socket = await open(port);
    for (let times = 0; times < 10; times += 1) {
      socket.write(request(long) + request(body) + request(long));
      expect(await readStatuses(socket, 3)).toEqual(['200', '200', '200']);
      socket.removeAllListeners('data');
    }
  });

  it('of a path that is none without having been read', async () => {
    const { port } = await startServer(allowAll, LIMITS);
    const socket = await open(port);
    socket.write(head(`content-length: ${long.length}`).replace('/validate/enforce', '/other'));
    expect(await readStatuses(socket, 1)).toEqual(['404']);
  });
});

describe('a body in chunks', () => {
  const inChunks = (content: string, bytes: number): string =>
    `${head('transfer-encoding: chunked')}${
      content
        .match(new RegExp(`.{1,${bytes}}`, 'g'))
        ?.map(chunk)
        .join('') ?? ''
    }0\r\n\r\n`;
  const padded = body + ' '.repeat(100 * KIB);

  it.each([
    ['of one byte is not judged', 1, false],
    ['of a hundred bytes is', 100, true],
  ])('%s', async (_, bytes, isJudged) => {
    const { port } = await startServer(allowAll);
    const socket = await open(port);
    socket.write(inChunks(padded, bytes));
    expect((await readStatuses(socket, 1)).includes('200')).toBe(isJudged);
  });
});

describe('bodies that are under way', () => {
  it.each(['content-length: 30000', 'transfer-encoding: chunked'])(
    'take room however short they are, and the oldest is given up (%s)',
    async (announced) => {
      const { port } = await startServer(allowAll, LIMITS);
      const oldest = await open(port);
      const answered = readStatuses(oldest, 1);
      const start = announced.startsWith('content') ? '{' : '1\r\n{\r\n';
      oldest.write(head(announced) + start);
      for (let times = 0; times < 40; times += 1) (await open(port)).resume().write(head(announced) + start);
      expect(await answered).toEqual(['503']);
      expect((await send(port, '/validate/enforce', body)).status).toBe(200);
    },
  );
});

/** Starts a server whose reviews wait until they are told to end. */
const startHolding = async () => {
  const { promise: held, resolve } = Promise.withResolvers<void>();
  let judged = 0;
  const { port } = await startServer(async () => {
    judged += 1;
    await held;
    return allowed;
  }, LIMITS);
  const post = (content: string) => send(port, '/validate/enforce', content);
  const untilJudged = (count: number) => vi.waitFor(() => expect(judged).toBe(count));
  return { port, post, untilJudged, end: resolve };
};

describe('a review that waits for a registry', () => {
  it('takes its memory until it has been judged, though its sender is gone', async () => {
    const { port, post, untilJudged, end } = await startHolding();
    const socket = await open(port);
    socket.write(request(long));
    await untilJudged(1);
    socket.destroy();
    await once(socket, 'close');
    expect((await post(long)).status).toBe(503);
    end();
    await vi.waitFor(async () => expect((await post(long)).status).toBe(200));
  });

  it('takes memory by what it holds, however short it is, and leaves room for other namespaces', async () => {
    const { post, untilJudged, end } = await startHolding();
    const dense = withJunk(`[${'[],'.repeat(10_000)}[]]`);
    const first = post(dense);
    await untilJudged(1);
    expect((await post(dense)).status).toBe(503);
    const other = post(body);
    await untilJudged(2);
    end();
    expect([(await first).status, (await other).status]).toEqual([200, 200]);
  });
});
