import { STATUS_CODES } from 'node:http';
import type { Server } from 'node:https';
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import { MalformedReview } from '../admission/index.ts';
import type { Limits } from '../config/index.ts';
import { BadRequest } from './bad-request.ts';
import { addBodyBudget } from './body-budget.ts';
import type { CertificatePair } from './certificate.ts';
import { addReviewRoutes, isReviewPath, type RouteDependencies } from './review-route.ts';

const MIN_TLS_VERSION = 'TLSv1.2';

/**
 * Serves another certificate from the next handshake on; connections that are open stay. The version is said again:
 * a secure context that leaves it out falls back to Node's default.
 */
export const replaceCertificate = (app: FastifyInstance, { cert, key }: CertificatePair): void =>
  (app.server as Server).setSecureContext({ cert, key, minVersion: MIN_TLS_VERSION });

/** As long as Go's client, which the API server is, waits for a handshake. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

export interface AppDependencies extends Omit<RouteDependencies, 'limits'> {
  readonly limits: Limits;
  /** Whether connections are to end with their next answer. */
  readonly isDraining: () => boolean;
}

const parseJson = (text: string): unknown => {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadRequest(`the body is not JSON: ${error instanceof Error ? error.message : ''}`);
  }
};

const statusOf = (error: unknown): number => {
  if (error instanceof MalformedReview) return 400;
  const { statusCode } = error as { readonly statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : 0;
};

const refuse = (reply: FastifyReply, statusCode: number, message: string, problems?: unknown): FastifyReply =>
  reply.code(statusCode).send({ statusCode, error: STATUS_CODES[statusCode], message, problems });

const addErrors = (app: FastifyInstance, report: AppDependencies['report']): void => {
  app.setErrorHandler((error, _request, reply) => {
    const status = statusOf(error);
    if (error instanceof MalformedReview) return refuse(reply, status, error.message, error.problems);
    if (status !== 0) return refuse(reply, status, (error as Error).message);
    return refuse(reply, 400, `the request could not be read (incident ${report(error)})`);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    return isReviewPath(path)
      ? refuse(reply.header('allow', 'POST'), 405, `${path} takes POST alone`)
      : refuse(reply, 404, 'there is nothing here; reviews are posted to /validate/enforce, /warn or /audit');
  });
};

/**
 * The HTTPS side: HTTP/1.1 alone, which is all an API server speaks to a webhook. It keeps idle connections 90 s and
 * never repeats a POST, so ours live longer and end with `Connection: close` in an answer, never with a 503.
 *
 * Bodies go through `JSON.parse`, not through a parser that refuses `__proto__`: such a member is possible in a valid
 * object, a 400 for it would be an admission where the webhook fails open, and `JSON.parse` makes it a plain member.
 */
export const createApp = ({ cert, key }: CertificatePair, parts: AppDependencies): FastifyInstance => {
  const { limits, isDraining } = parts;
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
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, parseJson(body as string));
    } catch (error) {
      done(error as BadRequest);
    }
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (isDraining()) void reply.header('connection', 'close');
    done();
  });
  addBodyBudget(app, limits);
  addErrors(app, parts.report);
  addReviewRoutes(app, parts);
  return app;
};
