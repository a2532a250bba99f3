import type { Dispatcher } from 'undici';
import { SourceFault } from './source.ts';

/** Names what is being read, for the sentence of a fault. */
type Subject = string;

const invalid = (detail: string, cause?: unknown): SourceFault =>
  new SourceFault('answer-invalid', detail, { asked: true, cause });

const headerOf = (headers: Dispatcher.ResponseData['headers'], name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
};

/**
 * Reads a body of at most `limit` bytes. What is declared longer is not begun, what turns out longer is cut off; a
 * compressed body is refused, since its size when unpacked is the sender's choice. Rejects with a fault, or with the
 * reason of the request's signal.
 */
export const readBody = async (
  { headers, body }: Dispatcher.ResponseData,
  limit: number,
  subject: Subject,
  signal: AbortSignal,
): Promise<Buffer> => {
  const refuse = async (detail: string): Promise<never> => {
    body.on('error', () => {});
    body.destroy();
    throw invalid(`${subject}: ${detail}`);
  };
  const encoding = headerOf(headers, 'content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity')
    return refuse(`the answer is compressed (${encoding.slice(0, 20)}), which was not asked for`);
  if (Number(headerOf(headers, 'content-length') ?? 0) > limit)
    return refuse(`the answer is longer than ${limit} bytes`);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) return await refuse(`the answer is longer than ${limit} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (signal.aborted || error instanceof SourceFault) throw error;
    throw invalid(`${subject}: the answer broke off`, error);
  }
  return Buffer.concat(chunks, size);
};
