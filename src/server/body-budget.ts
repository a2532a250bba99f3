import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Bodies up to this many bytes, which nearly all are, are not counted: a connection holds as much anyway. */
const MAX_UNCOUNTED_BYTES = 256 * 1024;

/** Bytes of a body as declared, or as much as one may have where nothing is. */
const declaredBytes = ({ headers }: FastifyRequest, most: number): number => {
  const declared = headers['content-length'];
  return declared === undefined ? most : Number(declared);
};

/**
 * Bounds the bytes of large bodies that are under way at once: whoever reaches the port could otherwise fill the memory
 * with bodies that never end. What is past it gets 503 with `Retry-After`, on which the API server asks again within
 * its own time limit (client-go, `rest/with_retry.go`).
 */
export const addBodyBudget = (
  app: FastifyInstance,
  { reviewBytes, reviewBytesAtOnce }: { readonly reviewBytes: number; readonly reviewBytesAtOnce: number },
): void => {
  let underWay = 0;
  app.addHook('onRequest', (request, reply, done) => {
    const bytes = request.method === 'POST' ? declaredBytes(request, reviewBytes) : 0;
    // Longer than one may be: refused as such, before anything of it is read.
    if (bytes <= MAX_UNCOUNTED_BYTES || bytes > reviewBytes) return done();
    if (underWay + bytes > reviewBytesAtOnce) {
      void reply
        .code(503)
        .headers({ 'retry-after': '1', connection: 'close' })
        .send({ statusCode: 503, message: 'too many large reviews are under way; ask again in a second' });
      return undefined;
    }
    underWay += bytes;
    reply.raw.once('close', () => {
      underWay -= bytes;
    });
    return done();
  });
};
