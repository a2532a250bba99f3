import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fixturePath } from '../support/fixtures.ts';
import { runCli } from '../support/run-cli.ts';

const KEY = fixturePath('cosign/keys/cosign.pub');

let directory: string;
let keyServer: Server;
let connections = 0;
const keyUrl = (): string => `https://127.0.0.1:${(keyServer.address() as AddressInfo).port}/key.pub`;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sailmark-offline-'));
  await writeFile(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(directory, 'index.json'), '{"schemaVersion":2,"manifests":[]}');
  keyServer = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => keyServer.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await new Promise((resolve) => keyServer.close(resolve));
  await rm(directory, { recursive: true, force: true });
});
beforeEach(() => {
  connections = 0;
});

const configFile = async (): Promise<string> => {
  const path = join(directory, 'config.yaml');
  const head = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };
  await writeFile(path, JSON.stringify({ ...head, keys: [{ file: KEY }, { url: keyUrl() }] }));
  return path;
};

const IMAGE = '127.0.0.1:1/istio/pilot:1.28.0';

describe('verify --offline', () => {
  it('refuses a key that it would have to fetch', async () => {
    const argv = ['verify', '--offline', '--evidence', directory, '--key', keyUrl(), IMAGE];
    const { code, stdout, stderr } = await runCli(argv);
    expect({ code, stdout, connections }).toEqual({ code: 1, stdout: '', connections: 0 });
    expect(stderr).toContain(
      `--key ${keyUrl()} is not fetched with --offline: download it, and name the file\n`,
    );
    expect(stderr).toContain('`sailmark --help`');
  });

  it('fetches no key of the configuration, and warns of none', async () => {
    const argv = ['verify', '--offline', '--evidence', directory, '--config', await configFile(), IMAGE];
    const { code, stderr } = await runCli(argv);
    expect({ code, stderr, connections }).toEqual({ code: 11, stderr: '', connections: 0 });
  });

  it('warns of none of Istio’s keys either', async () => {
    const { code, stderr } = await runCli(['verify', '--offline', '--evidence', directory, IMAGE]);
    expect({ code, stderr }).toEqual({ code: 11, stderr: '' });
  });
});

describe('verify without --offline', () => {
  it('fetches the key, and warns that it is missing', async () => {
    const argv = ['verify', '--evidence', directory, '--config', await configFile(), IMAGE];
    const { stderr } = await runCli(argv);
    expect(connections).toBeGreaterThan(0);
    expect(stderr).toContain(`Warning: no key loaded from ${keyUrl()}: cannot be fetched: `);
  });
});
