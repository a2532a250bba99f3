import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseScanCounts } from '../../../src/observability/index.ts';
import { installGroup, reportPath, writesOf } from '../../scan/publish/publish-kit.ts';
import { container, pod } from '../../support/builders.ts';
import {
  configMapPath,
  type Json,
  podPath,
  refuse,
  startCluster,
  type TestCluster,
} from '../../support/cluster-server.ts';
import { type Mirror, startMirror } from '../../support/mirror.ts';
import { type Printed, runCli } from '../../support/run-cli.ts';

/*
 * The objects that `scan` writes to the cluster.
 */

const KEPT = configMapPath('sailmark', 'sailmark-scan');
const PUBLISH = ['--reports', '--events', '--keep', 'sailmark/sailmark-scan'];

let directory: string;
let server: TestCluster;
let mirror: Mirror;
let kubeconfig: string;
let config: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sailmark-publish-'));
  mirror = await startMirror();
  kubeconfig = join(directory, 'kubeconfig');
  config = join(directory, 'sailmark.yaml');
  const head = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };
  await writeFile(config, JSON.stringify({ ...head, ...mirror.configuration }));
});
afterAll(async () => {
  await mirror.registry.close();
  await rm(directory, { recursive: true, force: true });
});

const putPod = (name: string, image: string): void =>
  server.put(
    podPath('shop', name),
    pod({ containers: [container(image, 'istio-proxy')] }, { uid: `uid-of-${name}` }),
  );

beforeEach(async () => {
  server = await startCluster();
  await writeFile(kubeconfig, server.kubeconfig());
  server.put('/api/v1/namespaces/shop', { kind: 'Namespace', metadata: {} });
  server.put(KEPT, { kind: 'ConfigMap', metadata: {} });
  installGroup(server, 'openreports.io');
  putPod('bad', mirror.add({ tag: '1.28.2', by: false }).byTag);
  return () => server.close();
});

const scan = (...argv: readonly string[]): Promise<Printed> =>
  runCli(['scan', '--kubeconfig', kubeconfig, '--config', config, ...argv], {});

describe('what a scan writes to the cluster', () => {
  it.each([
    [['--events'], '--events needs --keep: without the last result it is not known what has changed'],
    [
      ['--keep', 'sailmark-scan'],
      '--keep must be the namespace and name of a ConfigMap, such as sailmark/sailmark-scan',
    ],
    [['--keep', '../x/y'], '--keep must be the namespace and name of a ConfigMap'],
    [
      ['--reports', '-n', 'shop'],
      '--reports, --events and --keep are for the whole cluster: leave out --namespace',
    ],
    [['--keep', 'a/b', '-n', 'shop'], 'are for the whole cluster: leave out --namespace'],
  ])('is refused before the cluster is asked: %j', async (argv, message) => {
    const { code, stderr } = await scan(...argv);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) as string });
    expect(server.requests).toEqual([]);
  });

  it('is nothing unless asked for', async () => {
    await scan();
    expect(writesOf(server)).toEqual([]);
  });

  it('is nothing where no pod could be listed', async () => {
    server.fault = (request, response) =>
      request.path === '/api/v1/pods' && refuse(403, 'no')(request, response);
    const { code } = await scan(...PUBLISH);
    expect([code, writesOf(server)]).toEqual([1, []]);
  });

  it('makes the exit code 1 if it could not be written, whatever --fail-on says', async () => {
    server.delete(KEPT);
    const { code, stderr } = await scan('--fail-on', 'none', ...PUBLISH);
    expect(code).toBe(1);
    expect(stderr).toContain('configmaps sailmark/sailmark-scan does not exist');
  });

  it('is reports, the kept result with its page, and then Events on what has changed', async () => {
    const first = await scan('--fail-on', 'none', ...PUBLISH);
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining('1 of 1 pod') as string });
    expect(first.stderr).toContain('openreports.io reports: 1 written, 0 deleted, 0 unchanged\n');
    expect(server.get(reportPath('openreports.io', 'shop', 'sailmark-uid-of-bad'))).toMatchObject({
      scope: { kind: 'Pod', name: 'bad' },
      summary: { fail: 1 },
    });
    const kept = server.get(KEPT) as { readonly data: Json; readonly binaryData: Json };
    expect(parseScanCounts(String(kept.data['counts.json']))).toMatchObject({ images: { refused: 1 } });
    const page = gunzipSync(Buffer.from(String(kept.binaryData['scan.html.gz']), 'base64')).toString();
    expect(page).toMatch(/^<!doctype html>/i);
    expect(page).toContain('Content-Security-Policy');
    putPod('worse', mirror.add({ tag: '1.28.3', by: false }).byTag);
    const second = await scan('--fail-on', 'none', ...PUBLISH);
    expect(second.stderr).toContain('1 Event on owners whose answer has changed\n');
    const events = server.requests.filter(({ path }) => path.endsWith('/events'));
    expect(events.map(({ body }) => body)).toMatchObject([
      { regarding: { kind: 'Pod', name: 'worse' }, reason: 'SignatureMissing', action: 'Scan' },
    ]);
  });
});
