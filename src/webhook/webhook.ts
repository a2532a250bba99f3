import { setTimeout as delay } from 'node:timers/promises';
import { UserError, untilAborted } from '../base/index.ts';
import { type Core, type CoreDependencies, compose } from '../compose.ts';
import type { Config } from '../config/index.ts';
import {
  createMetrics,
  createRecordBatch,
  createRecordReview,
  createReportError,
  type Log,
  type Metrics,
  type RecordBatch,
} from '../observability/index.ts';
import { endOf } from '../policy/index.ts';
import { createServer, type ReviewServer } from '../server/index.ts';
import type { KeyEvent, KeyRing } from '../verification/index.ts';
import { watchCanary } from './canary-watch.ts';
import { type ClusterConnection, joinCluster } from './cluster.ts';
import { logKeyEvent, logStart } from './start-log.ts';

/** The time limit for writing evidence and closing connections at the end: a volume may hang. */
const CLOSE_TIMEOUT_MS = 3_000;

export interface WebhookDependencies {
  readonly log: Log;
  /** The labels of the build metric. */
  readonly build: Parameters<typeof createMetrics>[0];
  /** The route to registries: proxies, and the environment of credential programs. */
  readonly network: NonNullable<CoreDependencies['network']>;
  /** The name of this replica: in a cluster, the pod's name. */
  readonly instance: string;
  /** Aborted when the process is to shut down. */
  readonly shutdown: AbortSignal;
}

/** The webhook: the core, its server and its connection to the cluster. */
export interface Webhook {
  /**
   * Loads the keys, runs the canary, warms up the memory and opens both ports. Rejects with `UserError` if no key could be
   * loaded, and with the reason of `shutdown` if it is aborted meanwhile.
   */
  readonly start: () => ReturnType<ReviewServer['start']>;
  readonly drain: ReviewServer['drain'];
  /** Writes pending records and evidence and closes every connection, within `CLOSE_TIMEOUT_MS`. */
  readonly close: () => Promise<void>;
}

/** Wires the server and the cluster around the core. Opens no port and sends no request. */
export const createWebhook = async (config: Config, dependencies: WebhookDependencies): Promise<Webhook> => {
  const { log, build, network, instance, shutdown } = dependencies;
  const report = createReportError(log);
  const metrics = createMetrics(build);
  metrics.setExemptionEnds(config.rules.exemptions.map(endOf));
  const connection = await joinCluster(config, { log, metrics, report, shutdown, instance });
  const core = compose(config, {
    report,
    onKeyEvent: (event: KeyEvent): void => {
      metrics.countKeyEvent(event);
      logKeyEvent(log, event);
    },
    metrics,
    now: Date.now,
    ...(connection.sharedEvidence && { sharedEvidence: connection.sharedEvidence }),
    network: { ...network, ...(connection.cluster && { pullSecrets: connection.cluster }) },
  });
  const ready = Promise.withResolvers<void>();
  const records = createRecords(log, metrics, connection, core);
  const server = createServer({
    ...config.server,
    certificate: connection.certificate,
    reviewer: core.reviewer,
    pinner: core.pinner,
    record: records.add,
    report,
    metrics: withPendingRecords(metrics, records),
    log,
    limits: config.limits,
    notReady: () => notReadyReasons(core.ring()),
    onReady: ready.resolve,
    now: () => performance.now(),
  });
  return {
    async start() {
      const addresses = await server.start(() => load(config, core, connection, dependencies));
      await watchCanary({ metrics, log, now: Date.now, shutdown });
      connection.followScan();
      void ready.promise.then(() => connection.activate(addresses.listen));
      return addresses;
    },
    drain: server.drain,
    async close() {
      records.flush();
      // Evidence and Events are written through the connection to the cluster.
      const closeAll = async (): Promise<void> => {
        try {
          await Promise.all([core.close(), connection.flush()]);
        } finally {
          await connection.close();
        }
      };
      await Promise.race([closeAll(), delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    },
  };
};

/** Creates the batch that writes reviews to the log, the metrics and Kubernetes Events. */
const createRecords = (
  log: Log,
  metrics: Metrics,
  connection: ClusterConnection,
  { noteUse }: Core,
): RecordBatch => {
  const recordReview = createRecordReview(log, metrics);
  return createRecordBatch((review, milliseconds) => {
    recordReview(review, milliseconds);
    if (review.route !== undefined) return;
    connection.recordEvents(review);
    review.images.forEach(noteUse);
  }, log);
};

/** Metrics that include every finished review: rendering them first writes the pending records. */
const withPendingRecords = (metrics: Metrics, records: RecordBatch): Metrics => ({
  ...metrics,
  render: () => {
    records.flush();
    return metrics.render();
  },
});

/** The reasons for which this replica must not receive reviews. The state of a registry is never one of them. */
const notReadyReasons = (ring: KeyRing): readonly string[] =>
  ring.keys.size === 0 ? ['the key ring is empty'] : [];

/** Loads the core and warms it up before the ports open. A shutdown does not wait for a slow key URL. */
const load = async (
  config: Config,
  core: Core,
  connection: ClusterConnection,
  { log, shutdown }: WebhookDependencies,
): Promise<void> => {
  await Promise.race([core.load(), untilAborted(shutdown)]);
  shutdown.throwIfAborted();
  logStart(log, config, core.ring());
  if (core.ring().keys.size === 0) throw noKeyError(core.ring());
  await connection.untilMayActivate();
  shutdown.throwIfAborted();
  await connection.warmUp(core.judge);
  shutdown.throwIfAborted();
};

const noKeyError = ({ missing }: KeyRing): UserError => {
  const problems = missing.map(({ source, problem }) => `  ${source}: ${problem}`).join('\n');
  return new UserError(`no key could be loaded, so nothing can be verified:\n${problems}`);
};
