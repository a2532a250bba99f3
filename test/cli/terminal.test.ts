import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pod } from '../support/builders.ts';
import { fixturePath } from '../support/fixtures.ts';
import { startRegistry, type TestRegistry } from '../support/registry-server.ts';
import { type CliOptions, runCli } from '../support/run-cli.ts';

const KEY = fixturePath('cosign/keys/cosign.pub');
const ESCAPE = '\u001B';

let registry: TestRegistry;
let images: readonly string[];

beforeAll(async () => {
  registry = await startRegistry();
  images = ['s01-legacy-notlog', 's15-unsigned'].map(
    (name) => `${registry.host}/${registry.loadVector(`referrers/${name}`)}:1.30.0-amd64`,
  );
});
afterAll(() => registry.close());

const verify = (options: CliOptions, ...argv: readonly string[]) =>
  runCli(['verify', '--key', KEY, '--allow-http-registry', ...argv, ...images], options);

describe('without a terminal', () => {
  it('there is neither colour nor progress', async () => {
    const { stdout, stderr } = await verify({});
    expect(stdout).not.toContain(ESCAPE);
    expect(stderr).toBe('');
  });
});

describe('on a terminal', () => {
  it('outcomes have colours, and progress is counted on one line that is gone in the end', async () => {
    const { stdout, stderr } = await verify({ isTTY: true });
    expect(stdout).toContain(`${images[0]}: ${ESCAPE}[32mverified${ESCAPE}[39m\n`);
    expect(stdout).toContain(`${images[1]}: ${ESCAPE}[31mrejected${ESCAPE}[39m\n`);
    // Each report is printed as soon as all before it are, and the count leaves the line for it.
    const counts = stderr.replaceAll(`\r${ESCAPE}[K`, '|');
    expect(counts.replaceAll('|', '')).toBe('\r0 of 2\r1 of 2\r2 of 2');
    expect(counts.endsWith('|')).toBe(true);
  });

  it('NO_COLOR takes the colours, unless it is empty', async () => {
    expect((await verify({ isTTY: true, env: { NO_COLOR: '1' } })).stdout).not.toContain(ESCAPE);
    expect((await verify({ isTTY: true, env: { NO_COLOR: '' } })).stdout).toContain(ESCAPE);
  });

  it('--no-progress takes the progress', async () => {
    expect((await verify({ isTTY: true }, '--no-progress')).stderr).toBe('');
  });

  it('that is dumb there is neither', async () => {
    const { stdout, stderr } = await verify({ isTTY: true, env: { TERM: 'dumb' } });
    expect(stdout).not.toContain(ESCAPE);
    expect(stderr).toBe('');
  });

  it.each(['json', 'cosign'])('%s has no colours', async (output) => {
    expect((await verify({ isTTY: true }, '--output', output)).stdout).not.toContain(ESCAPE);
  });

  it('one image needs no progress', async () => {
    const { stderr } = await runCli(['verify', '--key', KEY, 'Istio/Pilot'], { isTTY: true });
    expect(stderr).toBe('');
  });

  it('answers of review have colours', async () => {
    const argv = ['review', '--key', KEY, '-f', '-'];
    const { stdout } = await runCli(argv, { isTTY: true, stdin: JSON.stringify(pod(['redis'])) });
    expect(stdout).toContain(`Pod default/web: ${ESCAPE}[32mallowed${ESCAPE}[39m\n`);
  });
});

describe('texts that somebody else chose', () => {
  const lines = (text: string): string => text.replaceAll('\n', ' ');
  const hostile = `x${ESCAPE}[2J\u202Ey`;

  it('do not reach a terminal from a list of images', async () => {
    const { stdout, stderr } = await runCli(['verify', '--key', KEY, '-f', '-'], { stdin: `${hostile}\n` });
    expect(lines(stdout + stderr)).not.toMatch(/\p{C}/u);
    expect(stdout).toContain('x?[2J?y: refused\n');
    const cosign = await runCli(['verify', '--key', KEY, '-o', 'cosign', hostile]);
    expect(lines(cosign.stderr)).not.toMatch(/\p{C}/u);
  });

  it('do not reach a terminal from a manifest', async () => {
    const manifest = pod([`docker.io/istio/pilot${hostile}`], { name: hostile, namespace: hostile });
    const { stdout } = await runCli(['review', '--key', KEY, '-f', '-'], { stdin: JSON.stringify(manifest) });
    expect(lines(stdout)).not.toMatch(/\p{C}/u);
    expect(stdout).toContain('Pod x?[2J?y/x?[2J?y: ');
  });
});
