import { startProcess, untilOutput } from '../support/process.ts';
import { pathOf } from './tools.ts';

/** go-containerregistry's registry, with the referrers API: plain HTTP, no authentication, in memory. */
export interface ReferrersRegistry {
  readonly host: string;
  stop(): Promise<void>;
}

/**
 * Starts it on a port of loopback that it chooses itself and prints. It ends with its standard input, so with this
 * process.
 */
export const startReferrersRegistry = async (): Promise<ReferrersRegistry> => {
  await using started = new AsyncDisposableStack();
  const registry = started.use(startProcess(pathOf('referrers-registry'), []));
  const host = await untilOutput(
    registry,
    'address of referrers-registry',
    (output) => /^(\S+:\d+)\n/.exec(output)?.[1],
  );
  const running = started.move();
  return { host, stop: () => running.disposeAsync() };
};
