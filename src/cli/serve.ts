import { compose } from '../compose.ts';
import {
  type Config,
  defaultLimits,
  endingExemptions,
  formatAddress,
  loadConfig,
  warningsOf,
} from '../config/index.ts';
import {
  createLog,
  createMetrics,
  createRecordReview,
  createReport,
  type Log,
} from '../observability/index.ts';
import { createServer } from '../server/index.ts';
import type { KeyEvent, KeyRing } from '../verification/index.ts';
import { build } from './build.ts';
import { type Command, type Flags, type Io, UsageError } from './command.ts';
import { readFile } from './read-file.ts';

const STDOUT = 1;

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

const serve = async (flags: Flags, { ended }: Io): Promise<number> => {
  const path = flags.text('config');
  if (path === undefined) throw new UsageError('--config is missing: sailmark serve --config FILE');
  const config = await loadConfig({ path, readFile });
  const log = createLog({ ...config.server.log, to: STDOUT });
  const metrics = createMetrics(build);
  metrics.setExemptionEnds(endingExemptions(config, Date.now()).map(({ endsAt }) => endsAt));
  const report = createReport(log);
  const tellKey = keyEventsTo(log);
  const onKeyEvent = (event: KeyEvent): void => {
    metrics.countKeyEvent(event);
    tellKey(event);
  };
  log.info({ ...build }, 'start');
  const core = compose(config, { report, onKeyEvent, metrics, now: Date.now });
  const server = createServer({
    ...config.server,
    review: core.review,
    record: createRecordReview(log, metrics),
    report,
    metrics,
    log,
    limits: config.limits,
    notReady: () => findNotReady(core.ring()),
    now: () => performance.now(),
  });
  const open = async (): Promise<void> => {
    await core.load();
    logStart(log, config, core.ring());
    if (core.ring().keys.size === 0)
      throw new UsageError('no key could be loaded: without one nothing can be verified');
  };
  try {
    const { listen, probes } = await server.start(open);
    log.info({ listen: formatAddress(listen), probes: formatAddress(probes) }, 'listening');
    await untilEnded(ended);
    log.info({ signal: ended.reason as unknown, drainMs: config.limits.drain }, 'draining');
    await server.drain();
    log.info({}, 'stopped');
    return 0;
  } finally {
    await core.close();
  }
};

export const command: Command = {
  usage: 'serve --config FILE',
  description:
    'Runs the admission webhook: POST /validate/enforce, /validate/warn, /validate/audit and /validate/critical/<mode> over HTTPS, and /livez, /readyz, /metrics on a plain listener of their own. The ports open once the configuration, the certificate, at least one key and the canary are good. SIGTERM drains: answers close their connections for a while, then the process ends.',
  flags: [{ name: 'config', value: 'FILE', help: 'the configuration (apiVersion sailmark.dev/v1alpha1)' }],
  examples: ['sailmark serve --config /etc/sailmark/config.yaml'],
  operands: { least: 0, most: 0 },
  run: (flags, _operands, io) => serve(flags, io),
};
