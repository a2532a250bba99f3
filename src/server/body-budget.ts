import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Bodies up to this size, which nearly all are, are not counted: a connection needs as much memory anyway. */
const MAX_UNCOUNTED_BYTES = 256 * 1024;

/** Returns the declared bytes of a body, or the maximum if none are declared. */
const declaredBytes = ({ headers }: FastifyRequest, maxBytes: number): number => {
  const declared = headers['content-length'];
  return declared === undefined ? maxBytes : Number(declared);
};

/**
 * Bounds the bytes of large bodies in flight: anyone who can reach the port could otherwise fill the memory with bodies
 * that never end. A request past the limit gets a 503 with `Retry-After`, on which the API server retries within its own
 * time limit (client-go, `rest/with_retry.go`).
 */
export const addBodyBudget = (
  app: FastifyInstance,
  { reviewBytes, reviewBytesAtOnce }: { readonly reviewBytes: number; readonly reviewBytesAtOnce: number },
): void => {
  let bytesInFlight = 0;
  app.addHook('onRequest', (request, reply, done) => {
    const bytes = request.method === 'POST' ? declaredBytes(request, reviewBytes) : 0;
    // A body longer than `reviewBytes` is refused by Fastify before any of it is read.
    if (bytes <= MAX_UNCOUNTED_BYTES || bytes > reviewBytes) return done();
    if (bytesInFlight + bytes > reviewBytesAtOnce) {
      void reply
        .code(503)
        .headers({ 'retry-after': '1', connection: 'close' })
        .send({ statusCode: 503, message: 'too many large reviews are in flight; retry in a second' });
      return undefined;
    }
    bytesInFlight += bytes;
    reply.raw.once('close', () => {
      bytesInFlight -= bytes;
    });
    return done();
  });
};
