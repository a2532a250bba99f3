import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startProcess, untilOutput } from '../support/process.ts';
import { createSigner } from '../support/signing-kit.ts';
import { createTls } from '../support/tls.ts';

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname;
/** Before the timeout of the test, so that the error has the output. The sources load slowly on a busy machine. */
const START_TIMEOUT_MS = 25_000;
const HEAD = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };

let directory: string;
const write = async (name: string, content: string | object): Promise<string> => {
  const path = join(directory, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sailmark-serve-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Runs `serve` as a process that is expected to exit by itself. */
const serve = (config: string): Promise<{ readonly code: unknown; readonly output: string }> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [MAIN, 'serve', '--config', config],
      { timeout: START_TIMEOUT_MS },
      (error, stdout, stderr) => resolve({ code: error?.code ?? 0, output: stdout + stderr }),
    );
  });

const settings = (certificate: { readonly cert: string; readonly key: string }) => ({
  listen: '127.0.0.1:0',
  probes: '127.0.0.1:0',
  certificate,
});

describe('serve does not start', () => {
  it('with a configuration that has problems, and names them all', async () => {
    const config = await write('bad.yaml', {
      ...HEAD,
      kyes: [],
      tagMemory: 'long',
      transparencyLog: 'required',
    });
    const { code, output } = await serve(config);
    expect(code).toBe(1);
    for (const part of ['kyes', 'did you mean keys', 'tagMemory', 'transparencyLog'])
      expect(output).toContain(part);
  });

  it('without its certificate', async () => {
    const key = createSigner().publicPem;
    const server = settings({ cert: join(directory, 'none.crt'), key: join(directory, 'none.key') });
    const { code, output } = await serve(
      await write('no-certificate.yaml', { ...HEAD, keys: [{ inline: key }], server }),
    );
    expect(code).toBe(1);
    expect(output).toContain('none.crt');
    expect(output).not.toMatch(/\n\s+at /);
  });

  it('without any key, and says which are missing', async () => {
    const tls = createTls();
    const server = settings({
      cert: await write('tls.crt', tls.cert),
      key: await write('tls.key', tls.key),
    });
    const missing = join(directory, 'none.pub');
    const { code, output } = await serve(
      await write('no-key.yaml', { ...HEAD, keys: [{ file: missing }], server }),
    );
    expect(code).toBe(1);
    expect(output).toContain('no key could be loaded');
    expect(output).toContain(missing);
    expect(output).not.toMatch(/\n\s+at /);
  });
});

/** Starts `serve` as a process, with access to its log messages and exit code. */
const start = (config: string) => {
  const running = startProcess(process.execPath, [MAIN, 'serve', '--config', config]);
  onTestFinished(async () => void (await running.stop(0)));
  return {
    kill: (signal: NodeJS.Signals) => running.signal(signal),
    ended: running.ended,
    until: (message: string): Promise<true> =>
      untilOutput(
        running,
        `message ${message}`,
        (output) => output.includes(`"msg":"${message}"`) || undefined,
        START_TIMEOUT_MS,
      ),
    messages: (): readonly string[] =>
      running
        .output()
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { msg: string }).msg),
  };
};

const goodConfiguration = async (name: string, keys: readonly object[]) => {
  const tls = createTls();
  const server = settings({
    cert: await write(`${name}.crt`, tls.cert),
    key: await write(`${name}.key`, tls.key),
  });
  return { ...HEAD, keys, limits: { drain: '0s' }, server };
};

describe('serve', () => {
  it('does not start on a port that is taken, and names it', async () => {
    const configuration = await goodConfiguration('taken', [{ inline: createSigner().publicPem }]);
    const taken = createServer();
    const host = '127.0.0.1';
    await new Promise<void>((resolve) => taken.listen(0, host, resolve));
    const { port } = taken.address() as AddressInfo;
    const server = { ...configuration.server, listen: `${host}:${port}` };
    const { code, output } = await serve(await write('taken.yaml', { ...configuration, server }));
    await new Promise((resolve) => taken.close(resolve));
    expect(code).toBe(1);
    expect(output).toContain(`Error: cannot listen on ${host}:${port}: listen EADDRINUSE`);
    expect(output).not.toMatch(/\n\s+at /);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'says in JSON that it listens, and ends with 0 when it is told to by %s',
    async (signal) => {
      const configuration = await goodConfiguration(signal, [{ inline: createSigner().publicPem }]);
      const webhook = start(await write(`${signal}.yaml`, configuration));
      await webhook.until('listening');
      webhook.kill(signal);
      expect(await webhook.ended).toBe(0);
      expect(webhook.messages()).toEqual([
        'start',
        'key ring',
        'configuration',
        'listening',
        'draining',
        'stopped',
      ]);
    },
  );

  it('ends with 0 when it is told to before it is open, however long its keys take', async () => {
    const { promise: requested, resolve } = Promise.withResolvers<void>();
    const silent = createServer(() => resolve());
    await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
    const { port } = silent.address() as AddressInfo;
    const url = `https://127.0.0.1:${port}/key.pub`;
    const webhook = start(await write('silent.yaml', await goodConfiguration('silent', [{ url }])));
    await requested;
    webhook.kill('SIGTERM');
    // The limit starts with the signal: how long the start took before it is not what is tested.
    expect(await Promise.race([webhook.ended, delay(10_000, 'still running')])).toBe(0);
    silent.close();
    expect(webhook.messages()).toEqual(['start', 'stopped']);
  });
});
