import { MINUTE_MS } from '../base/index.ts';
import type { Log, Metrics } from '../observability/index.ts';
import { type CanaryProblems, canaryProblems } from '../verification/index.ts';

interface CanaryWatchOptions {
  readonly metrics: Pick<Metrics, 'setCanary'>;
  readonly log: Pick<Log, 'info' | 'error'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Aborted when the process is to shut down. */
  readonly shutdown: AbortSignal;
  readonly run?: () => Promise<CanaryProblems>;
  readonly interval?: number;
}

const problemsOf = ({ good, forged, borrowed }: CanaryProblems): readonly string[] =>
  [good, forged, borrowed].filter((problem) => problem !== undefined);

/**
 * Runs the canary now and every minute, for the metrics and the log: three verifications of a millisecond. A failure ends
 * no process: a replica that is short of time may fail it too, and one that restarts for that is of no help.
 */
export const watchCanary = async (options: CanaryWatchOptions): Promise<void> => {
  const { metrics, log, now, shutdown, run = canaryProblems, interval = MINUTE_MS } = options;
  let last = '';
  const runOnce = async (): Promise<void> => {
    const problems = await run();
    if (shutdown.aborted) return;
    const { good, forged, borrowed } = problems;
    metrics.setCanary(
      { good: good === undefined, forged: forged === undefined, borrowed: borrowed === undefined },
      now(),
    );
    const text = problemsOf(problems).join('; ');
    if (text !== last && text !== '')
      log.error({ problem: text }, 'the canary failed: verdicts are not to be trusted');
    if (text !== last && text === '') log.info({}, 'the canary succeeds again');
    last = text;
  };
  await runOnce();
  const timer = setInterval(() => void runOnce(), interval).unref();
  shutdown.addEventListener('abort', () => clearInterval(timer), { once: true });
};
