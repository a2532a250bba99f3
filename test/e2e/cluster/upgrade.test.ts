import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load as parseYaml } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSigner } from '../../support/signing-kit.ts';
import { bundleImage } from '../control-plane/kubelet/container.ts';
import type { KubernetesObject } from '../control-plane/objects.ts';
import { openReportsCrds } from '../control-plane/programs.ts';
import { until } from '../control-plane/until.ts';
import { type Cluster, NAMESPACE, startCluster } from './cluster.ts';
import { commandsBelow } from './emergency.ts';
import { EVENTS, takeInventory, takeSettledInventory } from './inventory.ts';
import { helm, OUR_REFUSAL, tryPod, uninstall } from './lifecycle.ts';
import { type Expected, type Load, startLoad, type Workload } from './load.ts';
import { callsLost, type Lost, metricsOf, trustedBy } from './observations.ts';
import { createClients, createTraffic, type Expectations, type Traffic } from './traffic.ts';
import { buildVersion, laterVersions, packageVersion } from './versions.ts';

/*
 * A release in enforce is upgraded to another version with other values, rolled back, upgraded again and uninstalled, while
 * pods are created continuously: no call may fail, and no unsigned image start. Each version reads what the other stored, and
 * what a version stored that neither knows.
 */

/** The version of this tree, and two later ones that are made of the same sources. */
const [FIRST, SECOND, THIRD] = await laterVersions();
const NAMESPACES = ['shop', 'istio-system', 'other'];
const PER_SECOND = 20;
const CONFIG_MAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
const SECRET = `/api/v1/namespaces/${NAMESPACE}/secrets/sailmark-certificates`;
const SCAN = `${CONFIG_MAPS}/sailmark-scan`;
const EVIDENCE = ['tags', '0', '1', '2', '3'].map((name) => `${CONFIG_MAPS}/sailmark-evidence-${name}`);
/** The image without a signature of the traffic. */
const UNSIGNED = 'docker.io/istio/proxyv2:1.24.6';
const NOTHING_LOST = { failed: [], wrong: [] };

type Data = Readonly<Record<string, string>>;

describe('a release of two versions', () => {
  const signers = { old: createSigner(), next: createSigner() };
  const expected: Expectations = { fresh: 'created', byOldKey: 'created', byNewKey: 'refused' };
  /** The outcome of unsigned images: in Istio's own namespace, which has the mode of the release, and elsewhere. */
  let critical: Expected = 'created';
  let unsigned: Expected = 'refused';
  let directory: string;
  let cluster: Cluster;
  let before: readonly string[];
  let load: Load;
  let traffic: Traffic;
  let lost: Lost;
  let charts: { readonly first: string; readonly second: string; readonly third: string };

  const keysOf = (...which: readonly (keyof typeof signers)[]) =>
    which.map((name) => ({ inline: signers[name].publicPem }));
  /** The values of the first version: audit, but for the namespace that enforces by its label. */
  const first = () => ({
    mode: 'audit',
    replicas: 2,
    minReadySeconds: 1,
    listen: { webhook: 9443 },
    kubernetes: { events: false, warmUp: '0s' },
    config: { keys: keysOf('old'), limits: { drain: '2s' } },
    scan: { enabled: true, schedule: '0 0 1 1 *' },
  });
  /** Values of the second version beside them. */
  const second = () => ({
    mode: 'enforce',
    pin: 'always',
    replicas: 3,
    listen: { webhook: 8443 },
    kubernetes: { events: true, warmUp: '5s' },
    config: {
      keys: keysOf('old', 'next'),
      mirrors: [{ mirror: `${cluster.registry.host}/mirror`, of: 'docker.io/istio' }],
      undetermined: { enforce: 'deny' },
    },
    networkPolicy: { enabled: true },
    modes: { allowWeakerLabels: true, guard: { enabled: true } },
    metrics: { dashboard: { enabled: true } },
  });
  const change = async (command: string, chart: string, values: object): Promise<string> => {
    const flags = `--namespace ${NAMESPACE} --reset-then-reuse-values --wait --timeout 120s --values`;
    const file = await cluster.writeValues(values);
    return cluster.helm(command, 'sailmark', chart, ...flags.split(' '), file);
  };

  const webhooks = () =>
    cluster.kubelet
      .pods()
      .filter(({ pod }) => pod.metadata.labels?.['app.kubernetes.io/component'] === 'webhook');
  /** Waits until the given number of replicas of a version is ready, and no other is left. */
  const untilVersion = (version: string, count: number): Promise<unknown> =>
    until(
      `${count} replicas of ${version}`,
      async () => {
        const lives = webhooks();
        return (
          lives.length === count &&
          lives.every(({ pod, ready }) => ready && pod.spec.containers[0]?.image?.endsWith(`:${version}`))
        );
      },
      { seconds: 90 },
    );
  const dataOf = async (path: string): Promise<Data> =>
    (await cluster.api.get<{ readonly data?: Data }>(path)).data ?? {};
  const evidence = async (): Promise<Data> => Object.assign({}, ...(await Promise.all(EVIDENCE.map(dataOf))));
  const bundle = async (): Promise<readonly string[]> =>
    (await trustedBy(cluster)).map(({ fingerprint256 }) => fingerprint256);
  const lostNow = async () => {
    const { created } = load.total();
    await until('more pods', async () => load.total().created >= created + PER_SECOND);
    const { failed, wrong } = load.take();
    return { failed, wrong };
  };
  const scanned = async (): Promise<readonly number[]> => {
    const samples = await Promise.all(webhooks().map(metricsOf));
    return samples
      .flatMap((one) =>
        one.filter(({ name, labels }) => name === 'sailmark_scan_pods' && labels['status'] === 'refused'),
      )
      .map(({ value }) => value);
  };
  const runScan = async (name: string): Promise<void> => {
    const made = await cluster.kubectl(
      'create',
      'job',
      name,
      '-n',
      NAMESPACE,
      '--from=cronjob/sailmark-scan',
    );
    expect(made).toMatchObject({ code: 0 });
    await until(`the scan ${name} ends`, async () => {
      const path = `/apis/batch/v1/namespaces/${NAMESPACE}/jobs/${name}`;
      const { status } = await cluster.api.get<{ readonly status: { readonly succeeded?: number } }>(path);
      return status.succeeded === 1;
    });
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sailmark-upgrade-'));
    const program = new URL('../../../dist', import.meta.url).pathname;
    const [firstImage, secondImage] = [
      bundleImage(program),
      bundleImage(await buildVersion(SECOND, directory)),
    ];
    cluster = await startCluster({
      image: (reference) => (reference.endsWith(`:${FIRST}`) ? firstImage : secondImage),
    });
    charts = {
      first: await packageVersion(cluster, FIRST, directory),
      second: await packageVersion(cluster, SECOND, directory),
      third: await packageVersion(cluster, THIRD, directory, [
        { value: 'minReadySeconds', since: THIRD, instead: 'leave it out.' },
      ]),
    };
    const crd = parseYaml(await readFile(join(openReportsCrds(), 'openreports.io_reports.yaml'), 'utf8'));
    await cluster.api.create(crd as KubernetesObject);
    await cluster.createNamespace('shop', { 'sailmark.dev/mode': 'enforce' });
    for (const namespace of ['istio-system', 'other']) await cluster.createNamespace(namespace);
    const clients = await createClients(cluster, ['one', 'two', 'three'], NAMESPACES);
    traffic = createTraffic(cluster, signers, expected);
    before = await takeSettledInventory(cluster.api, EVENTS);
    await helm(cluster, 'install', charts.first, first(), '--wait', '--timeout', '120s');
    await untilVersion(FIRST, 2);
    const outcomes = new Map<string, () => Expected>([
      ['critical, unsigned', () => critical],
      ['unsigned, by tag', () => unsigned],
      ['unsigned, by digest', () => unsigned],
    ]);
    const unlabelled: Workload = {
      name: 'signed, by tag, where the mode is the release’s',
      namespace: 'other',
      entry: 'enforce',
      image: () => 'docker.io/istio/proxyv2:1.24.0',
      expected: () => 'created',
    };
    const workloads = [...traffic.workloads, unlabelled].map(
      (one): Workload => ({ ...one, expected: outcomes.get(one.name) ?? one.expected }),
    );
    await until('shop enforces', async () =>
      (await tryPod(cluster, 'shop', 'probe', UNSIGNED)).includes(OUR_REFUSAL),
    );
    lost = await callsLost(cluster);
    load = startLoad(clients, workloads, PER_SECOND);
    await lostNow();
  });
  afterAll(async () => {
    await load?.stop();
    await cluster?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('is upgraded with other values, needs no custom resource, and loses no call', async () => {
    await runScan('before');
    const [counted] = await until('the counts are metrics of both', async () => {
      const counts = await scanned();
      return counts.length === 2 && counts;
    });
    const [rows, trusted] = [await evidence(), await bundle()];
    expect(Object.keys(rows).length).toBeGreaterThan(3);
    [critical, expected.byNewKey] = ['either', 'either'];
    await change('upgrade', charts.second, second());
    await untilVersion(SECOND, 3);
    [critical, expected.byNewKey] = ['refused', 'created'];
    expect(await lostNow()).toEqual(NOTHING_LOST);
    expect(await tryPod(cluster, 'other', 'probe', UNSIGNED)).toContain(OUR_REFUSAL);
    // The other version reads what the version before stored, and keeps it.
    expect(await evidence()).toMatchObject(
      Object.fromEntries(Object.keys(rows).map((key) => [key, expect.any(String)])),
    );
    expect(await bundle()).toEqual(trusted);
    expect(await scanned()).toEqual([counted, counted, counted]);
    const values = await cluster.helm('get', 'values', 'sailmark', '-n', NAMESPACE, '--output', 'json');
    expect(JSON.parse(values)).toMatchObject({ minReadySeconds: 1, config: { limits: { drain: '2s' } } });
    const crds = await takeInventory(cluster.api);
    expect(crds.filter((one) => one.includes('customresourcedefinitions'))).toEqual(
      before.filter((one) => one.includes('customresourcedefinitions')),
    );
    expect(webhooks().map(({ restarts }) => restarts)).toEqual([0, 0, 0]);
  });

  it('is refused by a chart without one of its values, by name, and goes on', async () => {
    await expect(change('upgrade', charts.third, {})).rejects.toThrow(
      `minReadySeconds is gone since ${THIRD}: leave it out.`,
    );
    await expect(change('upgrade', charts.second, { neverThere: 1 })).rejects.toThrow(
      "additional properties 'neverThere' not allowed",
    );
    const status = await cluster.helm('status', 'sailmark', '-n', NAMESPACE, '--output', 'json');
    expect(JSON.parse(status)).toMatchObject({ version: 2, info: { status: 'deployed' } });
    expect(await lostNow()).toEqual(NOTHING_LOST);
  });

  it('is rolled back over what a version stored that it does not know, and loses no call', async () => {
    const later = (text: string): string => JSON.stringify({ ...(JSON.parse(text) as object), format: 99 });
    for (const path of EVIDENCE) {
      const data = await dataOf(path);
      const rows = Object.entries(data).map(([key, text]) => [key, later(text)]);
      await cluster.api.patch(path, { data: { ...Object.fromEntries(rows), 'of.another.kind': 'later' } });
    }
    await cluster.api.patch(SCAN, { data: { 'counts.json': '{"schema":"sailmark.dev/scan-counts/v99"}' } });
    await cluster.api.patch(SECRET, { data: { format: Buffer.from('99').toString('base64') } });
    const trusted = await bundle();

    [critical, expected.byNewKey] = ['either', 'either'];
    await cluster.helm('rollback', 'sailmark', '1', '-n', NAMESPACE, '--wait', '--timeout', '120s');
    await untilVersion(FIRST, 2);
    await until(
      'istio-system is audited',
      async () =>
        (await tryPod(cluster, 'istio-system', 'probe', 'docker.io/istio/ztunnel:1.24.6')) === 'starts',
    );
    [critical, expected.byNewKey] = ['created', 'refused'];
    // Helm changes the mutating webhook first: where the mode is lowered, pods are for a moment no longer pinned, and still
    // have to be.
    const { failed, wrong } = await lostNow();
    const between = wrong.filter(
      ({ namespace, said }) => namespace === 'other' && said.includes('(image-not-pinned)'),
    );
    expect({ failed, wrong: wrong.filter((call) => !between.includes(call)) }).toEqual(NOTHING_LOST);
    const times = between.map(({ sentAt }) => sentAt);
    expect(Math.max(...times) - Math.min(...times)).toBeLessThan(2000);
    expect(await callsLost(cluster)).toEqual(lost);
    expect(webhooks().map(({ restarts }) => restarts)).toEqual([0, 0]);
    // The counts are absent, not wrong. The certificates are the same, and what was beside them stays.
    expect(await scanned()).toEqual([]);
    expect(await bundle()).toEqual(trusted);
    expect(Buffer.from((await dataOf(SECRET))['format'] ?? '', 'base64').toString()).toBe('99');
    await until('evidence is written again in the format of this version', async () => {
      const rows = Object.entries(await evidence()).filter(([key]) => key !== 'of.another.kind');
      return rows.some(([, text]) => !text.includes('"format":99'));
    });
  });

  it('is uninstalled after all that it can have, blocks nothing, and leaves no object of any kind', async () => {
    const pod = { name: 'audited', namespace: 'other' };
    const containers = [{ name: 'istio-proxy', image: UNSIGNED }];
    await cluster.api.create({ apiVersion: 'v1', kind: 'Pod', metadata: pod, spec: { containers } });
    [critical, expected.byNewKey] = ['either', 'either'];
    await change('upgrade', charts.second, second());
    await untilVersion(SECOND, 3);
    [critical, expected.byNewKey] = ['refused', 'created'];
    expect(await lostNow()).toEqual(NOTHING_LOST);
    await runScan('after');
    const kinds = new Set(
      (await takeInventory(cluster.api, EVENTS))
        .filter((one) => !before.includes(one))
        .map((one) => one.replace(/ .*/, '').replace(/.*\//, '')),
    );
    console.log(`kinds of what a release has: ${[...kinds].toSorted().join(', ')}`);
    for (const kind of [
      'cronjobs',
      'jobs',
      'reports',
      'secrets',
      'validatingadmissionpolicies',
      'networkpolicies',
    ])
      expect(kinds).toContain(kind);

    [critical, unsigned] = ['either', 'either'];
    await uninstall(cluster);
    for (const namespace of ['shop', 'istio-system', 'other', 'kube-system'])
      expect(await tryPod(cluster, namespace, 'probe', UNSIGNED)).toBe('starts');
    await load.stop();
    expect(load.take()).toMatchObject(NOTHING_LOST);
    expect(await callsLost(cluster)).toEqual(lost);

    const [reports = []] = commandsBelow('charts/sailmark/README.md', 'Upgrade, roll back, remove').slice(-1);
    expect(await cluster.kubectl(...reports.slice(1))).toMatchObject({ code: 0 });
    for (const namespace of NAMESPACES)
      await cluster.api.send('DELETE', `/api/v1/namespaces/${namespace}/pods`, {
        body: { gracePeriodSeconds: 0 },
      });
    await until('nothing is left', async () => {
      expect(await takeInventory(cluster.api, EVENTS)).toEqual(before);
      return true;
    });
    const { created, refused, span } = load.total();
    console.log(
      `${created} pods were created and ${refused} refused in ${Math.round(span / 1000)} s of two upgrades and a rollback; no call failed`,
    );
  });
});
