import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePortFrom } from './ports.ts';
import { type RunningProcess, startProcess, untilOutput } from './process.ts';

const startNode = (script: string): RunningProcess => {
  const running = startProcess(process.execPath, ['-e', script]);
  onTestFinished(async () => void (await running.stop(0)));
  return running;
};
const LISTEN = `const server = require('node:net').createServer();
server.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port));`;
const portIn = (output: string): number | undefined => {
  const [, port] = /^port (\d+)\n/.exec(output) ?? [];
  return port === undefined ? undefined : Number(port);
};
const isTaken = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(true));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(false)));
  });

describe('startProcess', () => {
  it('refuses a program that does not exist', () => {
    expect(() => startProcess('/nonexistent/program', [])).toThrow('/nonexistent/program cannot be started');
  });

  it('leaves no process and no port behind if what is started after it fails', async () => {
    let first: { readonly running: RunningProcess; readonly port: number } | undefined;
    const startBoth = async (): Promise<void> => {
      await using started = new AsyncDisposableStack();
      const running = started.use(startNode(LISTEN));
      first = { running, port: await untilOutput(running, 'port', portIn) };
      expect(await isTaken(first.port)).toBe(true);
      const second = started.use(startNode('console.error("no disk"); process.exit(3)'));
      await untilOutput(second, 'port', portIn);
    };
    await expect(startBoth()).rejects.toThrow('no port before exit code 3: no disk');
    expect(first?.running.exitCode).toBeTypeOf('number');
    expect(await isTaken(first?.port ?? 0)).toBe(false);
  });

  it('kills a process that ignores SIGTERM', async () => {
    const running = startNode(`process.on('SIGTERM', () => {}); ${LISTEN}`);
    const port = await untilOutput(running, 'port', portIn);
    expect(await running.stop(100)).toBe(128);
    expect(await isTaken(port)).toBe(false);
  });

  it('has all of the output when the process has ended, characters whole', async () => {
    const count = 50_000;
    const running = startNode(`process.stdout.write('–'.repeat(${count}) + 'end')`);
    expect(await running.ended).toBe(0);
    expect(running.output()).toBe(`${'–'.repeat(count)}end`);
  });
});

describe('untilOutput', () => {
  it('does not take half of a line for the whole', async () => {
    const running = startNode(`process.stdout.write('port 12');
      setTimeout(() => process.stdout.write('34\\n'), 200); setTimeout(() => {}, 10_000);`);
    expect(await untilOutput(running, 'port', portIn)).toBe(1234);
  });

  it('rejects in time if the process prints something else', async () => {
    const running = startNode('console.log("starting"); setTimeout(() => {}, 10_000)');
    await untilOutput(running, 'first line', (output) => output.includes('\n') || undefined);
    await expect(untilOutput(running, 'port', portIn, 100)).rejects.toThrow(
      'no port within 100 ms: starting',
    );
  });
});

describe('freePortFrom', () => {
  it('passes over a port that a process left behind listens on', async () => {
    const port = await untilOutput(startNode(LISTEN), 'port', portIn);
    expect(await freePortFrom('127.0.0.1', port)).toBeGreaterThan(port);
  });
});
