import type { Dispatcher } from 'undici';
import { invalidResponse } from '../source.ts';

type Response = Dispatcher.ResponseData;

/** The first value of a header. */
const headerOf = (headers: Response['headers'], name: string): string | undefined =>
  [headers[name]].flat()[0];

/** What can be told of a body before it is read: undefined, or why it is not read. */
const objectionTo = (headers: Response['headers'], limit: number): string | undefined => {
  const encoding = headerOf(headers, 'content-encoding') ?? 'identity';
  // Its size when unpacked would be the sender's choice.
  if (encoding.toLowerCase() !== 'identity')
    return `the answer is compressed (${encoding.slice(0, 20)}), which was not asked for`;
  return Number(headerOf(headers, 'content-length') ?? 0) > limit
    ? `the answer is longer than ${limit} bytes`
    : undefined;
};

/** Reads no further; the connection is not used again. */
const giveUp = (body: Response['body']): void => void body.on('error', () => {}).destroy();

/**
 * Reads a body of at most `limit` bytes. What is declared longer is not begun, what turns out longer is cut off, what is
 * compressed is refused. Rejects with a fault that names `subject`, or with the reason of the request's `signal`.
 */
export const readBody = async (
  { headers, body }: Response,
  limit: number,
  subject: string,
  signal: AbortSignal,
): Promise<Uint8Array> => {
  const objection = objectionTo(headers, limit);
  if (objection !== undefined) {
    giveUp(body);
    throw invalidResponse(`${subject}: ${objection}`);
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
    throw invalidResponse(`${subject}: the answer broke off`, error);
  }
  if (size <= limit) return Buffer.concat(chunks, size);
  giveUp(body);
  throw invalidResponse(`${subject}: the answer is longer than ${limit} bytes`);
};

/** Lets a body that nobody reads go by, so that its connection can be used again; a long one is given up with it. */
export const discardBody = async ({ body }: Response, limit: number): Promise<void> => {
  await body.dump({ limit });
};
