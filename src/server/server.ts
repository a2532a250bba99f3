import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import type { Pinner, Reviewer } from '../admission/index.ts';
import { messageOf, type ReportError, UserError } from '../base/index.ts';
import { type Address, formatAddress, type Limits } from '../config/index.ts';
import type { Log, Metrics, RecordReview } from '../observability/index.ts';
import { type AppDependencies, createApp, replaceCertificate } from './app.ts';
import type { Certificate } from './certificate.ts';
import type { CertificateSource } from './certificate-source.ts';
import { maxWaitMs } from './deadline.ts';
import { bindable } from './every-address.ts';
import { createProbes } from './probes.ts';

export interface ServerDependencies {
  readonly reviewer: Reviewer;
  readonly pinner: Pinner;
  readonly record: RecordReview;
  readonly report: ReportError;
  readonly metrics: Pick<
    Metrics,
    'render' | 'setCertificateEnd' | 'countHttpError' | 'watchReviewMemory' | 'watchReadiness'
  >;
  readonly log: Log;
  readonly certificate: CertificateSource;
  readonly listen: Address;
  readonly probes: Address;
  readonly limits: Limits;
  /** Returns the reasons, besides draining, why this replica is not ready; empty if it is. Sends no request. */
  readonly notReady?: () => readonly string[];
  /** Called whenever a probe learns that this replica is ready. */
  readonly onReady?: () => void;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
}

/** The open listeners, and what must be stopped with them. */
interface Listeners {
  readonly app: FastifyInstance;
  readonly probes: Server;
  readonly connections: ReadonlySet<TLSSocket>;
  readonly stopWatching: () => void;
}

export interface ReviewServer {
  /**
   * Gets the certificate, waits for `beforeOpen` (loads the keys, runs the canary), then opens both ports. Rejects if one
   * of these does, and then nothing listens. Returns the addresses, with the port that was chosen for port 0.
   */
  start(beforeOpen?: () => Promise<void>): Promise<{ readonly listen: Address; readonly probes: Address }>;
  /**
   * Stops the server without losing a review: it is not ready at once, for `drain` each response closes its connection,
   * then no connection is accepted, and reviews in flight are finished. Takes at most `drain` and 30 s, after which open
   * connections are closed. Further calls return the same promise.
   */
  drain(): Promise<void>;
}

const addressOf = (server: { address(): string | AddressInfo | null }, address: Address): Address => {
  const bound = server.address();
  return {
    host: address.host,
    port: typeof bound === 'object' && bound !== null ? bound.port : address.port,
  };
};

const cannotListen = (address: Address, error: unknown): UserError =>
  new UserError(`cannot listen on ${formatAddress(address)}: ${messageOf(error)}`, { cause: error });

const openApp = async (app: FastifyInstance, address: Address): Promise<void> => {
  try {
    await app.listen({ ...address });
  } catch (error) {
    await app.close();
    throw cannotListen(address, error);
  }
};

const openProbes = (server: Server, address: Address): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(address, error)));
    server.listen({ ...address }, resolve);
  });

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, milliseconds));

/** Accepts no more connections, finishes the requests in flight, and closes the connections that remain after the timeout. */
const closeWithin = async (
  app: FastifyInstance,
  connections: ReadonlySet<TLSSocket>,
  timeoutMs: number,
): Promise<void> => {
  const timer = setTimeout(() => app.server.closeAllConnections(), timeoutMs);
  const closed = app.close();
  const sweep = setInterval(() => endUnused(connections), SWEEP_INTERVAL_MS);
  endUnused(connections);
  await closed;
  clearInterval(sweep);
  clearTimeout(timer);
};

const trackConnections = ({ server }: FastifyInstance): ReadonlySet<TLSSocket> => {
  const connections = new Set<TLSSocket>();
  server.on('secureConnection', (socket: TLSSocket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  return connections;
};

/** A handshake in progress may become an unused connection: so unused connections are closed repeatedly. */
const SWEEP_INTERVAL_MS = 100;

/** Closes connections without a request so far: Node does not count them as idle, and `close` would wait for them. */
const endUnused = (connections: ReadonlySet<TLSSocket>): void => {
  for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
};

const closeProbes = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

/** Serves each new certificate of the source. Returns a function that stops watching. */
const watchCertificate = (
  app: FastifyInstance,
  first: Certificate,
  dependencies: ServerDependencies,
): (() => void) => {
  const { log, metrics } = dependencies;
  let current = first.cert;
  const onChange = (certificate: Certificate): void => {
    if (certificate.cert === current) return;
    replaceCertificate(app, certificate);
    current = certificate.cert;
    metrics.setCertificateEnd(certificate.notAfter);
    log.info({ notAfter: new Date(certificate.notAfter).toISOString() }, 'certificate replaced');
  };
  return dependencies.certificate.watch({
    onChange,
    onProblem: (err) => log.warn({ err }, 'cannot renew the certificate; serving the last valid one'),
  });
};

/** Creates the two listeners of the webhook: reviews over HTTPS, probes and metrics over plain HTTP. */
export const createServer = (dependencies: ServerDependencies): ReviewServer => {
  const { log, limits, notReady = () => [] } = dependencies;
  let open: Listeners | undefined;
  let drained: Promise<void> | undefined;
  const isDraining = (): boolean => drained !== undefined;
  const appDependencies: AppDependencies = { ...dependencies, isDraining };
  const probeDependencies = {
    ...dependencies,
    notReady: () => [...(isDraining() ? ['draining'] : []), ...notReady()],
  };

  const start: ReviewServer['start'] = async (beforeOpen = () => Promise.resolve()) => {
    // The certificate may replace the one that the API server trusts: nothing that still fails comes after it.
    await beforeOpen();
    const certificate = await dependencies.certificate.first();
    dependencies.metrics.setCertificateEnd(certificate.notAfter);
    if (certificate.notAfter < Date.now()) log.warn({}, 'the certificate has expired');
    if (isDraining()) throw new Error('stopped before the ports were opened');
    const app = createApp(certificate, appDependencies);
    const connections = trackConnections(app);
    const probes = createProbes(probeDependencies);
    dependencies.metrics.watchReadiness(() => probeDependencies.notReady().length === 0);
    const [listen, probesAt] = [await bindable(dependencies.listen), await bindable(dependencies.probes)];
    await openApp(app, listen);
    await openProbes(probes, probesAt).catch(async (error: unknown) => {
      await app.close();
      throw error;
    });
    open = { app, probes, connections, stopWatching: watchCertificate(app, certificate, dependencies) };
    return {
      listen: addressOf(app.server, listen),
      probes: addressOf(probes, probesAt),
    };
  };

  const drainOnce = async (): Promise<void> => {
    if (open === undefined) return;
    await pause(limits.drain);
    open.stopWatching();
    await closeWithin(open.app, open.connections, maxWaitMs(limits));
    await closeProbes(open.probes);
  };

  return {
    start,
    drain: () => {
      drained ??= drainOnce();
      return drained;
    },
  };
};
