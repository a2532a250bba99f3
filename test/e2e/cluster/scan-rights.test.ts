import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ScanResult } from '../../../src/scan/index.ts';
import { type ProgramResult, runProgram } from '../tools.ts';
import { type Cluster, startCluster } from './cluster.ts';

/* Scans with an account of its own: without rights, and with the ClusterRole that docs/scan.md tells people to apply. */

const PAGE = readFileSync(new URL('../../../docs/scan.md', import.meta.url), 'utf8');
const [, role = ''] = /^```yaml\n(apiVersion: rbac[\s\S]*?)^```$/m.exec(PAGE) ?? [];
const SAILMARK = new URL('../../../dist/main.js', import.meta.url).pathname;

let cluster: Cluster;
let kubeconfig: string;
let configuration: string;

const kubectl = async (...argv: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await cluster.kubectl(...argv);
  expect([argv, code, stderr]).toEqual([argv, 0, '']);
  return stdout.trim();
};

beforeAll(async () => {
  cluster = await startCluster();
  await cluster.createNamespace('shop');
  await cluster.api.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { containers: [{ name: 'istio-proxy', image: cluster.publish('proxyv2', '1.28.1') }] },
  });
  configuration = await cluster.writeConfiguration();
  await kubectl('create', 'serviceaccount', 'scanner', '-n', 'default');
  const token = await kubectl('create', 'token', 'scanner', '-n', 'default');
  const admin = JSON.parse(readFileSync(cluster.kubeconfig, 'utf8')) as object;
  kubeconfig = await cluster.writeValues({ ...admin, users: [{ name: 'test', user: { token } }] });
});
afterAll(() => cluster?.stop());

const scan = (): Promise<ProgramResult> =>
  runProgram(process.execPath, [
    SAILMARK,
    'scan',
    `--kubeconfig=${kubeconfig}`,
    `--config=${configuration}`,
    '--output=json',
    '--fail-on=unknown',
  ]);

it('an account without rights gets no report, and the rule that it needs', async () => {
  const { code, stdout, stderr } = await scan();
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('{apiGroups: [""], resources: ["pods"], verbs: ["list"]}');
});

it('with the ClusterRole of docs/scan.md a scan sees everything', async () => {
  await kubectl('apply', '-f', await cluster.writeValues(load(role) as object));
  await kubectl(
    'create',
    'clusterrolebinding',
    'scanner',
    '--clusterrole=sailmark-scan',
    '--serviceaccount=default:scanner',
  );
  const { code, stdout, stderr } = await scan();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { coverage, summary } = JSON.parse(stdout) as ScanResult;
  expect(coverage).toMatchObject({ notSeen: [], cut: [] });
  expect(summary.pods).toMatchObject({ all: 1, verified: 1 });
});
