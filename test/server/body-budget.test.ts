import { once } from 'node:events';
import { connect } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { allowAll, body, send, startServer } from './review-server.ts';

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

/** Sends a review of more than half a MiB until the response has this status; the test's own timeout is the limit. */
const untilStatus = async (port: number, status: number): Promise<Awaited<ReturnType<typeof send>>> => {
  for (;;) {
    const response = await send(port, '/validate/enforce', `${body}${' '.repeat(600 * 1024)}`);
    if (response.status === status) return response;
  }
};

describe('large bodies that are under way', () => {
  it.each([2 * MIB, 'chunked' as const])('make further ones wait, a second at a time (%s)', async (bytes) => {
    const { port } = await startServer(allowAll, { reviewBytes: 2 * MIB, reviewBytesAtOnce: 2 * MIB });
    const socket = await begin(port, bytes);
    const { headers } = await untilStatus(port, 503);
    expect([headers['retry-after'], headers['connection']]).toEqual(['1', 'close']);
    expect((await send(port, '/validate/enforce', body)).status).toBe(200);
    socket.destroy();
    await untilStatus(port, 200);
  });

  it('do not include those that are longer than one may be', async () => {
    const { port } = await startServer(allowAll, { reviewBytes: MIB, reviewBytesAtOnce: MIB });
    await begin(port, 900 * MIB);
    expect((await untilStatus(port, 200)).status).toBe(200);
  });

  it('are let go when they are answered', async () => {
    const { port } = await startServer(allowAll, { reviewBytes: MIB, reviewBytesAtOnce: MIB });
    for (let times = 0; times < 5; times += 1)
      expect((await send(port, '/validate/enforce', `${body}${' '.repeat(900 * 1024)}`)).status).toBe(200);
  });
});
