import { once } from 'node:events';
import { connect } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { allowed, body, send, startServer } from './review-server.ts';

/** Starts a server that keeps each body that it was given to judge. */
const startKeeping = async () => {
  const bodies: unknown[] = [];
  const { port } = await startServer(async (received) => {
    bodies.push(received);
    return allowed;
  });
  return { port, bodies };
};

const open = async (port: number) => {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }).setNoDelay();
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
};

const headers = (length: number): string =>
  `POST /validate/enforce HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;

/** Once another connection has had its answer, the server has read what was written before. */
const untilRead = (port: number) => send(port, '/validate/enforce', body);

const named = (name: string): Buffer => Buffer.from(body.replace('{', `{"name":"${name}",`));

describe('a short body', () => {
  it('that ends before its declared length is judged by nobody', async () => {
    const { port, bodies } = await startKeeping();
    const socket = await open(port);
    socket.write(headers(body.length + 1));
    socket.write(body);
    await untilRead(port);
    socket.destroy();
    await once(socket, 'close');
    await untilRead(port);
    expect(bodies).toHaveLength(2);
  });

  it('that is longer than declared is judged by its declared length alone', async () => {
    const { port, bodies } = await startKeeping();
    const socket = await open(port);
    socket.resume().write(`${headers(body.length)}${body}{"rest":true}`);
    await once(socket, 'close');
    expect(bodies).toEqual([JSON.parse(body)]);
  });

  it('is read whole where a piece ends inside a character, while others arrive in pieces too', async () => {
    const { port, bodies } = await startKeeping();
    const [left, right] = [named('Jürgen 😀'), named('Zoë 😀')];
    const sockets = [await open(port), await open(port)] as const;
    sockets[0].write(headers(left.length));
    sockets[1].write(headers(right.length));
    const longer = Math.max(left.length, right.length);
    for (let at = 0; at < longer; at += 1) {
      const isInName = at > 0 && at < 24;
      const end = isInName ? at + 1 : at === 0 ? 1 : longer;
      if (at < left.length) sockets[0].write(left.subarray(at, end));
      if (at < right.length) sockets[1].write(right.subarray(at, end));
      if (isInName) await untilRead(port);
      else if (at > 0) break;
    }
    await Promise.all(sockets.map((socket) => once(socket, 'data')));
    const names = bodies.flatMap((received) => (received as { readonly name?: string }).name ?? []);
    expect(names.toSorted()).toEqual(['Jürgen 😀', 'Zoë 😀']);
  });

  it.each([-1, 0, 1])('is parsed like a longer one, at 32 KiB and %i byte', async (more) => {
    const { port, bodies } = await startKeeping();
    const padded = body + ' '.repeat(32 * 1024 + more - body.length);
    expect((await send(port, '/validate/enforce', padded)).status).toBe(200);
    expect((await send(port, '/validate/enforce', padded.replace('{', '['))).status).toBe(400);
    expect(bodies).toEqual([JSON.parse(body)]);
  });
});
