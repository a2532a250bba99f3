import { setTimeout as pause } from 'node:timers/promises';
import { messageOf, SECOND_MS } from '../../base/index.ts';
import { ClusterFault, type WebhookObject } from '../../kubernetes/index.ts';
import type { Log, Metrics } from '../../observability/index.ts';
import { type CheckTrust, createActivate } from './activate.ts';
import { type ActivationPlan, planActivation } from './plan.ts';
import { createReportState } from './report-state.ts';

export interface ActivationOptions {
  readonly object: WebhookObject;
  /** Makes this replica trusted, where sailmark issues its certificates; undefined: somebody else does. */
  readonly restoreTrust: ((signal: AbortSignal) => Promise<void>) | undefined;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'setActive'>;
  readonly shutdown: AbortSignal;
  /** Milliseconds for which a start waits for the permission to read the object, which may be in force. */
  readonly unreadableWait: number;
}

/** What brings the entries of a webhook configuration that can refuse into force. */
export interface Activation {
  /**
   * Waits until sailmark has the permission that it takes, with a warning that names it: a replica without it would be ready,
   * and nothing refused. An API server that does not respond delays nothing for long, and neither does a permission that is
   * missing while the entries are in force, or may be: then a replica is needed.
   */
  untilPermitted(): Promise<void>;
  /**
   * From now on the entries are in force: their rules are written, and written again whenever they are missing. Called once
   * this replica is ready. Never throws.
   */
  begin(checkTrust: CheckTrust): void;
}

const CHECK_TIMEOUT_MS = 5 * SECOND_MS;
const RETRY_INTERVAL_MS = 3 * SECOND_MS;
/** The first retry is at once: replicas write at the same time, and all but one are too late. */
const PAUSES_MS = [100, 1000, 2000, 5000, 10_000];
/** An API server that ends each watch at once must not be asked without a pause. */
const REWATCH_PAUSE_MS = 500;
/** One broken connection is no news: API servers restart. */
const FAILURES_TO_REPORT = 2;

const isRefusal = (error: unknown): boolean =>
  error instanceof ClusterFault && (error.status === 401 || error.status === 403);

const sleep = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  pause(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);

interface Refusal {
  readonly err: unknown;
  /** True if the object could not even be read: it may be in force. */
  readonly isUnreadable: boolean;
}

/** Asks once. Resolves with the refusal that a start must wait for; undefined if there is none. */
const findRefusal = async ({ object, log, shutdown }: ActivationOptions): Promise<Refusal | undefined> => {
  const signal = AbortSignal.any([shutdown, AbortSignal.timeout(CHECK_TIMEOUT_MS)]);
  let state: ActivationPlan['state'] | undefined;
  try {
    ({ state } = planActivation(await object.read(signal)));
    await object.checkPermission(signal);
  } catch (err) {
    if (isRefusal(err) && state !== 'active') return { err, isUnreadable: state === undefined };
    if (!shutdown.aborted)
      log.warn({ problem: messageOf(err) }, 'the webhook configuration could not be put in force now');
  }
  return undefined;
};

const untilPermitted = async (options: ActivationOptions): Promise<void> => {
  const { log, shutdown, unreadableWait } = options;
  const startedAt = performance.now();
  for (;;) {
    const refusal = await findRefusal(options);
    if (refusal === undefined || shutdown.aborted) return;
    const { err, isUnreadable } = refusal;
    if (isUnreadable && performance.now() - startedAt >= unreadableWait)
      return log.error({ err }, 'starting although sailmark may not read its webhook configuration');
    log.warn({ err }, 'not ready: sailmark may not put its webhook configuration in force; retrying');
    await sleep(Math.min(RETRY_INTERVAL_MS, unreadableWait), shutdown);
  }
};

/** Activates the object as it is and after each change, until a connection ends or it is time to look again. */
const readAndWatch = async (
  { object, shutdown }: ActivationOptions,
  activate: ReturnType<typeof createActivate>,
): Promise<void> => {
  const current = await object.read(shutdown);
  if (!(await activate(current))) return sleep(RETRY_INTERVAL_MS, shutdown);
  for await (const next of object.watch(current?.version, shutdown))
    if (!(await activate(next))) return sleep(RETRY_INTERVAL_MS, shutdown);
  return sleep(REWATCH_PAUSE_MS, shutdown);
};

const followForever = async (options: ActivationOptions, checkTrust: CheckTrust): Promise<void> => {
  const { object, restoreTrust, log, metrics, shutdown } = options;
  const report = createReportState(options);
  const activate = createActivate({ object, restoreTrust, checkTrust, report, signal: shutdown });
  let failures = 0;
  while (!shutdown.aborted) {
    try {
      await readAndWatch(options, activate);
      failures = 0;
    } catch (err) {
      if (shutdown.aborted) return;
      failures += 1;
      if (failures === FAILURES_TO_REPORT)
        log.warn({ err }, 'cannot follow the webhook configuration; retrying');
      if (failures >= FAILURES_TO_REPORT && isRefusal(err)) metrics.setActive(false);
      await sleep(PAUSES_MS[Math.min(failures, PAUSES_MS.length) - 1] ?? 0, shutdown);
    }
  }
};

/** Creates what activates the webhook configuration. Sends no request yet. */
export const createActivation = (options: ActivationOptions): Activation => ({
  untilPermitted: () => untilPermitted(options),
  begin: (checkTrust) => void followForever(options, checkTrust),
});
