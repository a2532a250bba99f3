/* oxlint-disable vitest/no-conditional-tests, vitest/expect-expect -- Istio's pods lie beside the repository, or the test says that it did not run */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ScanResult } from '../../../src/scan/index.ts';
import { imageIndex, push } from '../../support/signing-kit.ts';
import { ISTIO_NAMESPACE, startIstiod } from '../control-plane/istiod.ts';
import { until } from '../control-plane/until.ts';
import { runProgram } from '../tools.ts';
import { type Cluster, NAMESPACE, startCluster } from './cluster.ts';
import {
  createPods,
  digestsOf,
  hasIstioPods,
  inParallel,
  proxyDeployment,
  proxyPod,
  readIstioPods,
  reportRunning,
} from './scan-fixture.ts';

/*
 * `sailmark scan` against a control plane that holds thousands of pods: it names each fault that is planted among them, and
 * nothing else, within its bounds.
 */

const PODS = 2_000;
const TEAMS = Array.from({ length: 44 }, (_, index) => `team-${index}`);
/** Pods whose status says what runs. */
const REPORTED = 90;

const SIGNED = '1.30.0';
const OLD = '1.20.0';
const UNSIGNED = '1.31.0';
const EXEMPT = '1.27.0';
const HUB = 'docker.io/istio';

const MAX_MEMORY_KIB = 200 * 1024;
const MAX_REQUESTS_A_DIGEST = 7;
const PAGE = 500;

/** Prints the peak of the process's memory as it ends. */
const MEASURE = `data:text/javascript,process.on('exit',()=>process.stderr.write('peak '+process.resourceUsage().maxRSS+'\\n'))`;

interface Measured {
  readonly result: ScanResult;
  readonly code: number;
  readonly seconds: number;
  readonly peakKib: number;
  readonly registryRequests: number;
}

const scan = async (cluster: Cluster, config: string, ...flags: readonly string[]): Promise<Measured> => {
  cluster.registry.clearRequests();
  const began = performance.now();
  const argv = ['--import', MEASURE, 'dist/main.js', 'scan', '--kubeconfig', cluster.kubeconfig];
  const { code, stdout, stderr } = await runProgram(process.execPath, [
    ...argv,
    '--config',
    config,
    '--output',
    'json',
    ...flags,
  ]);
  if (stdout === '') throw new Error(`scan ended with ${code}: ${stderr}`);
  return {
    result: JSON.parse(stdout) as ScanResult,
    code,
    seconds: (performance.now() - began) / 1_000,
    peakKib: Number(/peak (\d+)/.exec(stderr)?.[1]),
    registryRequests: cluster.registry.requests.length,
  };
};

const PLANTED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [ISTIO_NAMESPACE]: {},
  shop: { 'istio-injection': 'enabled' },
  canary: { 'istio.io/rev': 'canary' },
  stale: { 'istio.io/rev': 'gone' },
  mirrored: {},
  unsigned: {},
  copied: {},
  rogue: {},
  exempt: {},
  drift: {},
};

if (hasIstioPods())
  describe('a scan of thousands of pods', () => {
    const started = new AsyncDisposableStack();
    let cluster: Cluster;
    let mirror: string;
    let copies: string;
    let scanned: Measured;
    let config: string;
    beforeAll(async () => {
      cluster = await startCluster();
      started.defer(() => cluster.stop());
      mirror = `${cluster.registry.host}/istio`;
      copies = `${cluster.registry.host}/copies`;
      config = await cluster.writeConfiguration({
        // As the chart writes it, whose webhook is installed here.
        pin: 'enforce',
        mirrors: [{ mirror, of: HUB }],
        exemptions: [
          {
            images: [`${HUB}/proxyv2:${EXEMPT}`],
            namespaces: ['exempt'],
            reason: 'migrating',
            owner: 'team-a',
            expires: '2099-01-01',
          },
        ],
      });
      for (const name of ['pilot', 'proxyv2']) {
        cluster.publish(name, SIGNED);
        cluster.publish(name, OLD);
        cluster.publish(name, UNSIGNED, { signed: false });
        cluster.publish(name, EXEMPT, { signed: false });
      }
      push(cluster.registry, 'copies/proxyv2', imageIndex(`proxyv2 ${SIGNED}`), SIGNED);
      for (const [name, labels] of Object.entries(PLANTED)) await cluster.createNamespace(name, labels);
      await inParallel(TEAMS, (name) => cluster.createNamespace(name));
      started.use(await startIstiod(cluster, { hub: mirror, tag: SIGNED }));
      started.use(await startIstiod(cluster, { hub: HUB, tag: UNSIGNED, revision: 'canary' }));
      await inParallel([...TEAMS, ...Object.keys(PLANTED)], (name) =>
        until(`the service account of ${name}`, () =>
          cluster.api.find(`/api/v1/namespaces/${name}/serviceaccounts/default`),
        ),
      );
      await plant();
      await fill();
      await cluster.install({ mode: 'audit' });
      scanned = await scan(cluster, config);
    }, 400_000);
    afterAll(() => started.disposeAsync());

    const plant = async (): Promise<void> => {
      for (const object of [
        proxyDeployment('unsigned', 'payments', `${HUB}/proxyv2:${UNSIGNED}`, 3),
        proxyDeployment('copied', 'orders', `${copies}/proxyv2:${SIGNED}`, 2),
        proxyDeployment('exempt', 'legacy', `${HUB}/proxyv2:${EXEMPT}`, 2),
        proxyDeployment('mirrored', 'cart', `${mirror}/proxyv2:${SIGNED}`, 2),
        proxyPod('rogue', 'impostor', `evil.example/proxyv2:${SIGNED}`),
        proxyPod('stale', 'old', `${HUB}/proxyv2:${OLD}`),
        proxyPod('drift', 'moved', `${HUB}/proxyv2:${SIGNED}`),
        proxyPod('drift', 'moved-crio', `${HUB}/proxyv2:${SIGNED}`),
        proxyPod('drift', 'moved-docker', `${HUB}/proxyv2:${SIGNED}`),
        proxyPod('drift', 'odd', `${HUB}/proxyv2:${SIGNED}`),
      ])
        await cluster.api.create(object);
      for (const namespace of ['shop', 'canary'])
        await until(`pods of ${namespace} are injected`, async () => {
          const object = proxyPod(namespace, 'app', 'registry.example/shop:1');
          const pod = {
            ...object,
            spec: { containers: [{ name: 'app', image: 'registry.example/shop:1' }] },
          };
          const { status, body } = await cluster.api.tryCreate(pod, '?dryRun=All');
          if (status !== 201 || !JSON.stringify(body).includes('istio-init')) return false;
          return cluster.api.create(pod);
        });
      const other = digestsOf('proxyv2', OLD);
      await reportRunning(cluster, 'drift', 'moved', () => `${HUB}/proxyv2@${other.index}`);
      await reportRunning(cluster, 'drift', 'moved-crio', () => `${HUB}/proxyv2@${other.child}`);
      await reportRunning(
        cluster,
        'drift',
        'moved-docker',
        () => `docker-pullable://istio/proxyv2@${other.index}`,
      );
      await reportRunning(cluster, 'drift', 'odd', () => 'nerdctl+img://7');
    };

    /** Creates the pods, and reports for some of them what runs, in the forms of each runtime: nothing has drifted. */
    const fill = async (): Promise<void> => {
      const pods = readIstioPods(`${HUB}/proxyv2:${SIGNED}`);
      const accepted = await createPods(cluster, pods, TEAMS, PODS);
      expect(accepted).toBeGreaterThan(100);
      const { index, child, config: configuration } = digestsOf('proxyv2', SIGNED);
      const forms = [
        `${HUB}/proxyv2@${index}`,
        `docker-pullable://istio/proxyv2@${index}`,
        `${HUB}/proxyv2@${child}`,
        configuration.replace('sha256:', ''),
        `docker://${configuration}`,
      ];
      await inParallel(
        Array.from({ length: REPORTED }, (_, number) => number),
        (number) =>
          reportRunning(cluster, TEAMS[number % TEAMS.length] ?? '', `pod-${number}`, ({ image }) =>
            image?.startsWith(HUB) === true
              ? (forms[number % forms.length] as string)
              : `registry.example/app@${digestsOf('app', '1').index}`,
          ),
      );
    };

    const refusedImages = () =>
      scanned.result.images
        .filter(({ status }) => status !== 'verified')
        .map(({ reference, status, reason }) => `${status} ${reference} ${reason}`)
        .toSorted();

    it('names every image that would be refused, and why, and no other', () => {
      expect(refusedImages()).toEqual(
        [
          `refused ${HUB}/proxyv2:${UNSIGNED} signature-missing`,
          `refused ${HUB}/pilot:${UNSIGNED} signature-missing`,
          `refused ${copies}/proxyv2:${SIGNED} image-look-alike`,
          `refused evil.example/proxyv2:${SIGNED} image-look-alike`,
          `exempt ${HUB}/proxyv2:${EXEMPT} signature-missing`,
        ].toSorted(),
      );
    });

    it('names every owner that would be refused, and no other', () => {
      const { owners, summary } = scanned.result;
      expect(
        owners
          .filter(({ status }) => status === 'refused')
          .map(
            ({ namespace, kind, name, pods, critical }) => `${namespace} ${kind}/${name} ${pods} ${critical}`,
          )
          .toSorted(),
      ).toEqual([
        'canary Pod/app 1 false',
        'copied Deployment/orders 2 false',
        'istio-system Deployment/istiod-canary 1 true',
        'rogue Pod/impostor 1 false',
        'unsigned Deployment/payments 3 false',
      ]);
      expect(owners.filter(({ status }) => status === 'exempt').map(({ name }) => name)).toEqual(['legacy']);
      expect(owners.filter(({ status }) => status === 'unknown')).toEqual([]);
      expect(summary.pods).toMatchObject({ refused: 8, exempt: 2, unknown: 0 });
      expect(summary.ownersRefused).toBe(5);
    });

    it('names every container that runs another digest, and whose digest is not known, and no other', () => {
      expect(
        scanned.result.drift
          .map(({ status, namespace, owner }) => `${status} ${namespace} ${owner}`)
          .toSorted(),
      ).toEqual([
        'drifted drift Pod/moved',
        'drifted drift Pod/moved-crio',
        'drifted drift Pod/moved-docker',
        'unknown drift Pod/odd',
      ]);
    });

    it('names what the injector of a revision will inject unsigned, and the label of a revision that is gone', () => {
      const { preflight } = scanned.result;
      const refused = preflight.filter(({ status }) => status === 'refused');
      expect(new Set(refused.map(({ source }) => source))).toEqual(
        new Set([`ConfigMap ${ISTIO_NAMESPACE}/istio-sidecar-injector-canary`]),
      );
      expect(new Set(refused.map(({ reference }) => reference))).toEqual(
        new Set([`${HUB}/proxyv2:${UNSIGNED}`]),
      );
      expect(preflight.filter(({ status }) => status === 'unknown')).toMatchObject([
        { source: 'Namespace labels', namespaces: ['stale'] },
      ]);
    });

    it('names the version that is out of support, where it runs', () => {
      const { versions, notices } = scanned.result;
      expect(versions.find(({ version }) => version === '1.20')).toMatchObject({ supported: false, pods: 1 });
      expect(
        notices.filter(({ kind }) => kind === 'version-unsupported').map(({ subject }) => subject),
      ).toEqual(expect.arrayContaining(['1.20']));
    });

    it('judges namespaces as the installed webhook chooses them, and has seen everything', () => {
      const { policy, coverage, complete, summary, cluster: place } = scanned.result;
      expect(policy).toMatchObject({ mode: 'enforce', webhook: 'sailmark', pin: 'enforce' });
      expect(policy.criticalNamespaces).toEqual([ISTIO_NAMESPACE, 'kube-system', NAMESPACE].toSorted());
      expect(coverage.notSeen).toEqual([]);
      expect(coverage.cut).toEqual([]);
      expect(complete).toBe(true);
      expect(place.version).toBe('v1.36.3');
      expect(summary.namespaces).toBeGreaterThanOrEqual(50);
      expect(summary.pods.all).toBeGreaterThanOrEqual(PODS);
    });

    it('stays within its bounds: memory, requests for each kind, and requests for each digest', () => {
      const { result, seconds, peakKib, registryRequests } = scanned;
      const digests = new Set(result.images.flatMap(({ digest, reference }) => digest ?? reference));
      console.log(
        `scan of ${result.summary.pods.all} pods: ${seconds.toFixed(1)} s, ${Math.round(peakKib / 1024)} MiB, ` +
          `${result.cost.apiRequests} API requests, ${registryRequests} registry requests for ${digests.size} digests`,
      );
      expect(peakKib).toBeLessThan(MAX_MEMORY_KIB);
      expect(registryRequests).toBeLessThanOrEqual(MAX_REQUESTS_A_DIGEST * digests.size);
      // Two ConfigMaps of each of the two revisions are read by name: listing would need a right to all of them.
      const listed = result.coverage.resources.filter(({ resource }) => resource !== 'configmaps');
      expect(result.coverage.resources).toContainEqual({ resource: 'configmaps', objects: 4, requests: 4 });
      for (const { resource, objects, requests } of listed)
        expect.soft([resource, requests <= Math.max(1, Math.ceil(objects / PAGE))]).toEqual([resource, true]);
    });
  });
else it('NOT RUN: shared/istio/pods.json is not beside this repository', (context) => context.skip());
