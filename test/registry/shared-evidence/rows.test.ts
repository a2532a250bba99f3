import { describe, expect, it } from 'vitest';
import { planChanges, type Row, type RowKind } from '../../../src/registry/shared-evidence/rows.ts';

/** Rows of text `repository used filler`. */
const parse = (key: string, text: string): Row | undefined => {
  const [, repository, used] = /^(\w+) (\d+) x*$/.exec(text) ?? [];
  return repository === undefined ? undefined : { key, text, repository, used: Number(used) };
};

const kind: RowKind<Row> = {
  parse,
  merge: (stored, ours) => (ours.used > stored.used ? ours : stored),
};

/** Texts have 92 bytes and keys 8, so that a row has 100. */
const textOf = (repository: string, used: number): string => `${repository} ${used} `.padEnd(92, 'x');
const rowsOf = (repository: string, count: number, used = 1): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `${repository}${index}`.padEnd(8, '-'),
      textOf(repository, used + index),
    ]),
  );
const parsed = (texts: Record<string, string>): readonly Row[] =>
  Object.entries(texts).flatMap(([key, text]) => parse(key, text) ?? []);

/** Applies the plan for rows to add. */
const plan = (data: Record<string, string>, added: Record<string, string>, maxBytes = 1600) => {
  const after = new Map<string, string | null>([
    ...Object.entries(data),
    ...Object.entries(planChanges({ data }, parsed(added), kind, maxBytes)),
  ]);
  return Object.fromEntries([...after].filter(([, text]) => text !== null));
};

describe('rows that are added to a shared object', () => {
  it('push out only rows of the repository that holds most', () => {
    const victim = rowsOf('v', 2);
    const flood = rowsOf('f', 100, 1000);
    const after = plan(victim, flood);
    expect(after).toMatchObject(victim);
    expect(Object.values(after).join('').length + 8 * Object.keys(after).length).toBeLessThanOrEqual(1600);
  });

  it('are kept although others fill the object, and their repository holds less', () => {
    const flood = rowsOf('f', 16, 1000);
    const added = rowsOf('n', 1);
    expect(plan(flood, added)).toMatchObject(added);
  });

  it('push out the least recently used first', () => {
    const rows = rowsOf('r', 16);
    const after = plan(rows, rowsOf('n', 1, 5));
    expect(Object.keys(rows).filter((key) => !(key in after))).toEqual(['r0------', 'r1------']);
  });

  it('replace what another replica wrote only where theirs counts more', () => {
    const key = 'r0------';
    const data = { [key]: textOf('r', 5) };
    expect(planChanges({ data }, parsed({ [key]: textOf('r', 4) }), kind, 1600)).toEqual({});
    expect(planChanges({ data }, parsed({ [key]: textOf('r', 6) }), kind, 1600)).toEqual({
      [key]: textOf('r', 6),
    });
  });

  it('leave what is malformed while there is room, and remove it first when there is none', () => {
    const malformed = { 'a-stray-key': '?'.repeat(500) };
    const rows = rowsOf('r', 8);
    expect(plan({ ...malformed, ...rows }, rowsOf('n', 1))).toMatchObject(malformed);
    expect(plan({ ...malformed, ...rows }, rowsOf('n', 4))).toEqual({ ...rows, ...rowsOf('n', 4) });
  });

  it('never make the object larger, whatever is in it', () => {
    const data = { huge: '?'.repeat(100_000) };
    expect(plan(data, rowsOf('n', 1))).toEqual(rowsOf('n', 1));
  });
});
