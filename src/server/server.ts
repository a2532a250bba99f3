import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import type { Reviewer } from '../admission/index.ts';
import { messageOf, type ReportError, UserError } from '../base/index.ts';
import { type Address, formatAddress, type Limits } from '../config/index.ts';
import type { Log, Metrics, RecordReview } from '../observability/index.ts';
import { type AppDependencies, createApp, replaceCertificate } from './app.ts';
import type { Certificate } from './certificate.ts';
import type { CertificateSource } from './certificate-source.ts';
import { maxWaitMs } from './deadline.ts';
import { createProbes } from './probes.ts';

export interface ServerDependencies {
  readonly reviewer: Reviewer;
  readonly record: RecordReview;
  readonly report: ReportError;
  readonly metrics: Pick<Metrics, 'render' | 'setCertificateEnd'>;
  readonly log: Log;
  readonly certificate: CertificateSource;
  readonly listen: Address;
  readonly probes: Address;
  readonly limits: Limits;
  /** Why reviews should not be sent here, beside draining; empty: ready. Never asks a registry. */
  readonly notReady?: () => readonly string[];
  /** Milliseconds, from any beginning. */
  readonly now: () => number;
}

/** What is open, to be closed again. */
interface Listeners {
  readonly app: FastifyInstance;
  readonly probes: Server;
  readonly connections: ReadonlySet<TLSSocket>;
  /** Looks for other certificates no more. */
  readonly stopWatching: () => void;
}

export interface ReviewServer {
  /**
   * Gets the certificate, waits for `beforeOpen` (keys loaded, canary right), then opens both ports. Rejects where any
   * of it does, and then nothing listens. The addresses have the ports that were free where 0 was asked for.
   */
  start(beforeOpen?: () => Promise<void>): Promise<{ readonly listen: Address; readonly probes: Address }>;
  /**
   * Ends with no review lost: not ready at once, for `drain` each answer closes its connection, then no more
   * connections, and reviews under way are finished. Takes at most `drain` and 30 s, after which what is still open is
   * cut. Calling it again gives the same promise.
   */
  drain(): Promise<void>;
}

const addressOf = (server: { address(): string | AddressInfo | null }, asked: Address): Address => {
  const bound = server.address();
  return { host: asked.host, port: typeof bound === 'object' && bound !== null ? bound.port : asked.port };
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

/** Takes no more connections, finishes what is under way, and cuts what is not finished by then. */
const closeWithin = async (
  app: FastifyInstance,
  connections: ReadonlySet<TLSSocket>,
  milliseconds: number,
): Promise<void> => {
  const cut = setTimeout(() => app.server.closeAllConnections(), milliseconds);
  const closed = app.close();
  const sweep = setInterval(() => endUnused(connections), SWEEP_INTERVAL_MS);
  endUnused(connections);
  await closed;
  clearInterval(sweep);
  clearTimeout(cut);
};

const trackConnections = ({ server }: FastifyInstance): ReadonlySet<TLSSocket> => {
  const connections = new Set<TLSSocket>();
  server.on('secureConnection', (socket: TLSSocket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  return connections;
};

/** Milliseconds between two looks at connections whose handshake was under way. */
const SWEEP_INTERVAL_MS = 100;

/** Ends connections on which nothing was asked yet: to Node they are not idle, and closing would wait for them. */
const endUnused = (connections: ReadonlySet<TLSSocket>): void => {
  for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
};

const closeProbes = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

/** Serves each certificate that its source hands over. */
const watchCertificate = (
  app: FastifyInstance,
  first: Certificate,
  parts: ServerDependencies,
): (() => void) => {
  const { log, metrics } = parts;
  let current = first.cert;
  const use = (certificate: Certificate): void => {
    if (certificate.cert === current) return;
    replaceCertificate(app, certificate);
    current = certificate.cert;
    metrics.setCertificateEnd(certificate.notAfter);
    log.info({ notAfter: new Date(certificate.notAfter).toISOString() }, 'certificate replaced');
  };
  return parts.certificate.watch({
    onChange: use,
    onProblem: (err) =>
      log.warn({ err }, 'the certificate could not be renewed; the last good one is served'),
  });
};

/** The webhook's two listeners: reviews over HTTPS, probes and metrics over plain HTTP. */
export const createServer = (parts: ServerDependencies): ReviewServer => {
  const { log, limits, notReady = () => [] } = parts;
  let open: Listeners | undefined;
  let drained: Promise<void> | undefined;
  const isDraining = (): boolean => drained !== undefined;
  const appParts: AppDependencies = { ...parts, isDraining };
  const probeParts = { ...parts, notReady: () => [...(isDraining() ? ['draining'] : []), ...notReady()] };

  const start: ReviewServer['start'] = async (beforeOpen = () => Promise.resolve()) => {
    const certificate = await parts.certificate.first();
    parts.metrics.setCertificateEnd(certificate.notAfter);
    if (certificate.notAfter < Date.now()) log.warn({}, 'the certificate has ended');
    await beforeOpen();
    if (isDraining()) throw new Error('told to stop before the ports were open');
    const app = createApp(certificate, appParts);
    const connections = trackConnections(app);
    const probes = createProbes(probeParts);
    await openApp(app, parts.listen);
    await openProbes(probes, parts.probes).catch(async (error: unknown) => {
      await app.close();
      throw error;
    });
    open = { app, probes, connections, stopWatching: watchCertificate(app, certificate, parts) };
    return { listen: addressOf(app.server, parts.listen), probes: addressOf(probes, parts.probes) };
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
