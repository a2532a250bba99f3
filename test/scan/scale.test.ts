import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ScanResult } from '../../src/scan/index.ts';
import { type ClusterFault, startCluster, type TestCluster } from '../support/cluster-server.ts';
import { type Mirror, startMirror } from '../support/mirror.ts';
import { startProcess } from '../support/process.ts';

/*
 * A scan of an API server that answers lists of any length without storing them: time, memory and requests. `.ci/long` asks
 * for 20,000 pods, of the bundle.
 */

const COUNT = Number(process.env['SAILMARK_SCAN_PODS'] ?? 1_200);
const PROGRAM = process.env['SAILMARK_SCAN_PROGRAM'] ?? 'src/main.ts';
const NAMESPACES = 50;
const VERSIONS = 20;
const PAGE = 500;
/** From source, the program that strips types from it takes memory too. */
const MAX_MEMORY_MIB = PROGRAM.endsWith('.ts') ? 300 : 200;
const MAX_REQUESTS_A_DIGEST = 7;

/** As many bytes as the API server keeps of who manages which field of an injected pod. */
const MANAGED_FIELDS = [{ manager: 'kube-controller-manager', fieldsV1: { 'f:spec': 'x'.repeat(9_000) } }];

/** Prints the peak of the process's memory as it ends. */
const MEASURE = `data:text/javascript,process.on('exit',()=>process.stderr.write('peak '+process.resourceUsage().maxRSS+'\\n'))`;

const tagOf = (index: number): string => `1.28.${index % VERSIONS}`;

const podAt = (index: number, hub: string): object => {
  const image = index === COUNT - 1 ? `${hub}/proxyv2:unsigned` : `${hub}/proxyv2:${tagOf(index)}`;
  const proxy = {
    name: 'istio-proxy',
    image,
    env: Array.from({ length: 40 }, (_, at) => ({ name: `E_${at}`, value: 'v' })),
  };
  return {
    metadata: {
      name: `pod-${index}`,
      namespace: `team-${index % NAMESPACES}`,
      uid: `uid-${index}`,
      managedFields: MANAGED_FIELDS,
    },
    spec: {
      initContainers: [{ name: 'istio-init', image }],
      containers: [{ name: 'app', image: `registry.example/app-${index % 700}:1` }, proxy],
    },
    status: { phase: 'Running' },
  };
};

/** Answers lists of pods, page by page. */
const listPods =
  (hub: string): ClusterFault =>
  ({ path, query }, response) => {
    if (path !== '/api/v1/pods') return false;
    const from = Number(query['continue'] ?? 0);
    const to = Math.min(from + Number(query['limit']), COUNT);
    const items = Array.from({ length: to - from }, (_, at) => podAt(from + at, hub));
    const metadata = { resourceVersion: '1', ...(to < COUNT ? { continue: String(to) } : {}) };
    response.end(JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata, items }));
    return true;
  };

describe(`a scan of ${COUNT} pods`, () => {
  let directory: string;
  let server: TestCluster;
  let mirror: Mirror;
  let result: ScanResult;
  let output: string;
  let seconds: number;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sailmark-scale-'));
    [server, mirror] = await Promise.all([startCluster(), startMirror()]);
    for (let index = 0; index < VERSIONS; index += 1) mirror.add({ component: 'proxyv2', tag: tagOf(index) });
    mirror.add({ component: 'proxyv2', tag: 'unsigned', by: false });
    for (let index = 0; index < NAMESPACES; index += 1)
      server.put(`/api/v1/namespaces/team-${index}`, { metadata: {} });
    server.put('/version', { gitVersion: 'v1.36.3' });
    server.fault = listPods(`${mirror.registry.host}/istio`);
    const config = join(directory, 'config.yaml');
    const head = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };
    await writeFile(config, JSON.stringify({ ...head, ...mirror.configuration }));
    const kubeconfig = join(directory, 'kubeconfig');
    await writeFile(kubeconfig, server.kubeconfig());
    const file = join(directory, 'scan.json');
    mirror.registry.clearRequests();
    const began = performance.now();
    const flags = ['--kubeconfig', kubeconfig, '--config', config, '--output', 'json', '--fail-on', 'none'];
    const shell = `"$@" > '${file}'`;
    await using scan = startProcess('sh', [
      '-c',
      shell,
      'sh',
      process.execPath,
      '--import',
      MEASURE,
      PROGRAM,
      'scan',
      ...flags,
    ]);
    const code = await scan.ended;
    seconds = (performance.now() - began) / 1_000;
    output = scan.output();
    if (code !== 0) throw new Error(`scan ended with ${code}: ${output}`);
    result = JSON.parse(await readFile(file, 'utf8')) as ScanResult;
  }, 300_000);
  afterAll(async () => {
    await server?.close();
    await mirror?.registry.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('names the one that is planted, and nothing else', () => {
    expect(result.summary.pods).toMatchObject({ all: COUNT, refused: 1, verified: COUNT - 1, unknown: 0 });
    expect(result.summary.images).toMatchObject({ verified: VERSIONS, refused: 1, unknown: 0 });
    expect(result.owners.map(({ name }) => name)).toContain(`pod-${COUNT - 1}`);
  });

  it('takes one request for each 500 objects of a kind, and few for each digest', () => {
    const pods = result.coverage.resources.find(({ resource }) => resource === 'pods');
    expect(pods).toEqual({ resource: 'pods', objects: COUNT, requests: Math.ceil(COUNT / PAGE) });
    expect(mirror.registry.requests.length).toBeLessThanOrEqual(MAX_REQUESTS_A_DIGEST * (VERSIONS + 1));
  });

  it('holds a page in memory, and not the cluster', () => {
    const peak = Math.round(Number(/peak (\d+)/.exec(output)?.[1]) / 1_024);
    console.log(
      `scan of ${COUNT} pods: ${seconds.toFixed(1)} s, ${peak} MiB, ${result.cost.apiRequests} API requests, ${mirror.registry.requests.length} registry requests`,
    );
    expect(peak).toBeLessThan(MAX_MEMORY_MIB);
  });
});
