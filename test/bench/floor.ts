import { readFileSync } from 'node:fs';
import { fastify, LogController } from 'fastify';
import { pino } from 'pino';

/**
 * The least that a review costs on this stack: the same Fastify and pino as in the product parse the body, log one line and
 * return a constant response. Arguments: certificate file, key file, port.
 */
const [cert, key, port] = process.argv.slice(2) as [string, string, string];

const app = fastify({
  https: { cert: readFileSync(cert), key: readFileSync(key), minVersion: 'TLSv1.2' },
  loggerInstance: pino(),
  logController: new LogController({ disableRequestLogging: true }),
  bodyLimit: 24 * 1024 * 1024,
  keepAliveTimeout: 120_000,
});

app.post('/validate/enforce', (request, reply) => {
  const { uid } = (request.body as { request: { uid: string } }).request;
  app.log.info({ uid, verdict: 'allow' }, 'review');
  void reply.header('content-type', 'application/json; charset=utf-8');
  return reply.send(
    '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"7f0e4c1a","allowed":true}}',
  );
});

await app.listen({ host: '127.0.0.1', port: Number(port) });
