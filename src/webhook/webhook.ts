import { setTimeout as pause } from 'node:timers/promises';
import { UserError, untilAborted } from '../base/index.ts';
import { type Core, type CoreDependencies, compose } from '../compose.ts';
import { type Config, defaultLimits, warningsOf } from '../config/index.ts';
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
import { joinCluster } from './cluster.ts';

/** Milliseconds that writing evidence and leaving the cluster may take at the end: a volume may hang. */
const CLOSE_TIMEOUT_MS = 3_000;

export interface WebhookDependencies {
  readonly log: Log;
  /** What the process is: the labels of the build metric. */
  readonly build: Parameters<typeof createMetrics>[0];
  /** How registries are reached: proxies, and the environment that credential programs get. */
  readonly network: NonNullable<CoreDependencies['network']>;
  /** Which replica this is: in a cluster, the pod's name. */
  readonly instance: string;
  /** Aborted when the process is told to end. */
  readonly shutdown: AbortSignal;
}

/** The webhook, wired: its server, its core and what it has of its cluster. */
export interface Webhook {
  /**
   * Loads the keys, runs the canary, warms memory up and opens both ports. Rejects with `UserError` where no key could
   * be loaded, and with the reason of `ended` where the process was told to end meanwhile.
   */
  readonly start: () => ReturnType<ReviewServer['start']>;
  readonly drain: ReviewServer['drain'];
  /** Writes what is pending and closes every connection. Takes three seconds at most; never rejects for being late. */
  readonly close: () => Promise<void>;
}

const logKeyEvent = (log: Log, { code, source, detail }: KeyEvent): void =>
  log[code === 'key-loaded' ? 'info' : 'warn']({ code, source, detail }, 'key');

/** The limits that differ from their defaults: worth knowing when something is refused because of one. */
const changedLimits = ({ limits }: Config): object =>
  Object.fromEntries(
    Object.entries(limits).filter(([name, value]) => defaultLimits[name as keyof typeof limits] !== value),
  );

const logStart = (log: Log, config: Config, ring: KeyRing): void => {
  for (const { path, message } of warningsOf(config, Date.now()))
    log.warn({ path }, `configuration: ${path} ${message}`);
  const keys = [...ring.keys.values()].map(({ keyId, source, pinned }) => ({ keyId, source, pinned }));
  log.info({ keys, missing: ring.missing }, 'key ring');
  const { hubs, mirrors } = config.places;
  log.info(
    { hubs, mirrors: mirrors.map(({ mirror }) => mirror), changedLimits: changedLimits(config) },
    'configuration',
  );
};

/** Why this replica must not get reviews. Never because of a registry. */
const notReadyReasons = (ring: KeyRing): readonly string[] =>
  ring.keys.size === 0 ? ['the key ring is empty'] : [];

const noKeyError = ({ missing }: KeyRing): UserError => {
  const why = missing.map(({ source, problem }) => `  ${source}: ${problem}`).join('\n');
  return new UserError(`no key could be loaded, and without one nothing can be verified:\n${why}`);
};

/** Metrics that hold every answered review: pending records are written before they are read. */
const withPendingRecords = (metrics: Metrics, records: RecordBatch): Metrics => ({
  ...metrics,
  render: () => {
    records.flush();
    return metrics.render();
  },
});

/** Loads what a review needs. The keys' URLs may be slow; a process that is told to end does not wait for them. */
const load = async (core: Core, warm: () => Promise<void>, config: Config, log: Log, ended: AbortSignal) => {
  await Promise.race([core.load(), untilAborted(ended)]);
  ended.throwIfAborted();
  logStart(log, config, core.ring());
  if (core.ring().keys.size === 0) throw noKeyError(core.ring());
  await warm();
  ended.throwIfAborted();
};

/** Wires the server and its cluster around the core. Opens no port; asks the cluster's API for nothing but its address. */
export const createWebhook = async (config: Config, dependencies: WebhookDependencies): Promise<Webhook> => {
  const { log, build, network, instance, shutdown: ended } = dependencies;
  const metrics = createMetrics(build);
  metrics.setExemptionEnds(config.rules.exemptions.map(endOf));
  const report = createReportError(log);
  const onKeyEvent = (event: KeyEvent): void => {
    metrics.countKeyEvent(event);
    logKeyEvent(log, event);
  };
  const connection = await joinCluster(config, { log, metrics, report, shutdown: ended, instance });
  const pullSecrets = connection.cluster === undefined ? {} : { pullSecrets: connection.cluster };
  const core = compose(config, {
    report,
    onKeyEvent,
    metrics,
    now: Date.now,
    network: { ...network, ...pullSecrets },
  });
  const recordReview = createRecordReview(log, metrics);
  const records = createRecordBatch((review, milliseconds) => {
    recordReview(review, milliseconds);
    connection.recordEvents(review);
  }, log);
  const server = createServer({
    ...config.server,
    certificate: connection.certificate,
    reviewer: core.reviewer,
    record: records.add,
    report,
    metrics: withPendingRecords(metrics, records),
    log,
    limits: config.limits,
    notReady: () => notReadyReasons(core.ring()),
    now: () => performance.now(),
  });
  return {
    start: () => server.start(() => load(core, () => connection.warmUp(core.judge), config, log, ended)),
    drain: server.drain,
    async close() {
      records.flush();
      const closed = Promise.all([core.close(), connection.close()]);
      await Promise.race([closed, pause(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    },
  };
};
