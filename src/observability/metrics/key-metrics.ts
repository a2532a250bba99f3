import type { Registry } from '@prometheus-io/client';
import type { KeyEvent, KeyRing, KeyRingHealth } from '../../verification/index.ts';
import { createCounter, createGauge, createRead, define, secondsOf, single } from './definition.ts';
import { KEY_EVENTS } from './labels.ts';

const KEYS = define(
  'gauge',
  'sailmark_keys',
  'Public keys in the key ring; keys of the configuration that could not be loaded; URLs that serve another key than the loaded one',
  { state: ['loaded', 'missing', 'changed'] },
);
const KEY_EVENTS_TOTAL = define(
  'counter',
  'sailmark_key_events_total',
  'Events of configured keys: loaded, missing, a file that does not parse, a URL that serves another key',
  { code: KEY_EVENTS },
);
const READ = define(
  'gauge',
  'sailmark_key_read_timestamp_seconds',
  'Time of the last successful read of the key URL or file that was not read for the longest time',
  {},
);
const CANARY = define(
  'gauge',
  'sailmark_canary_success',
  'If the last run of the canary verified the good signature, and refused the forged and the borrowed one',
  { case: ['good', 'forged', 'borrowed'] },
);
const CANARY_RUN = define(
  'gauge',
  'sailmark_canary_last_run_timestamp_seconds',
  'Time of the last run of the canary, whatever its result',
  {},
);

export const keyDefinitions = [KEYS, KEY_EVENTS_TOTAL, READ, CANARY, CANARY_RUN] as const;

/** The results of a run of the canary, by case. */
export type CanaryResults = Readonly<Record<(typeof CANARY.labels.case)[number], boolean>>;

export interface KeyMetrics {
  countKeyEvent(event: Pick<KeyEvent, 'code'>): void;
  /** Reads the state of the key ring whenever the metrics are rendered. */
  watchKeys(ring: () => KeyRing, health: () => KeyRingHealth): void;
  /** Sets the results of a run of the canary, and its time in milliseconds since the epoch. */
  setCanary(results: CanaryResults, at: number): void;
}

/** Creates the metrics of the key ring, and of the canary that proves the verifier. */
export const createKeyMetrics = (registry: Registry): KeyMetrics => {
  const events = createCounter(KEY_EVENTS_TOTAL, registry);
  const canary = createGauge(CANARY, registry);
  const canaryRun = createGauge(CANARY_RUN, registry);
  return {
    countKeyEvent: ({ code }) => events({ code }),
    watchKeys(ring, health) {
      createRead(KEYS, registry, () => [
        [{ state: 'loaded' }, ring().keys.size],
        [{ state: 'missing' }, ring().missing.length],
        [{ state: 'changed' }, health().changed],
      ]);
      createRead(READ, registry, () => single(secondsOf(health().oldestRead)));
    },
    setCanary(results, at) {
      for (const name of CANARY.labels.case) canary({ case: name }, results[name] ? 1 : 0);
      canaryRun({}, at / 1000);
    },
  };
};
