import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/ports.ts';
import { createSigner } from '../support/signing-kit.ts';
import { runCli } from '../support/terminal.ts';
import { createTls } from '../support/tls.ts';

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname;
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

/** Runs `serve` as a process that is expected to end by itself. */
const serve = (config: string): Promise<{ readonly code: unknown; readonly output: string }> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [MAIN, 'serve', '--config', config],
      { timeout: 15_000 },
      (error, stdout, stderr) => resolve({ code: error?.code ?? 0, output: stdout + stderr }),
    );
  });

const settings = async (certificate: { readonly cert: string; readonly key: string }) => ({
  listen: `127.0.0.1:${await freePort()}`,
  probes: `127.0.0.1:${await freePort()}`,
  certificate,
});

describe('serve does not start', () => {
  it('with a configuration that has problems, and names them all', async () => {
    const config = await write('bad.yaml', {
      ...HEAD,
      kyes: [],
      tagMemory: 'long',
      transparencyLog: 'require',
    });
    const { code, output } = await serve(config);
    expect(code).toBe(1);
    for (const part of ['kyes', 'did you mean keys', 'tagMemory', 'transparencyLog'])
      expect(output).toContain(part);
  });

  it('without its certificate', async () => {
    const key = createSigner().publicPem;
    const server = await settings({ cert: join(directory, 'none.crt'), key: join(directory, 'none.key') });
    const { code, output } = await serve(
      await write('no-certificate.yaml', { ...HEAD, keys: [{ inline: key }], server }),
    );
    expect(code).toBe(1);
    expect(output).toContain('none.crt');
    expect(output).not.toMatch(/\n\s+at /);
  });

  it('without any key, and says which are missing', async () => {
    const tls = createTls();
    const server = await settings({
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

describe('serve', () => {
  it('says in JSON that it listens, and ends with 0 when it is told to', async () => {
    const tls = createTls();
    const server = await settings({
      cert: await write('good.crt', tls.cert),
      key: await write('good.key', tls.key),
    });
    const key = createSigner().publicPem;
    const config = await write('good.yaml', {
      ...HEAD,
      keys: [{ inline: key }],
      limits: { drain: '0s' },
      server,
    });
    const child = spawn(process.execPath, [MAIN, 'serve', '--config', config], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    const listening = new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes('"listening"')) resolve();
      });
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await listening;
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    const messages = output
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(messages).toContain('start');
    expect(messages.at(-1)).toBe('stopped');
  });
});

describe('check-config', () => {
  it('names every problem with its path', async () => {
    const config = await write('problems.yaml', {
      ...HEAD,
      mirrors: [{ mirror: 'x:y:z', of: 'nowhere' }],
      limits: { drian: '1s' },
    });
    const { code, stdout, stderr } = await runCli(['check-config', '--config', config]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    for (const part of ['mirrors[0].mirror', 'mirrors[0].of', 'limits.drian']) expect(stderr).toContain(part);
  });

  it('prints what a configuration comes to, which is a configuration itself', async () => {
    const first = await runCli(['check-config', '--config', await write('small.yaml', HEAD)]);
    expect(first.code).toBe(0);
    const again = await runCli(['check-config', '--config', await write('whole.yaml', first.stdout)]);
    expect(again.stdout).toBe(first.stdout);
  });
});

describe('keys', () => {
  it('shows a key, and one that is missing, and ends with 1 for it', async () => {
    const key = await write('some.pub', createSigner().publicPem);
    const missing = join(directory, 'none.pub');
    const { code, stdout } = await runCli(['keys', '--key', key, '--key', missing, '--output', 'json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'sailmark.dev/keys/v1',
      keys: [
        { source: key, state: 'loaded', pinned: true, covers: null, for: null },
        {
          source: missing,
          keyId: null,
          spkiSha256: null,
          pinned: null,
          state: expect.stringMatching(/^missing: /),
        },
      ],
    });
    expect((await runCli(['keys', '--key', key])).code).toBe(0);
  });
});
