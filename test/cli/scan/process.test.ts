import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ScanResult } from '../../../src/scan/index.ts';
import { container, pod } from '../../support/builders.ts';
import { podPath, startCluster, type TestCluster } from '../../support/cluster-server.ts';
import { startProcess, untilOutput } from '../../support/process.ts';

/* `scan` as a process of its own, from the bundle: what users run and interrupt. */

const ROOT = new URL('../../..', import.meta.url).pathname;

let directory: string;
let cluster: TestCluster;
/** A registry that takes connections and never responds. */
let silent: Server;
let asked: number;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sailmark-scan-process-'));
  await promisify(execFile)(process.execPath, ['.ci/bundle.ts', directory], { cwd: ROOT });
  cluster = await startCluster();
  silent = createServer(() => {
    asked += 1;
  });
  await new Promise<void>((resolve) => {
    silent.listen(0, '127.0.0.1', resolve);
  });
  const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  cluster.put('/api/v1/namespaces/shop', { kind: 'Namespace' });
  const images = [`${host}/istio/proxyv2:1.28.1`, 'registry.corp.example/istio/proxyv2:1.28.1'];
  for (const [index, image] of images.entries())
    cluster.put(podPath('shop', `web-${index}`), pod({ containers: [container(image, 'istio-proxy')] }, {}));
  await writeFile(join(directory, 'kubeconfig'), cluster.kubeconfig());
  const config = {
    apiVersion: 'sailmark.dev/v1alpha1',
    kind: 'Configuration',
    keys: [{ file: join(ROOT, 'test/fixtures/cosign/keys/cosign.pub') }],
    mirrors: [{ mirror: `${host}/istio`, of: 'docker.io/istio' }],
    registries: [{ host, plainHTTP: true }],
  };
  await writeFile(join(directory, 'sailmark.yaml'), JSON.stringify(config));
});
beforeEach(() => {
  asked = 0;
});
afterAll(async () => {
  silent.closeAllConnections();
  silent.close();
  await cluster.close();
  await rm(directory, { recursive: true, force: true });
});

const start = (...argv: readonly string[]) =>
  startProcess(
    process.execPath,
    [join(directory, 'main.js'), 'scan', '--config', join(directory, 'sailmark.yaml'), ...argv],
    { HOME: directory, KUBECONFIG: join(directory, 'kubeconfig') },
  );

/** Interrupts a scan once it waits for the registry. */
const interrupted = async (name: NodeJS.Signals, ...argv: readonly string[]) => {
  const running = start(...argv);
  await untilOutput(running, 'the registry is asked', () => asked > 0 || undefined, 20_000);
  running.signal(name);
  return running;
};

describe('a scan that is interrupted while a registry is silent', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'by %s prints all that it knows, and ends at once',
    async (name) => {
      await using running = await interrupted(name, '--timeout', '10m', '--fail-on', 'none');
      const started = performance.now();
      expect(await running.ended).toBe(20);
      expect(performance.now() - started).toBeLessThan(5_000);
      const output = running.output();
      expect(output).toMatch(/^Interrupted: /);
      expect(output).toContain('\nThe scan was interrupted. Of the 1 pod seen, 1 would be refused');
      expect(output.trimEnd().split('\n').at(-1)).toMatch(/^(?:The scan was interrupted|now|if you)/);
    },
  );

  it('prints a whole document', async () => {
    await using running = await interrupted('SIGINT', '--timeout', '10m', '--output', 'json');
    expect(await running.ended).toBe(30);
    const output = running.output();
    const result = JSON.parse(output.slice(output.indexOf('{'))) as ScanResult;
    expect(result).toMatchObject({ complete: false, summary: { pods: { refused: 1 } } });
  });
});

describe('a scan to its end', () => {
  it.each(['text', 'json', 'html', 'sarif', 'junit'])('prints %s', async (output) => {
    await using running = start('--timeout', '1s', '--output', output);
    expect(await running.ended).toBe(30);
    expect(running.output()).toContain('registry.corp.example/istio/proxyv2:1.28.1');
    expect(running.output()).not.toMatch(/^(?:Error|Warning):/m);
  });
});
