import { run } from './cli/index.ts';

const shutdown = new AbortController();

/** Takes over SIGTERM and SIGINT once: a second signal of the same kind terminates the process. */
const takeShutdownSignal = (): AbortSignal => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => shutdown.abort(signal));
  return shutdown.signal;
};

let isOutputLost = false;
// A reader that closes the pipe early (`sailmark … | head`) is not an error; a full disk is.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE' || isOutputLost) return;
  isOutputLost = true;
  process.exitCode = 1;
  process.stderr.write(`Error: cannot write to standard output: ${error.message}\n`);
});
// Nothing is left to say it with.
process.stderr.on('error', () => {});

const exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  env: process.env,
  takeShutdownSignal,
});

process.exitCode = isOutputLost ? 1 : exitCode;

// Connections that are still being established are not waited for, and what was printed is.
if (shutdown.signal.aborted) process.stdout.write('', () => process.exit());
