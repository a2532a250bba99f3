import { run } from './cli/index.ts';

const end = new AbortController();

/** The first signal is told, a second one ends the process. */
const takeSignals = (): AbortSignal => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => end.abort(signal));
  return end.signal;
};

// A reader that has seen enough (`sailmark … | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  env: process.env,
  takeShutdownSignal: takeSignals,
});

// Whoever was told to end does not wait for a connection that is still being made.
if (end.signal.aborted) process.exit();
