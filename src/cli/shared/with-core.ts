import { type Core, compose } from '../../compose.ts';
import type { Config } from '../../config/index.ts';
import { createLog, createReportError } from '../../observability/index.ts';
import type { KeyRing } from '../../verification/index.ts';
import { CommandError, type Flags, type Io } from '../command-line/command.ts';
import { parseNetwork } from './network.ts';

/** What must be said of the keys before anything is verified with them. Throws where nothing can be. */
export const checkKeys = (ring: KeyRing, { keys }: Config, flags: Flags, { stderr }: Io): void => {
  const named = new Set(flags.list('key'));
  for (const { source, problem } of ring.missing) {
    // A file named by hand is a mistake of the command line; a URL that does not answer leaves the ring incomplete.
    if (named.has(source) && !source.startsWith('https://'))
      throw new CommandError(`--key ${source}: ${problem}`);
    stderr.write(`Warning: no key from ${source}: ${problem}\n`);
  }
  if (ring.keys.size === 0)
    throw new CommandError('no key could be loaded: without one nothing can be verified');
  const unpinned = new Set(
    keys.flatMap(({ location: place }) =>
      place.kind === 'url' && place.spkiSha256 === undefined ? [place.url] : [],
    ),
  );
  for (const { source, spkiSha256 } of ring.keys.values())
    if (unpinned.has(source))
      stderr.write(
        `Note: ${source} is not pinned: whatever it serves is trusted. To pin it: ${source}#sha256=${spkiSha256}\n`,
      );
};

/** Does `work` with a core whose keys are loaded, and closes it. Errors of ours are told on standard error. */
export const withCore = async <T>(config: Config, io: Io, work: (core: Core) => Promise<T>): Promise<T> => {
  const to = { write: (line: string) => void io.stderr.write(line) };
  const log = createLog({ level: 'error', format: 'text', to });
  // What is the matter with the keys stands in the ring; nothing changes in the life of a command.
  const onKeyEvent = (): void => {};
  // A person's own docker config may keep its credentials with a helper; the webhook's must not run programs.
  const network = { ...parseNetwork(io), helpers: 'run' } as const;
  const core = compose(config, { report: createReportError(log), onKeyEvent, now: Date.now, network });
  try {
    await core.load();
    return await work(core);
  } finally {
    await core.close();
  }
};
