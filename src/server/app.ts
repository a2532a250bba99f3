import { STATUS_CODES } from 'node:http';
import type { Server } from 'node:https';
import { getHeapStatistics } from 'node:v8';
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import { MalformedReview } from '../admission/index.ts';
import type { Limits } from '../config/index.ts';
import type { Metrics } from '../observability/index.ts';
import { addBodyReader, sendOverloaded } from './body-reader.ts';
import type { CertificatePair } from './certificate.ts';
import { createHeldReviews } from './held-reviews.ts';
import { Overloaded } from './review-memory.ts';
import { addReviewRoutes, isReviewPath, type RouteDependencies } from './review-route.ts';

const MIN_TLS_VERSION = 'TLSv1.2';

/**
 * Serves another certificate from the next handshake on; open connections stay. The TLS version must be repeated: a
 * secure context without it uses Node's default.
 */
export const replaceCertificate = (app: FastifyInstance, { cert, key }: CertificatePair): void =>
  (app.server as Server).setSecureContext({ cert, key, minVersion: MIN_TLS_VERSION });

/** The TLS handshake timeout of Go's HTTP client, which the API server uses. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

export interface AppDependencies extends Omit<RouteDependencies, 'limits' | 'held'> {
  readonly limits: Limits;
  readonly metrics: Pick<Metrics, 'countHttpError' | 'watchReviewMemory'>;
  /** True if each response is to close its connection. */
  readonly isDraining: () => boolean;
}

const statusOf = (error: unknown): number => {
  if (error instanceof MalformedReview) return 400;
  const { statusCode } = error as { readonly statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : 0;
};

const refuse = (reply: FastifyReply, statusCode: number, message: string, problems?: unknown): FastifyReply =>
  reply.code(statusCode).send({ statusCode, error: STATUS_CODES[statusCode], message, problems });

const addErrors = (app: FastifyInstance, { report, metrics }: AppDependencies): void => {
  const respond = (error: unknown, reply: FastifyReply): FastifyReply => {
    if (error instanceof Overloaded) return sendOverloaded(reply);
    const status = statusOf(error);
    if (error instanceof MalformedReview) return refuse(reply, status, error.message, error.problems);
    if (status !== 0) return refuse(reply, status, (error as Error).message);
    return refuse(reply, 400, `cannot read the request (incident ${report(error)})`);
  };
  app.setErrorHandler((error, _request, reply) => {
    const response = respond(error, reply);
    metrics.countHttpError(reply.statusCode);
    return response;
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    metrics.countHttpError(isReviewPath(path) ? 405 : 404);
    return isReviewPath(path)
      ? refuse(reply.header('allow', 'POST'), 405, `${path} accepts POST only`)
      : refuse(
          reply,
          404,
          'not found; send reviews to /validate/enforce, /validate/warn, /validate/audit or /mutate/pin',
        );
  });
};

/**
 * Creates the HTTPS application: HTTP/1.1 only, which is all that an API server uses for a webhook. The API server keeps
 * idle connections for 90 s and never retries a POST, so idle connections last longer here, and end with
 * `Connection: close` in a response, never with a 503.
 *
 * Bodies are parsed by `JSON.parse`, not by a parser that refuses `__proto__`: a valid object may have such a member, a
 * 400 for it would admit the object if the webhook fails open, and `JSON.parse` makes it a plain member.
 */
export const createApp = ({ cert, key }: CertificatePair, dependencies: AppDependencies): FastifyInstance => {
  const { limits, isDraining } = dependencies;
  const app = fastify({
    https: {
      cert,
      key,
      minVersion: MIN_TLS_VERSION,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      headersTimeout: limits.requestTime,
      requestTimeout: limits.requestTime,
      connectionsCheckingInterval: Math.min(limits.requestTime, 5000),
    },
    bodyLimit: limits.reviewBytes,
    keepAliveTimeout: limits.keepAlive,
    requestTimeout: limits.requestTime,
    return503OnClosing: false,
    trustProxy: false,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
  });
  app.removeAllContentTypeParsers();
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (isDraining()) void reply.header('connection', 'close');
    done();
  });
  const heapBytes = getHeapStatistics().heap_size_limit;
  const held = createHeldReviews(limits, heapBytes);
  const bodies = addBodyReader(app, { limits, heapBytes, held });
  dependencies.metrics.watchReviewMemory(() => ({ received: bodies.state(), ...held.state() }));
  addErrors(app, dependencies);
  addReviewRoutes(app, { ...dependencies, held });
  return app;
};
