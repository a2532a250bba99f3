import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ScanResult } from '../../../src/scan/index.ts';
import { container, pod } from '../../support/builders.ts';
import {
  hang,
  podPath,
  refuse,
  startCluster,
  type TestCluster,
  webhookPath,
} from '../../support/cluster-server.ts';
import { type Mirror, startMirror } from '../../support/mirror.ts';
import { type CliOptions, type Printed, runCli } from '../../support/run-cli.ts';

const ESCAPE = '\u001B';

let directory: string;
let server: TestCluster;
let mirror: Mirror;
let kubeconfig: string;
let config: string;
let signed: string;
let unsigned: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sailmark-scan-'));
  server = await startCluster();
  mirror = await startMirror();
  signed = mirror.add({ tag: '1.28.1' }).byTag;
  unsigned = mirror.add({ tag: '1.28.2', by: false }).byTag;
  kubeconfig = join(directory, 'kubeconfig');
  await writeFile(kubeconfig, server.kubeconfig());
  config = join(directory, 'sailmark.yaml');
  const head = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };
  await writeFile(config, JSON.stringify({ ...head, ...mirror.configuration }));
});
afterAll(async () => {
  await server.close();
  await mirror.registry.close();
  await rm(directory, { recursive: true, force: true });
});

const putPod = (namespace: string, name: string, image: string, containerName = 'istio-proxy'): void =>
  server.put(podPath(namespace, name), pod({ containers: [container(image, containerName)] }, {}));

beforeEach(() => {
  server.fault = undefined;
  mirror.registry.fault = undefined;
  server.clearRequests();
  for (const namespace of ['shop', 'other'])
    server.put(`/api/v1/namespaces/${namespace}`, {
      kind: 'Namespace',
      metadata: { labels: { 'kubernetes.io/metadata.name': namespace } },
    });
  putPod('shop', 'good', signed);
  putPod('shop', 'bad', unsigned);
  putPod('other', 'plain', 'docker.io/library/nginx:1', 'web');
});

const scan = (options: CliOptions, ...argv: readonly string[]): Promise<Printed> =>
  runCli(['scan', '--kubeconfig', kubeconfig, '--config', config, ...argv], options);

const scanJson = async (...argv: readonly string[]): Promise<ScanResult> =>
  JSON.parse((await scan({}, '--output', 'json', ...argv)).stdout) as ScanResult;

describe('a command line that is wrong', () => {
  it.each([
    [['--mode', 'off'], '--mode must be one of enforce, warn, audit'],
    [['--output', 'yaml'], '--output must be one of text, json, html, sarif, junit'],
    [['--fail-on', 'warnings'], '--fail-on must be one of refused, unknown, drift, preflight, none'],
    [['--timeout', '0'], '--timeout must be a duration'],
    [['--namespace', ''], '--namespace must be the name of a namespace, got ""'],
    [['-n', '../secrets'], '--namespace must be the name of a namespace'],
    [['--allow-http-registry'], 'unknown flag --allow-http-registry'],
    [['shop'], 'unexpected argument "shop"'],
  ])('is refused before the cluster is asked: %j', async (argv, message) => {
    const { code, stdout, stderr } = await scan({}, ...argv);
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(message),
    });
    expect(server.requests).toEqual([]);
  });
});

describe('a cluster that does not let itself be read', () => {
  it('is an error, and no report, if a namespace that is named is not there', async () => {
    const { code, stdout, stderr } = await scan({}, '-n', 'shpo');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('there is no namespace shpo. Name a namespace of the cluster');
    const both = await scan({}, '-n', 'shpo', '-n', 'other');
    expect({ code: both.code, stdout: both.stdout }).toEqual({ code: 1, stdout: '' });
    expect(both.stderr).toContain('there is no namespace shpo. ');
  });

  it('is an error, and no report, if no pod can be listed', async () => {
    server.fault = (request, response) =>
      request.path.endsWith('/pods') && refuse(403, `pods is forbidden${ESCAPE}[2J`)(request, response);
    const { code, stdout, stderr } = await scan({});
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('Error: the pods could not be listed: ');
    expect(stderr).toContain('{apiGroups: [""], resources: ["pods"], verbs: ["list"]}');
    expect(stderr).not.toContain(ESCAPE);
  });

  it('is an error if it does not know the account, or is not there', async () => {
    server.fault = refuse(401, 'Unauthorized');
    const { code, stdout, stderr } = await scan({});
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^Error: /m);
    expect(stderr).not.toContain('    at ');
  });

  it('is reported as far as it was seen, and fails only if what is unknown counts', async () => {
    server.put('/apis/apps/v1/namespaces/shop/deployments/web', { kind: 'Deployment' });
    server.delete(podPath('shop', 'bad'));
    server.fault = (request, response) =>
      request.path.endsWith('/deployments') && refuse(403, 'forbidden')(request, response);
    const { code, stdout } = await scan({});
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^ {2}Not seen +deployments\.apps: /m),
    });
    expect((await scan({}, '--fail-on', 'unknown')).code).toBe(20);
    server.delete('/apis/apps/v1/namespaces/shop/deployments/web');
  });
});

describe('text of the cluster', () => {
  const hostile = `x${ESCAPE}[2J\u009B1m\u202Ey\n\u2028<b>`;

  it('reaches neither a terminal nor a file as more than text', async () => {
    server.put(podPath('shop', 'hostile'), {
      ...pod(
        {
          containers: [
            container(`${unsigned}${hostile}`, `istio-proxy`),
            container(`docker.io/istio/${hostile}`, hostile),
          ],
        },
        {},
      ),
      metadata: {
        labels: { [hostile]: hostile },
        ownerReferences: [{ apiVersion: 'v1', kind: hostile, name: hostile, uid: hostile, controller: true }],
      },
    });
    for (const output of ['text', 'json']) {
      const { stdout, stderr } = await scan({}, '--output', output);
      expect(stdout).toContain('docker.io/istio/x');
      expect((stdout + stderr).replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    }
    server.delete(podPath('shop', 'hostile'));
  });
});

describe('a scan that is interrupted', () => {
  it('prints what is known, says so, and does not exit with 0', async () => {
    server.delete(podPath('shop', 'bad'));
    for (const output of ['text', 'json']) {
      const shutdown = new AbortController();
      mirror.registry.fault = () => {
        shutdown.abort('SIGINT');
        return true;
      };
      const { code, stdout, stderr } = await scan(
        { shutdown: shutdown.signal },
        '-o',
        output,
        '--fail-on',
        'none',
      );
      expect({ output, code }).toEqual({ output, code: 20 });
      expect(stderr).toBe('Interrupted: what is known so far follows. Interrupt again to stop at once.\n');
      expect(stdout).toContain(output === 'text' ? 'The scan was interrupted. ' : '"complete": false');
    }
  });

  it('before the API server answered prints that no pod was seen', async () => {
    const shutdown = new AbortController();
    server.fault = (request, response) => {
      shutdown.abort('SIGTERM');
      return hang(request, response);
    };
    const { code, stdout } = await scan({ shutdown: shutdown.signal });
    expect({ code, first: stdout.split('\n')[0] }).toEqual({
      code: 20,
      first: 'The scan was interrupted. No pod was seen.',
    });
  });
});

describe('a scan', () => {
  it('answers in a sentence, exits with the worst finding, and changes nothing', async () => {
    const { code, stdout, stderr } = await scan({});
    expect({ code, stderr }).toEqual({ code: 10, stderr: '' });
    expect(stdout.split('\n')[0]).toBe('If you enforced now, 1 of 3 pods would be refused.');
    expect(stdout).toContain(`\n  ${unsigned}\n  why       `);
    expect(stdout).toContain('(signature-missing)');
    expect(stdout).toContain('  runs in   shop Pod/bad, container istio-proxy: 1 pod\n');
    expect(stdout).not.toContain(ESCAPE);
    expect(server.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
    expect(server.requests.filter(({ path }) => path.includes('secrets'))).toEqual([]);
  });

  it('gives with each image the command that reproduces its answer', async () => {
    const { images } = await scanJson();
    for (const { command, status } of images) {
      const [, ...argv] = command.split(' ');
      const { code } = await runCli(argv);
      expect([command, code]).toEqual([command, status === 'verified' ? 0 : 10]);
    }
    expect(images).toHaveLength(2);
  });

  it('fails for what --fail-on says', async () => {
    expect((await scan({}, '--fail-on', 'none')).code).toBe(0);
    server.delete(podPath('shop', 'bad'));
    expect((await scan({})).code).toBe(0);
    mirror.registry.fault = (_request, response) => {
      response.writeHead(503).end();
      return true;
    };
    expect((await scan({})).code).toBe(0);
    expect((await scan({}, '--fail-on', 'unknown')).code).toBe(20);
  });

  it('prints the document', async () => {
    const result = await scanJson();
    expect(result).toMatchObject({
      schema: 'sailmark.dev/scan/v1',
      complete: true,
      cluster: { server: server.origin },
      policy: { mode: 'enforce', webhook: null },
      summary: { pods: { all: 3, refused: 1, verified: 1, other: 1 }, images: { refused: 1, verified: 1 } },
    });
  });

  it('judges as the chart would pin, as the installed webhook does, or as its configuration says', async () => {
    const key = join(directory, 'release.pem');
    await writeFile(key, mirror.release.publicPem);
    const pinOf = async (...argv: readonly string[]): Promise<string> => {
      const flags = ['--kubeconfig', kubeconfig, '-n', 'other', '--output', 'json', ...argv];
      return (JSON.parse((await runCli(['scan', ...flags])).stdout) as ScanResult).policy.pin;
    };
    expect(await pinOf('--key', key)).toBe('enforce');
    expect(await pinOf('--config', config)).toBe('never');
    server.put(webhookPath('sailmark'), { webhooks: [{ name: 'enforce.sailmark.dev' }] });
    expect(await pinOf('--key', key)).toBe('never');
    server.put(webhookPath('zz-sailmark', 'mutating'), { webhooks: [{ name: 'pin.sailmark.dev' }] });
    expect(await pinOf('--key', key)).toBe('enforce');
    expect(await pinOf('--config', config)).toBe('never');
    server.delete(webhookPath('sailmark'));
    server.delete(webhookPath('zz-sailmark', 'mutating'));
  });

  it('prints the page', async () => {
    const { code, stdout } = await scan({}, '-o', 'html');
    expect(code).toBe(10);
    expect(stdout).toMatch(/^<!doctype html>/i);
    expect(stdout).toContain('If you enforced now, 1 of 3 pods would be refused.');
  });

  it('takes the mode of namespaces without a label', async () => {
    const { code, stdout } = await scan({}, '--mode', 'audit');
    expect(code).toBe(0);
    expect(stdout.split('\n')[0]).toBe(
      'In mode audit, none of 3 pods would be refused, but 1 would be reported.',
    );
  });

  it('reads the namespaces that are named, and no other', async () => {
    const { summary } = await scanJson('-n', 'other', '--namespace', 'other');
    expect(summary.pods).toMatchObject({ all: 1, other: 1 });
    const paths = server.requests.map(({ path }) => path).filter((path) => path.endsWith('/pods'));
    expect(paths).toEqual(['/api/v1/namespaces/other/pods']);
  });

  it('shows progress and colours on a terminal, and the progress is gone in the end', async () => {
    const { stdout, stderr } = await scan({ isTTY: true });
    expect(stdout.startsWith(`${ESCAPE}[31mIf you enforced now, 1 of 3 pods`)).toBe(true);
    expect(stderr).toContain('pods ');
    expect(stderr.endsWith(`\r${ESCAPE}[K`)).toBe(true);
    expect((await scan({ isTTY: true }, '--no-progress')).stderr).toBe('');
    expect((await scan({ isTTY: true }, '-o', 'json')).stdout).not.toContain(ESCAPE);
  });
});
