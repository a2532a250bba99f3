import { sample } from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Mode } from '../../src/policy/index.ts';
import type { ScanResult } from '../../src/scan/index.ts';
import { container, pod } from '../support/builders.ts';
import { startMirror } from '../support/mirror.ts';
import { denialsOf, podsOf, startWebhookOf, startWorld, type TestNamespace } from './admission-world.ts';
import { startScanKit } from './scan-kit.ts';

/** The pods that a result says would be denied, by the owner that each pod is itself. */
const deniedPods = ({ owners }: ScanResult): readonly string[] =>
  owners
    .flatMap(({ namespace, refusedPods }) => refusedPods.map((name) => `${namespace}/${name}`))
    .toSorted();

describe('a scan of a cluster', () => {
  it.each(['enforce', 'warn', 'audit'] as const)(
    'in mode %s says that the pods would be denied which the webhook denies',
    async (mode: Mode) => {
      const world = await startWorld();
      const webhook = await startWebhookOf(world);
      const kit = await startScanKit(world);
      const label = (name: string, value: Mode): void =>
        kit.cluster.put(`/api/v1/namespaces/${name}`, {
          metadata: { labels: { 'sailmark.dev/mode': value } },
        });
      label('strict', 'enforce');
      label('lax', 'audit');
      const namespaceOf = (name: string): TestNamespace => {
        const critical = name === 'istio-system';
        const own = name === 'strict' ? 'enforce' : mode;
        return { mode: own, critical, excluded: false, pinned: own === 'enforce' };
      };
      const seed = Date.now();
      const names = ['shop', 'lax', 'strict', 'istio-system'];
      const [pods = []] = sample(podsOf(world.images, names), { numRuns: 1, seed });
      kit.putPods(pods);
      const result = await kit.scan({ mode });
      const expected = await denialsOf(webhook, pods, namespaceOf);
      expect(deniedPods(result), `seed ${seed}`).toEqual([...expected.keys()].toSorted());
      expect(expected.size).toBeGreaterThan(5);
      expect(result.summary.denied).toBe(expected.size);
    },
  );

  it('without a configuration says what the chart would deny, which pins by default', async () => {
    // With a digest required, each tag that is not pinned is denied: the answers of the two pins are far apart.
    const world = await startWorld({ requireDigest: true, pin: 'enforce' });
    const webhook = await startWebhookOf(world);
    const kit = await startScanKit({ configuration: { ...world.configuration, pin: 'never' } });
    const seed = Date.now();
    const [pods = []] = sample(podsOf(world.images, ['shop', 'istio-system']), { numRuns: 1, seed });
    const tagged = world.mirror.add({ tag: '1.28.3' }).byTag;
    const all = [...pods, pod({ containers: [container(tagged)] }, { name: 'tagged', namespace: 'shop' })];
    kit.putPods(all);
    const namespaceOf = (name: string): TestNamespace => ({
      mode: 'enforce',
      critical: name === 'istio-system',
      excluded: false,
      pinned: true,
    });
    const expected = await denialsOf(webhook, all, namespaceOf);
    expect([...expected.keys()]).not.toContain('shop/tagged');
    const result = await kit.scan({ pin: undefined });
    expect(deniedPods(result), `seed ${seed}`).toEqual([...expected.keys()].toSorted());
    expect(result.policy.pin).toBe('enforce');
    expect(deniedPods(await kit.scan())).toContain('shop/tagged');
  });

  it('names a pod that the webhook would refuse without reading it, and what to do about it', async () => {
    const mirror = await startMirror();
    onTestFinished(() => mirror.registry.close());
    const { byTag } = mirror.add({ tag: '1.28.1' });
    const kit = await startScanKit({ configuration: mirror.configuration });
    const containers = Array.from({ length: 10_001 }, (_, at) =>
      container(byTag, `istio-proxy-number-${at}`),
    );
    kit.putPods([pod({ containers }, { name: 'huge', namespace: 'shop' })]);
    const { summary, images, owners, remedies } = await kit.scan();
    expect(summary).toMatchObject({ denied: 1, pods: { refused: 1 }, images: { verified: 1, refused: 0 } });
    expect(images).toMatchObject([{ status: 'verified', pods: 1 }]);
    expect(owners).toMatchObject([
      { status: 'refused', refusedPods: ['huge'], findings: [{ code: 'too-many-images', effect: 'deny' }] },
    ]);
    expect(owners[0]?.message).toContain('holds more than 10000 image uses');
    expect(remedies).toMatchObject([{ kind: 'other', pods: 1, owners: ['shop Pod/huge'] }]);
    expect(remedies[0]?.title).toBe(
      'Use a smaller object, or raise limits.imageUsesPerReview (too-many-images)',
    );
  });
});
