import type { Dispatcher } from 'undici';
import { invalidResponse } from '../source.ts';

type Response = Dispatcher.ResponseData;

/** Returns the first value of a header. */
const headerOf = (headers: Response['headers'], name: string): string | undefined =>
  [headers[name]].flat()[0];

/** Returns why a body must not be read, as far as its headers tell; undefined: it may be read. */
const problemOfHeaders = (headers: Response['headers'], limit: number): string | undefined => {
  const encoding = headerOf(headers, 'content-encoding') ?? 'identity';
  // The sender would choose its size after decompression.
  if (encoding.toLowerCase() !== 'identity')
    return `the response is compressed (${encoding.slice(0, 20)}), which the request did not accept`;
  return Number(headerOf(headers, 'content-length') ?? 0) > limit
    ? `the response is longer than ${limit} bytes`
    : undefined;
};

/** Stops reading; the connection is not used again. */
const abandon = (body: Response['body']): void => void body.on('error', () => {}).destroy();

/**
 * Reads a body of at most `limit` bytes. A body that declares more is not read, one that sends more is cut off, a compressed
 * one is refused. Rejects with a fault that names `subject`, or with the reason of the request's `signal`.
 */
export const readBody = async (
  { headers, body }: Response,
  limit: number,
  subject: string,
  signal: AbortSignal,
): Promise<Uint8Array> => {
  const problem = problemOfHeaders(headers, limit);
  if (problem !== undefined) {
    abandon(body);
    throw invalidResponse(`${subject}: ${problem}`);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) break;
      chunks.push(chunk);
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw invalidResponse(`${subject}: the response ended early`, error);
  }
  if (size <= limit) return Buffer.concat(chunks, size);
  abandon(body);
  throw invalidResponse(`${subject}: the response is longer than ${limit} bytes`);
};

/** Discards a body, so that its connection can be used again; the connection of a longer body is closed. */
export const discardBody = async ({ body }: Response, limit: number): Promise<void> => {
  await body.dump({ limit });
};
