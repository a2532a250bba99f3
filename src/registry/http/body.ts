import type { Dispatcher } from 'undici';
import { invalidResponse, OversizedBody, type SourceFault } from '../source.ts';

type Response = Dispatcher.ResponseData;

/** Returns the first value of a header. */
const headerOf = (headers: Response['headers'], name: string): string | undefined =>
  [headers[name]].flat()[0];

const oversized = (subject: string, limit: number): SourceFault =>
  new OversizedBody(`${subject}: the response is longer than ${limit} bytes`);

/** Returns why a body must not be read, as far as its headers tell; undefined: it may be read. */
const faultOfHeaders = (
  headers: Response['headers'],
  limit: number,
  subject: string,
): SourceFault | undefined => {
  const encoding = (headerOf(headers, 'content-encoding') ?? 'identity').slice(0, 20);
  // The sender would choose its size after decompression.
  if (encoding.toLowerCase() !== 'identity')
    return invalidResponse(
      `${subject}: the response is compressed (${encoding}), which the request did not accept`,
    );
  return Number(headerOf(headers, 'content-length') ?? 0) > limit ? oversized(subject, limit) : undefined;
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
  const fault = faultOfHeaders(headers, limit, subject);
  if (fault !== undefined) {
    abandon(body);
    throw fault;
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
  throw oversized(subject, limit);
};

/** Discards a body, so that its connection can be used again; the connection of a longer body is closed. */
export const discardBody = async ({ body }: Response, limit: number): Promise<void> => {
  await body.dump({ limit });
};
