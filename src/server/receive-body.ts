import type { IncomingMessage } from 'node:http';
import { BadRequest } from './bad-request.ts';
import type { IncomingBody, OpenBody } from './incoming-bodies.ts';
import { Overloaded } from './review-memory.ts';

/** A body longer than `reviewBytes`; the response is 413. */
export class BodyTooLong extends Error {
  override readonly message = 'the body is longer than limits.reviewBytes';
  readonly statusCode = 413;
}

/**
 * Pieces that a body may come in, and bytes of each further one on average. A piece costs time however short it is; Go and Node
 * send records of a kilobyte and more.
 */
const FREE_PIECES = 1000;
const BYTES_PER_PIECE = 64;

/** A body that has been received whole; `release` ends its use. */
export type ReceivedBody = Pick<IncomingBody, 'length' | 'read' | 'release'>;

/** A body that came in one piece, which nothing else refers to. */
const onePiece = (bytes: Buffer): ReceivedBody => ({
  length: bytes.length,
  read: () => bytes,
  release: () => undefined,
});

const NO_BYTES = Buffer.alloc(0);

interface ReceiveOptions {
  /** Bytes, as `Content-Length` has them; NaN if they are not announced. */
  readonly declared: number;
  /** Bytes. */
  readonly limit: number;
  readonly openBody: OpenBody;
}

type OnReceived = (error: Error | null, body: ReceivedBody) => void;

/** Receives a body. `done` is called once; with an error nothing is left to release. */
export const receiveBody = (
  payload: IncomingMessage,
  { declared, limit, openBody }: ReceiveOptions,
  done: OnReceived,
): void => {
  let piece: Buffer = NO_BYTES;
  let body: IncomingBody | undefined;
  let length = 0;
  let pieces = 0;
  const finish = (error: Error | null): void => {
    payload.removeListener('data', onData).removeListener('end', onEnd).removeListener('close', onClose);
    if (error === null) body?.complete();
    else body?.release();
    done(error, body ?? onePiece(piece));
  };
  const onData = (chunk: Buffer): void => {
    length += chunk.length;
    pieces += 1;
    if (length > limit) return finish(new BodyTooLong());
    if (pieces > FREE_PIECES + length / BYTES_PER_PIECE) {
      finish(new BadRequest('the body comes in thousands of pieces of a few bytes'));
      // The rest would be read before the response ends the connection.
      return void payload.socket.destroy();
    }
    // Most bodies come in one piece and need no copy. More pieces are never kept as they came: each takes memory of its own.
    if (chunk.length === declared) {
      piece = chunk;
      return;
    }
    body ??= openBody(() => finish(new Overloaded()));
    body.add(chunk);
  };
  const onEnd = (): void => finish(null);
  // Without a listener for errors, Node emits none for a request that ends early, only this.
  const onClose = (): void => finish(new BadRequest('the body ended early'));
  if (declared > limit) return done(new BodyTooLong(), onePiece(NO_BYTES));
  payload.on('data', onData).on('end', onEnd).on('close', onClose);
};
