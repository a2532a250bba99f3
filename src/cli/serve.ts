import { setTimeout as pause } from 'node:timers/promises';
import { compose } from '../compose.ts';
import { type Config, defaultLimits, formatAddress, warningsOf } from '../config/index.ts';
import {
  createLog,
  createMetrics,
  createRecordBatch,
  createRecordReview,
  createReport,
  type Log,
  type Metrics,
  type RecordBatch,
} from '../observability/index.ts';
import { endOf } from '../policy/index.ts';
import { createServer } from '../server/index.ts';
import type { KeyEvent, KeyRing } from '../verification/index.ts';
import { build } from './build.ts';
import { type Command, CommandError, type Flags, type Io } from './command.ts';
import { configFlag, loadNamedConfig } from './config-file.ts';
import { networkOf } from './network.ts';
import { joinCluster } from './serve-cluster.ts';

const STDOUT = 1;

/** Milliseconds that what is kept may take to be written at the end, and the cluster to be left: a volume may hang. */
const CLOSING = 3_000;

const keyEventsTo =
  (log: Log) =>
  ({ code, source, detail }: KeyEvent): void =>
    log[code === 'key-loaded' ? 'info' : 'warn']({ code, source, detail }, 'key');

/** A limit that is not as it is by default is worth knowing when something is refused for it. */
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

const untilEnded = (ended: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (ended.aborted) resolve();
    else ended.addEventListener('abort', () => resolve(), { once: true });
  });

/** Why reviews should not be sent here; never a registry's doing. */
const findNotReady = (ring: KeyRing): readonly string[] =>
  ring.keys.size === 0 ? ['the key ring is empty'] : [];

const noKey = ({ missing }: KeyRing): CommandError => {
  const why = missing.map(({ source, problem }) => `  ${source}: ${problem}`).join('\n');
  return new CommandError(`no key could be loaded, and without one nothing can be verified:\n${why}`);
};

/** Which of the replicas this is: in a cluster, the pod's name. */
const nameOf = ({ env }: Io): string => env['HOSTNAME'] ?? 'sailmark';

/** The same metrics, with every review in them that was answered before they are read. */
const complete = (metrics: Metrics, records: RecordBatch): Metrics => ({
  ...metrics,
  render: () => {
    records.flush();
    return metrics.render();
  },
});

/** The webhook and its core, wired and not yet open. */
const createWebhook = async (config: Config, log: Log, io: Io, ended: AbortSignal) => {
  const metrics = createMetrics(build);
  metrics.setExemptionEnds(config.rules.exemptions.map(endOf));
  const report = createReport(log);
  const tellKey = keyEventsTo(log);
  const onKeyEvent = (event: KeyEvent): void => {
    metrics.countKeyEvent(event);
    tellKey(event);
  };
  const joined = await joinCluster(config, { log, metrics, report, ended, instance: nameOf(io) });
  const pullSecrets = joined.cluster === undefined ? {} : { pullSecrets: joined.cluster };
  const network = { ...networkOf(io), ...pullSecrets };
  const core = compose(config, { report, onKeyEvent, metrics, now: Date.now, network });
  const record = createRecordReview(log, metrics);
  const records = createRecordBatch((review, milliseconds) => {
    record(review, milliseconds);
    joined.tell(review);
  }, log);
  const server = createServer({
    ...config.server,
    certificate: joined.certificate,
    review: core.review,
    record: records.add,
    report,
    metrics: complete(metrics, records),
    log,
    limits: config.limits,
    notReady: () => findNotReady(core.ring()),
    now: () => performance.now(),
  });
  const close = async (): Promise<void> => {
    records.flush();
    const closed = Promise.all([core.close(), joined.close()]);
    await Promise.race([closed, pause(CLOSING, undefined, { ref: false })]);
  };
  return { core, server, warm: () => joined.warm(core.judge), close };
};

const serve = async (flags: Flags, io: Io): Promise<number> => {
  const config = await loadNamedConfig(flags, 'serve');
  const ended = io.ended();
  const log = createLog({ ...config.server.log, to: STDOUT });
  log.info({ ...build }, 'start');
  const { core, server, warm, close } = await createWebhook(config, log, io, ended);
  const load = async (): Promise<void> => {
    // A key URL that does not answer holds this up; who is told to end by then does not wait for it.
    await Promise.race([core.load(), untilEnded(ended)]);
    ended.throwIfAborted();
    logStart(log, config, core.ring());
    if (core.ring().keys.size === 0) throw noKey(core.ring());
    await warm();
    ended.throwIfAborted();
  };
  try {
    const { listen, probes } = await server.start(load);
    log.info({ listen: formatAddress(listen), probes: formatAddress(probes) }, 'listening');
    await untilEnded(ended);
    log.info({ signal: ended.reason as unknown, drainMs: config.limits.drain }, 'draining');
    await server.drain();
  } catch (error) {
    if (!ended.aborted || error !== ended.reason) throw error;
  } finally {
    await close();
  }
  log.info({}, 'stopped');
  return 0;
};

export const command: Command = {
  usage: 'serve --config FILE',
  description:
    'Runs the admission webhook: POST /validate/enforce, /validate/warn, /validate/audit and /validate/critical/<mode> over HTTPS, and /livez, /readyz, /metrics on a plain listener of their own. The ports open once the configuration, the certificate, at least one key and the canary are good. SIGTERM drains: answers close their connections for a while, then the process ends.',
  flags: [configFlag],
  examples: ['sailmark serve --config /etc/sailmark/config.yaml'],
  operands: 0,
  run: (flags, _operands, io) => serve(flags, io),
};
