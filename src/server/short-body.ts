import type { IncomingMessage } from 'node:http';
import { BadRequest } from './bad-request.ts';
import { parseJson } from './parse-body.ts';

/** Bytes of the bodies that ordinary pods have. Whatever they hold takes little memory, so nothing of them is counted. */
const SHORT_BODY_BYTES = 32 * 1024;

/** Joins the pieces of one body at a time: a buffer for each body would keep the garbage collector busy. */
const joined = Buffer.allocUnsafeSlow(SHORT_BODY_BYTES);

/** Decodes the pieces of a short body. A piece may end inside a character, so they are joined first. */
const decode = (pieces: readonly Buffer[]): string => {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only.toString();
  let length = 0;
  for (const piece of pieces) length += piece.copy(joined, length);
  return joined.toString('utf8', 0, length);
};

/** True if the declared length is that of a short body. Node's parser ends a body there, whatever else is sent. */
export const isShortBody = (declaredBytes: number): boolean => declaredBytes <= SHORT_BODY_BYTES;

/** Receives and parses a short body, as nearly all are. `done` is called once. */
export const readShortBody = (
  payload: IncomingMessage,
  done: (error: Error | null, body?: unknown) => void,
): void => {
  const pieces: Buffer[] = [];
  let isComplete = false;
  payload.on('data', (piece: Buffer) => void pieces.push(piece));
  payload.on('error', () => {
    if (!isComplete) done(new BadRequest('the body ended early'));
  });
  payload.on('end', () => {
    isComplete = true;
    let body: unknown;
    try {
      body = parseJson(decode(pieces));
    } catch (error) {
      return done(error as Error);
    }
    done(null, body);
  });
};
