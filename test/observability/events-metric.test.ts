import { expect, it } from 'vitest';
import { createMetrics } from '../../src/observability/index.ts';

it('the metrics count what became of Events', async () => {
  const metrics = createMetrics({ version: '0', commit: 'none', node: 'none' });
  for (const result of ['written', 'written', 'dropped', 'failed'] as const) metrics.countEvent(result);
  const { text } = await metrics.render();
  expect(text.split('\n').filter((line) => line.startsWith('sailmark_events_total'))).toEqual([
    'sailmark_events_total{result="written"} 2',
    'sailmark_events_total{result="dropped"} 1',
    'sailmark_events_total{result="failed"} 1',
  ]);
});
