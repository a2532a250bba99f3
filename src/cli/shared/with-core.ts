import { type Core, compose } from '../../compose.ts';
import type { Config } from '../../config/index.ts';
import { createLog, createReportError } from '../../observability/index.ts';
import type { PullSecrets } from '../../registry/index.ts';
import type { KeyRing } from '../../verification/index.ts';
import { CommandError, type Flags, type Io } from '../command-line/command.ts';
import { parseNetwork } from './network.ts';

/**
 * Warns about keys that are missing or not pinned. Throws `CommandError` if a key file of the command line is missing, or
 * no key is loaded.
 */
export const checkKeys = (ring: KeyRing, { keys }: Config, flags: Flags, { stderr }: Io): void => {
  const keyFlags = new Set(flags.list('key'));
  const offline = new Set(
    keys.flatMap(({ location }) => (location.kind === 'url' && location.offline ? [location.url] : [])),
  );
  for (const { source, problem } of ring.missing) {
    if (offline.has(source)) continue;
    // A missing file is a mistake in the command line; a URL that does not respond leaves the key ring incomplete.
    if (keyFlags.has(source) && !source.startsWith('https://'))
      throw new CommandError(`--key ${source}: ${problem}`);
    stderr.write(`Warning: no key loaded from ${source}: ${problem}\n`);
  }
  if (ring.keys.size === 0) throw new CommandError('no key could be loaded, so nothing can be verified');
  const unpinned = new Set(
    keys.flatMap(({ location }) =>
      location.kind === 'url' && location.spkiSha256 === undefined ? [location.url] : [],
    ),
  );
  for (const { source, spkiSha256 } of ring.keys.values())
    if (unpinned.has(source))
      stderr.write(
        `Note: ${source} is not pinned: any key it serves is trusted. To pin it: ${source}#sha256=${spkiSha256}\n`,
      );
};

/**
 * Runs `work` with a core whose keys are loaded, then closes the core. Internal errors are logged to standard error. Without
 * `pullSecrets` those that the configuration names are not read.
 */
export const withCore = async <T>(
  config: Config,
  io: Io,
  work: (core: Core) => Promise<T>,
  pullSecrets?: PullSecrets,
): Promise<T> => {
  const stderr = { write: (line: string) => void io.stderr.write(line) };
  const log = createLog({ level: 'error', format: 'text', to: stderr });
  // The ring already lists every problem with a key, and no key changes while a command runs.
  const onKeyEvent = (): void => {};
  // A user's own docker config may get credentials from a helper program; the webhook must not run programs.
  const network = { ...parseNetwork(io), helpers: 'run', ...(pullSecrets && { pullSecrets }) } as const;
  // Budgets keep namespaces apart; the command line is one user's.
  const limits = { ...config.limits, requestBudget: Number.POSITIVE_INFINITY };
  const core = compose(
    { ...config, limits },
    { report: createReportError(log), onKeyEvent, now: Date.now, network },
  );
  try {
    await core.load();
    return await work(core);
  } finally {
    await core.close();
  }
};
