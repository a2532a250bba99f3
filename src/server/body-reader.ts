import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ownTurn } from '../base/index.ts';
import { BadRequest } from './bad-request.ts';
import { BLOCK_BYTES, type BlockPool, createBlockPool } from './block-pool.ts';
import type { HeldReviews } from './held-reviews.ts';
import { createIncomingBodies } from './incoming-bodies.ts';
import { parseText, readLargeBody } from './parse-body.ts';
import { type ReceivedBody, receiveBody } from './receive-body.ts';
import { incomingMemory, type MemoryLimits } from './review-memory.ts';
import { type BodyLimits, SMALL_BODY_BYTES } from './scan-body.ts';
import { createShortTurns } from './short-turns.ts';

/** Milliseconds in a turn of the event loop for bodies that do not fit in a block. */
const PARSED_IN_A_TURN_MS = 10;

type Done = (error: Error | null, body?: unknown) => void;

/** Calls `done` with what `read` returns or throws. */
const answer = (read: () => unknown, done: Done): void => {
  let body: unknown;
  try {
    body = read();
  } catch (error) {
    return done(error as Error);
  }
  done(null, body);
};

const parseSmall = (received: ReceivedBody): unknown => {
  const text = received.read().toString();
  received.release();
  return parseText(text);
};

/** Parses large bodies one after the other, each in turns of the event loop of its own. */
const createParseLarge = (limits: BodyLimits, check: HeldReviews['check']) => {
  const parse = async (received: ReceivedBody, payload: IncomingMessage, done: Done): Promise<void> => {
    await ownTurn();
    let text: ReturnType<typeof readLargeBody>;
    try {
      if (payload.socket.destroyed) throw new BadRequest('the connection was closed');
      text = readLargeBody(received.read(), limits, check);
    } catch (error) {
      return done(error as Error);
    } finally {
      received.release();
    }
    if (typeof text !== 'string') return done(null, text);
    await ownTurn();
    answer(() => parseText(text), done);
  };
  let last: Promise<void> = Promise.resolve();
  return (received: ReceivedBody, payload: IncomingMessage, done: Done): void => {
    const parsed = last.then(() => parse(received, payload, done));
    last = parsed.catch(() => undefined);
  };
};

export interface BodyReaderOptions {
  readonly limits: BodyLimits & MemoryLimits;
  /** The limit of the process's heap. */
  readonly heapBytes: number;
  readonly held: HeldReviews;
}

/** Reads bodies of JSON, within the memory for reviews. Returns the blocks that they are received into. */
export const addBodyReader = (
  app: FastifyInstance,
  { limits, heapBytes, held }: BodyReaderOptions,
): Pick<BlockPool, 'state'> => {
  const limit = limits.reviewBytes;
  const pool = createBlockPool(incomingMemory(limits, heapBytes));
  const openBody = createIncomingBodies(pool, limit);
  const parseLarge = createParseLarge(limits, held.check);
  const inShortTurns = createShortTurns(PARSED_IN_A_TURN_MS);

  app.addContentTypeParser(
    'application/json',
    (request: FastifyRequest, payload: IncomingMessage, done: Done) => {
      if (request.is404) return done(null);
      const declared = Number(request.headers['content-length']);
      receiveBody(payload, { declared, limit, openBody }, (error, received) => {
        if (error !== null) return done(error);
        if (received.length > SMALL_BODY_BYTES) return parseLarge(received, payload, done);
        const parse = (): void => answer(() => parseSmall(received), done);
        if (received.length <= BLOCK_BYTES) parse();
        else inShortTurns(parse);
      });
    },
  );
  return pool;
};

/** Responds to a body for which no memory is left. */
export const sendOverloaded = (reply: FastifyReply): FastifyReply =>
  reply
    .code(503)
    .headers({ 'retry-after': '1', connection: 'close' })
    .send({ statusCode: 503, message: 'too many large reviews are in flight; retry in a second' });
