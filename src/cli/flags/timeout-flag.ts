import { HOUR_MS } from '../../base/index.ts';
import { parseDuration } from '../../config/index.ts';
import { type Flag, type Flags, UsageError } from '../command-line/command.ts';

const DEFAULT_TIMEOUT = '30s';

/** Node's timers overflow after 24.8 days; a day is more than anyone waits. */
const MAX_TIMEOUT_MS = 24 * HOUR_MS;

/** The flag `--timeout`: the time for each `subject`, such as an image. */
export const timeoutFlag = (subject: string): Flag => ({
  name: 'timeout',
  value: 'DURATION',
  help: `time limit for each ${subject} (default ${DEFAULT_TIMEOUT})`,
});

/** The value of `--timeout` in milliseconds. Throws `UsageError`. */
export const parseTimeout = (flags: Flags): number => {
  const text = flags.text('timeout') ?? DEFAULT_TIMEOUT;
  const timeout = parseDuration(text);
  if (timeout === undefined || timeout === 0 || timeout > MAX_TIMEOUT_MS)
    throw new UsageError(
      `--timeout must be a duration such as 30s or 2m, at most 24h, got ${JSON.stringify(text)}`,
    );
  return timeout;
};
