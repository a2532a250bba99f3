import { type Config, defaultLimits, warningsOf } from '../config/index.ts';
import type { Log } from '../observability/index.ts';
import type { KeyEvent, KeyRing } from '../verification/index.ts';

export const logKeyEvent = (log: Log, { code, source, detail }: KeyEvent): void =>
  log[code === 'key-loaded' ? 'info' : 'warn']({ code, source, detail }, 'key');

/** Logs the warnings of the configuration, the key ring, and the settings that explain later refusals. */
export const logStart = (log: Log, config: Config, ring: KeyRing): void => {
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

/** The limits that differ from their defaults. */
const changedLimits = ({ limits }: Config): object =>
  Object.fromEntries(
    Object.entries(limits).filter(([name, value]) => defaultLimits[name as keyof typeof limits] !== value),
  );
