import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { createSigner } from '../support/signing-kit.ts';

const HEAD = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };

let directory: string;
const write = async (name: string, content: string | object): Promise<string> => {
  const path = join(directory, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};
const check = (config: string) => runCli(['check-config', '--config', config]);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sailmark-check-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('check-config --print-schema', () => {
  it('prints the schema that the chart carries, whose $id is in the group of apiVersion', async () => {
    const { code, stdout } = await runCli(['check-config', '--print-schema']);
    const file = new URL('../../charts/sailmark/configuration.schema.json', import.meta.url);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(JSON.parse(await readFile(file, 'utf8')));
    expect(JSON.parse(stdout)).toMatchObject({ $id: expect.stringContaining(HEAD.apiVersion) });
  });
});

describe('check-config', () => {
  it('names every problem with its path, and prints nothing else', async () => {
    const { code, stdout, stderr } = await check(
      await write('problems.yaml', {
        ...HEAD,
        mirrors: [{ mirror: 'x:y:z', of: 'nowhere' }],
        limits: { drian: '1s' },
        transparencyLog: 'required',
        trustedRoot: '/root.json',
        evidence: { read: ['/evidence', '/evidence'] },
        registries: [{ host: 'docker.io', endpoint: 'docker.io/hub' }],
      }),
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    for (const part of [
      'mirrors[0].mirror',
      'mirrors[0].of',
      'limits.drian',
      'transparencyLog must be one of ignore, require: did you mean require?',
      'trustedRoot has no effect while transparencyLog is ignore',
      'evidence.read[1] must be listed once',
      'registries[0].endpoint',
    ])
      expect(stderr).toContain(`\n  ${part}`);
  });

  it('says that a file is no YAML, and where', async () => {
    const { code, stderr } = await check(await write('no.yaml', 'a: b: c\n'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Error: the configuration cannot be used:\n.*line 1/);
  });

  it('prints what a configuration comes to, which is a configuration itself', async () => {
    const first = await check(await write('small.yaml', HEAD));
    expect(first.code).toBe(0);
    const again = await check(await write('whole.yaml', first.stdout));
    expect(again.stdout).toBe(first.stdout);
  });

  it('shows no secret, neither of a URL nor of a credentials file', async () => {
    const auth = Buffer.from('reader:open-sesame').toString('base64');
    const dockerConfig = await write('config.json', { auths: { 'registry.example': { auth } } });
    const { code, stdout, stderr } = await check(
      await write('secrets.yaml', {
        ...HEAD,
        keys: [{ url: 'https://example.com/key.pub?token=hush', sha256: 'ab'.repeat(32) }],
        registries: [{ host: 'registry.example', credentials: { dockerConfig } }],
      }),
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('https://example.com/key.pub?…');
    expect(stdout).toContain(`dockerConfig: ${dockerConfig}`);
    for (const secret of ['hush', 'open-sesame', auth]) expect(stdout).not.toContain(secret);
  });

  it('warns of what is allowed and should be known', async () => {
    const { code, stderr } = await check(
      await write('warned.yaml', {
        ...HEAD,
        keys: [{ inline: createSigner().publicPem }, { url: 'https://example.com/key.pub' }],
        undetermined: { enforce: 'allow' },
        exemptions: [
          {
            images: ['docker.io/istio/pilot:1.11.*'],
            namespaces: ['legacy'],
            reason: 'old',
            owner: 'mesh',
            expires: '2020-01-01',
          },
        ],
      }),
    );
    expect(code).toBe(0);
    expect(stderr.split('\n')).toEqual([
      'Warning: keys has https://example.com/key.pub without a pin: the key that it serves when this process starts is trusted',
      'Warning: undetermined.enforce lets images that were never verified start while their registry is down',
      'Warning: exemptions[0] ended after 2020-01-01 (UTC) and has no effect any more: remove it',
      '',
    ]);
  });
});
