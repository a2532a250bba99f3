import { loadAll } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ScanResult } from '../../../src/scan/index.ts';
import { startScanKit } from '../../scan/scan-kit.ts';
import { type Mirror, startMirror } from '../../support/mirror.ts';
import { type Istio, renderIstio } from '../control-plane/istiod.ts';

/*
 * `istioctl manifest generate` in a cluster that sailmark scans before any pod was injected: what Istio's own charts and
 * templates would inject, of every revision and profile.
 */

const [SIGNED, UNSIGNED] = ['1.28.0', '1.28.1'];
const FOREIGN = 'registry.stranger.example/istio';

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** The kinds that decide what is injected and installed, by the path of their objects. */
const PATHS: Readonly<Record<string, (namespace: string, name: string) => string>> = {
  MutatingWebhookConfiguration: (_, name) =>
    `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${name}`,
  ConfigMap: (namespace, name) => `/api/v1/namespaces/${namespace}/configmaps/${name}`,
  DaemonSet: (namespace, name) => `/apis/apps/v1/namespaces/${namespace}/daemonsets/${name}`,
};

describe('what istioctl renders, in a cluster that is scanned', () => {
  let mirror: Mirror;
  let hub: string;
  beforeAll(async () => {
    mirror = await startMirror();
    hub = `${mirror.registry.host}/istio`;
    for (const suffix of ['', '-distroless'])
      for (const component of ['pilot', 'proxyv2', 'install-cni', 'ztunnel']) {
        mirror.add({ component, tag: `${SIGNED}${suffix}` });
        mirror.add({ component, tag: `${UNSIGNED}${suffix}`, by: false });
      }
  });
  afterAll(() => mirror?.registry.close());

  /** Scans a cluster that holds installations and namespaces, and returns what is configured. */
  const scan = async (
    installations: readonly Istio[],
    namespaces: Readonly<Record<string, Readonly<Record<string, string>>>>,
  ): Promise<ScanResult> => {
    const { cluster, scan: run } = await startScanKit(mirror);
    for (const [name, labels] of Object.entries(namespaces))
      cluster.put(`/api/v1/namespaces/${name}`, { metadata: { name, labels } });
    for (const istio of installations)
      for (const document of loadAll(await renderIstio(istio)) as readonly (Manifest | null)[]) {
        const { name = '', namespace = '' } = document?.metadata ?? {};
        const path = PATHS[document?.kind ?? '']?.(namespace, name);
        if (path !== undefined) cluster.put(path, { ...document });
      }
    return run();
  };
  const rowsOf = ({ preflight }: ScanResult) =>
    preflight.map(({ source, reference, status, namespaces }) => [source, reference, status, namespaces]);

  const SOURCE = 'ConfigMap istio-system/istio-sidecar-injector';
  const shop = { shop: { 'istio-injection': 'enabled' }, quiet: {} };

  it('is found out where its hub was changed to somebody else’s', async () => {
    const result = await scan([{ hub: FOREIGN, tag: SIGNED }], shop);
    expect(rowsOf(result)).toEqual([[SOURCE, `${FOREIGN}/proxyv2:${SIGNED}`, 'refused', ['shop']]]);
    expect(result.preflight[0]?.reason).toBe('image-look-alike');
    expect(result.summary.preflightRefused).toBe(1);
  });

  it('is found out where its tag was changed to an unsigned one, by the revision that has it', async () => {
    const result = await scan(
      [
        { hub, tag: SIGNED },
        { hub, tag: UNSIGNED, revision: '1-29' },
      ],
      { ...shop, next: { 'istio.io/rev': '1-29' }, stale: { 'istio.io/rev': '1-27' } },
    );
    expect(rowsOf(result)).toEqual([
      [`${SOURCE}-1-29`, `${hub}/proxyv2:${UNSIGNED}`, 'refused', ['next']],
      ['Namespace labels', '', 'unknown', ['stale']],
      [SOURCE, `${hub}/proxyv2:${SIGNED}`, 'verified', ['shop']],
    ]);
  });

  it('is found out where only the type of the proxy is another', async () => {
    const set = ['meshConfig.defaultConfig.image.imageType=debug'];
    const result = await scan([{ hub, tag: SIGNED, set }], shop);
    expect(rowsOf(result)).toEqual([[SOURCE, `${hub}/proxyv2:${SIGNED}-debug`, 'refused', ['shop']]]);
    expect(result.preflight[0]?.reason).toBe('image-not-found');
  });

  it('is verified where everything is, on every node too', async () => {
    const ambient = { ambient: { 'istio.io/dataplane-mode': 'ambient' } };
    const result = await scan([{ hub, tag: SIGNED, profile: 'ambient' }], ambient);
    expect(rowsOf(result)).toEqual([
      [SOURCE, `${hub}/proxyv2:${SIGNED}-distroless`, 'verified', []],
      [
        'DaemonSet istio-system/istio-cni-node',
        `${hub}/install-cni:${SIGNED}-distroless`,
        'verified',
        ['istio-system'],
      ],
      ['DaemonSet istio-system/ztunnel', `${hub}/ztunnel:${SIGNED}-distroless`, 'verified', ['istio-system']],
    ]);
    expect(result.summary).toMatchObject({ preflightRefused: 0, preflightUnknown: 0 });
  });
});
