import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ownTurn } from '../base/index.ts';
import { BadRequest } from './bad-request.ts';
import { parseBody, SMALL_BODY_BYTES } from './parse-body.ts';
import {
  type BodyMemory,
  createReviewMemory,
  createSmallBodyMemory,
  type OpenBodyMemory,
  Overloaded,
  type ReaderLimits,
  reviewMemory,
} from './review-memory.ts';
import { isShortBody, readShortBody } from './short-body.ts';

/** A body longer than `reviewBytes`; the response is 413. */
export class BodyTooLong extends Error {
  override readonly message = 'the body is longer than limits.reviewBytes';
  readonly statusCode = 413;
}

type Done = (error: Error | null, body?: unknown) => void;

/** Receives a body of at most `limit` bytes. `done` is called once, and the memory is released on an error. */
const receive = (
  payload: IncomingMessage,
  limit: number,
  openMemory: OpenBodyMemory,
  done: (error: Error | undefined, chunks: readonly Buffer[], memory: BodyMemory) => void,
): void => {
  const chunks: Buffer[] = [];
  let length = 0;
  const finish = (error?: Error): void => {
    payload.removeListener('data', onData).removeListener('end', onEnd).removeListener('error', onError);
    if (error === undefined) memory.complete();
    else memory.release();
    done(error, chunks.splice(0), memory);
  };
  const memory = openMemory(() => finish(new Overloaded()));
  const onData = (chunk: Buffer): void => {
    length += chunk.length;
    if (length > limit) return finish(new BodyTooLong());
    chunks.push(chunk);
    memory.take(chunk.length);
  };
  const onEnd = (): void => finish();
  const onError = (): void => finish(new BadRequest('the body ended early'));
  payload.on('data', onData).on('end', onEnd).on('error', onError);
};

/** Parses a received body. `onError` is called if it cannot be. */
const parse = (
  chunks: readonly Buffer[],
  limits: ReaderLimits,
  { reserve, onError }: { readonly reserve: (bytes: number) => void; readonly onError: () => void },
  done: Done,
): void => {
  let body: unknown;
  try {
    body = parseBody(Buffer.concat(chunks), limits, reserve);
  } catch (error) {
    onError();
    return done(error as Error);
  }
  done(null, body);
};

const parseInTurn = async (parseLarge: () => void): Promise<void> => {
  await ownTurn();
  parseLarge();
};

/** The length of the body as the request declares it; NaN if it does not. */
const declaredBytes = ({ headers }: FastifyRequest): number => Number(headers['content-length']);

/** Reads bodies of JSON within the memory for reviews; large ones are parsed one in a turn of the event loop. */
export const addBodyReader = (app: FastifyInstance, limits: ReaderLimits, heapBytes: number): void => {
  const room = reviewMemory(limits, heapBytes);
  const openMemory = createReviewMemory(room);
  const holdSmall = createSmallBodyMemory(room);
  /** The response to each request with a longer body: when it ends, nothing of the body is left. */
  const responses = new WeakMap<IncomingMessage, ServerResponse>();
  const onClose = (request: IncomingMessage, release: () => void): void =>
    void responses.get(request)?.once('close', release);

  const read = (payload: IncomingMessage, { raw }: FastifyRequest, done: Done): void =>
    receive(payload, limits.reviewBytes, openMemory, (error, chunks, memory) => {
      if (error !== undefined) return done(error);
      const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      if (length <= SMALL_BODY_BYTES) {
        memory.release();
        const reserve = (bytes: number): void => onClose(raw, holdSmall(length + bytes));
        return parse(chunks, limits, { reserve, onError: () => undefined }, done);
      }
      onClose(raw, memory.release);
      const { reserve, release: onError } = memory;
      return void parseInTurn(() => parse(chunks, limits, { reserve, onError }, done));
    });

  app.addHook('onRequest', (request, reply, next) => {
    if (!isShortBody(declaredBytes(request))) responses.set(request.raw, reply.raw);
    next();
  });
  app.addContentTypeParser(
    'application/json',
    (request: FastifyRequest, payload: IncomingMessage, done: Done) => {
      const declared = declaredBytes(request);
      if (declared > limits.reviewBytes) return done(new BodyTooLong());
      return isShortBody(declared) ? readShortBody(payload, done) : read(payload, request, done);
    },
  );
};

/** Responds to a body for which no memory is left. */
export const sendOverloaded = (reply: FastifyReply): FastifyReply =>
  reply
    .code(503)
    .headers({ 'retry-after': '1', connection: 'close' })
    .send({ statusCode: 503, message: 'too many large reviews are in flight; retry in a second' });
