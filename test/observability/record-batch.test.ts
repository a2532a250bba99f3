import { describe, expect, it, vi } from 'vitest';
import { createRecordBatch, type RecordReview } from '../../src/observability/index.ts';
import { reviewRecord } from '../support/builders.ts';

const record = (uid: string) => reviewRecord({ uid });

const createTestBatch = (refused: readonly string[] = []) => {
  const recorded: [string, number][] = [];
  const errors: object[] = [];
  const keep: RecordReview = ({ uid }, milliseconds) => {
    if (refused.includes(uid)) throw new Error(`no ${uid}`);
    recorded.push([uid, milliseconds]);
  };
  const batch = createRecordBatch(keep, { error: (facts) => void errors.push(facts) });
  return { batch, recorded, errors };
};

describe('records that are recorded together', () => {
  it('are kept beside one that cannot be, which is logged, and nobody is thrown at', () => {
    const { batch, recorded, errors } = createTestBatch(['two']);
    for (const uid of ['one', 'two', 'three']) batch.add(record(uid), 1);
    batch.flush();
    expect(recorded.map(([uid]) => uid)).toEqual(['one', 'three']);
    expect(errors).toMatchObject([{ uid: 'two', err: { message: 'no two' } }]);
  });

  it('wait for others, as they came, each with its time, and none is kept twice', () => {
    const { batch, recorded } = createTestBatch();
    batch.add(record('one'), 1);
    batch.add(record('two'), 2);
    expect(recorded).toEqual([]);
    batch.flush();
    batch.flush();
    expect(recorded).toEqual([
      ['one', 1],
      ['two', 2],
    ]);
  });

  it('wait a moment alone', async () => {
    const { batch, recorded } = createTestBatch();
    batch.add(record('one'), 1);
    await vi.waitFor(() => expect(recorded).toEqual([['one', 1]]));
    batch.add(record('two'), 2);
    await vi.waitFor(() => expect(recorded).toHaveLength(2));
  });

  it('are never more than a few', () => {
    const { batch, recorded } = createTestBatch();
    for (let count = 1; count <= 32; count += 1) {
      expect(recorded).toEqual([]);
      batch.add(record(String(count)), count);
    }
    expect(recorded).toHaveLength(32);
  });
});
