import { sample } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Mode } from '../../src/policy/index.ts';
import type { ScanResult } from '../../src/scan/index.ts';
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
});
