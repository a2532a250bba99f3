import { describe, expect, it, vi } from 'vitest';
import { createRecordBatch, type RecordReview } from '../../src/observability/index.ts';
import { reviewRecord } from '../support/builders.ts';

const record = (uid: string) => reviewRecord({ uid });

const createTestBatch = (refused: readonly string[] = []) => {
  const kept: [string, number][] = [];
  const errors: object[] = [];
  const keep: RecordReview = ({ uid }, milliseconds) => {
    if (refused.includes(uid)) throw new Error(`no ${uid}`);
    kept.push([uid, milliseconds]);
  };
  const batch = createRecordBatch(keep, { error: (facts) => void errors.push(facts) });
  return { batch, kept, errors };
};

describe('records that are kept together', () => {
  it('are kept beside one that cannot be, which is logged, and nobody is thrown at', () => {
    const { batch, kept, errors } = createTestBatch(['two']);
    for (const uid of ['one', 'two', 'three']) batch.add(record(uid), 1);
    batch.flush();
    expect(kept.map(([uid]) => uid)).toEqual(['one', 'three']);
    expect(errors).toMatchObject([{ uid: 'two', err: { message: 'no two' } }]);
  });

  it('wait for others, as they came, each with its time, and none is kept twice', () => {
    const { batch, kept } = createTestBatch();
    batch.add(record('one'), 1);
    batch.add(record('two'), 2);
    expect(kept).toEqual([]);
    batch.flush();
    batch.flush();
    expect(kept).toEqual([
      ['one', 1],
      ['two', 2],
    ]);
  });

  it('wait a moment alone', async () => {
    const { batch, kept } = createTestBatch();
    batch.add(record('one'), 1);
    await vi.waitFor(() => expect(kept).toEqual([['one', 1]]));
    batch.add(record('two'), 2);
    await vi.waitFor(() => expect(kept).toHaveLength(2));
  });

  it('are never more than a few', () => {
    const { batch, kept } = createTestBatch();
    for (let count = 1; count <= 32; count += 1) {
      expect(kept).toEqual([]);
      batch.add(record(String(count)), count);
    }
    expect(kept).toHaveLength(32);
  });
});
