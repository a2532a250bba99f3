import { run } from './cli/index.ts';

const shutdown = new AbortController();

/** Takes over SIGTERM and SIGINT once: a second signal of the same kind terminates the process. */
const takeShutdownSignal = (): AbortSignal => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => shutdown.abort(signal));
  return shutdown.signal;
};

// A reader that closes the pipe early (`sailmark … | head`) is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  env: process.env,
  takeShutdownSignal,
});

// Do not wait for connections that are still being established.
if (shutdown.signal.aborted) process.exit();
