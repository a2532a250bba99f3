import { describe, expect, it, onTestFinished } from 'vitest';
import { startMirror } from '../support/mirror.ts';
import { startScanKit } from './scan-kit.ts';

/* A scan of clusters whose objects lack what others have, or hold nulls. */

const startKit = async () => {
  const mirror = await startMirror();
  onTestFinished(() => mirror.registry.close());
  const { byTag } = mirror.add({ by: false });
  return { image: byTag, kit: await startScanKit(mirror) };
};

const PODS = '/api/v1/namespaces/shop/pods';

describe('a pod that names many images', () => {
  it('keeps no version of Istio out of the list, and does not cut the result short', async () => {
    const { image, kit } = await startKit();
    const fill = Array.from({ length: 300 }, (_, index) => ({
      name: `c${index}`,
      image: `registry.example/x${index}/proxyv2:${index + 2}.1.0`,
    }));
    const containers = [...fill, { name: 'istio-proxy', image }];
    kit.cluster.put(`${PODS}/pod`, { spec: { containers } });
    const { versions, owners, coverage } = await kit.scan();
    expect(versions.map(({ version }) => version)).toContain('1.28');
    expect(owners[0]?.findings).toHaveLength(64);
    // A cut result removes no report.
    expect(coverage.cut).toEqual([]);
  });
});

describe('objects that lack what others have', () => {
  it('are each judged, or counted as not judged: the numbers add up', async () => {
    const { image, kit } = await startKit();
    const containers = [{ name: 'istio-proxy', image }];
    const pods: readonly object[] = [
      { spec: { containers } },
      { spec: { containers }, status: null },
      { spec: { containers }, metadata: { uid: null, ownerReferences: null, labels: null } },
      { spec: { containers, initContainers: null, volumes: null, ephemeralContainers: null } },
      { spec: { containers }, status: { phase: null, containerStatuses: [null] } },
      { spec: { containers }, metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } },
      { spec: { containers }, metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } },
      { spec: { containers: [], ephemeralContainers: containers } },
      { spec: { containers: [], volumes: [{ name: 'v', image: { reference: image } }] } },
      { spec: null },
      {},
      { spec: { containers: [null] } },
    ];
    for (const [index, one] of pods.entries()) kit.cluster.put(`${PODS}/pod-${index}`, one as never);
    const { summary, coverage, owners, images } = await kit.scan();
    const { all, other, ...byStatus } = summary.pods;
    expect(all).toBe(12);
    expect(Object.values(byStatus).reduce((a, b) => a + b, other)).toBe(all);
    expect(byStatus.refused).toBe(9);
    expect(byStatus.unknown).toBe(3);
    expect(owners).toHaveLength(9);
    expect(images).toMatchObject([{ pods: 9 }]);
    expect(coverage.cut).toEqual([
      "Objects of another shape than Kubernetes' own, which were not judged: 3.",
    ]);
  });
});
