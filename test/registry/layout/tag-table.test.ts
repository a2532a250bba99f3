import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { digestOf } from '../../../src/image/index.ts';
import { createTagTable, UNKNOWN_TIME } from '../../../src/registry/index.ts';
import { temporaryDirectory } from '../../support/layout.ts';

const FILE = 'sailmark-tags.json';
const PILOT = 'docker.io/istio/pilot';
const digest = digestOf('pilot');
const ANSWER = { digest, at: 1_700_000_000_000 };
const SCHEMA = 'sailmark.dev/tags/v1';

const NOW = 1_800_000_000_000;

const open = async (directory: string, maxTags = 100, now: () => number = () => NOW) => {
  const reports: unknown[] = [];
  const table = createTagTable(directory, { maxTags, now, report: (error) => void reports.push(error) });
  await table.load();
  return { table, reports };
};

const tagsIn = (directory: string): readonly unknown[] =>
  (JSON.parse(readFileSync(join(directory, FILE), 'utf8')) as { tags: unknown[] }).tags;

const withFile = (content: string | object): string => {
  const directory = temporaryDirectory('tags');
  writeFileSync(join(directory, FILE), typeof content === 'string' ? content : JSON.stringify(content));
  return directory;
};
const entry = { reference: `${PILOT}:1.28.0`, digest, at: 1 };

afterEach(() => void vi.useRealTimers());

describe('a table that cannot be read', () => {
  it.each<[string, string | object]>([
    ['is empty', ''],
    ['is cut off', '{"schema":"sailmark.dev/tags/v1","tags":[{"refer'],
    ['is a list', []],
    ['is of a newer schema', { schema: 'sailmark.dev/tags/v2', tags: [entry] }],
    ['has no schema', { tags: [entry] }],
    ['has tags that are none', { schema: SCHEMA, tags: { 0: entry } }],
  ])('counts as empty and is reported where it %s', async (_, content) => {
    const { table, reports } = await open(withFile(content));
    expect(table.last(PILOT, '1.28.0')).toBeUndefined();
    expect(reports).toEqual([
      expect.objectContaining({ message: expect.stringContaining('is not a table of tags') }),
    ]);
  });

  it('is a directory: it is reported, and so is that nothing can be written', async () => {
    const directory = temporaryDirectory('tags');
    mkdirSync(join(directory, FILE));
    const { table, reports } = await open(directory);
    table.add(PILOT, '1.28.0', ANSWER);
    expect(table.last(PILOT, '1.28.0')).toEqual(ANSWER);
    await table.close();
    expect(reports).toHaveLength(2);
  });

  it('is not there yet: that is nothing to report', async () => {
    const { table, reports } = await open(join(temporaryDirectory('tags'), 'none'));
    expect(table.last(PILOT, '1.28.0')).toBeUndefined();
    expect(reports).toEqual([]);
  });
});

describe('a table whose directory', () => {
  it('is somebody else’s is not written there, and that is reported', async () => {
    const directory = temporaryDirectory('tags');
    writeFileSync(join(directory, 'precious.txt'), 'x');
    const { table, reports } = await open(directory);
    table.add(PILOT, '1.28.0', ANSWER);
    await table.close();
    expect(readdirSync(directory)).toEqual(['precious.txt']);
    expect(reports).toEqual([
      expect.objectContaining({
        message: `${directory} is neither empty nor an OCI image layout; choose another directory`,
      }),
    ]);
  });

  it('is not there yet is written in one that is made: an answer may come before anything is verified', async () => {
    const directory = join(temporaryDirectory('tags'), 'below', 'evidence');
    const { table, reports } = await open(directory);
    table.add(PILOT, '1.28.0', ANSWER);
    await table.close();
    expect(reports).toEqual([]);
    expect(tagsIn(directory)).toEqual([{ reference: `${PILOT}:1.28.0`, ...ANSWER }]);
  });
});

describe('an entry of a table', () => {
  it.each<[string, object | null]>([
    ['nothing', null],
    ['without a reference', { ...entry, reference: undefined }],
    ['without a time', { ...entry, at: undefined }],
    ['with a time that is text', { ...entry, at: '1' }],
    ['without a digest', { ...entry, digest: undefined }],
    ['with half a digest', { ...entry, digest: 'sha256:ab' }],
    ['with a digest of another kind', { ...entry, digest: 1 }],
  ])('that is damaged is left out, and the others are not: %s', async (_, broken) => {
    const other = { ...entry, reference: `${PILOT}:1.28.1` };
    const { table, reports } = await open(withFile({ schema: SCHEMA, tags: [broken, other] }));
    expect(table.last(PILOT, '1.28.0')).toBeUndefined();
    expect(table.last(PILOT, '1.28.1')).toEqual({ digest, at: 1 });
    expect(reports).toEqual([]);
  });
});

describe('a table of tags', () => {
  it('outlives its process: what a tag stood for, and that one was not there', async () => {
    const directory = temporaryDirectory('tags');
    const { table } = await open(directory);
    table.add(PILOT, '1.28.0', ANSWER);
    table.add(PILOT, 'gone', { digest: undefined, at: 2 });
    await table.close();
    const { table: next, reports } = await open(directory);
    expect(next.last(PILOT, '1.28.0')).toEqual(ANSWER);
    expect(next.last(PILOT, 'gone')).toEqual({ digest: undefined, at: 2 });
    expect(next.last('docker.io/istio/ztunnel', '1.28.0')).toBeUndefined();
    expect(reports).toEqual([]);
  });

  it('holds the last answer of each tag', async () => {
    const directory = temporaryDirectory('tags');
    const { table } = await open(directory);
    table.add(PILOT, '1.28.0', ANSWER);
    const last = { digest: digestOf('moved'), at: ANSWER.at + 1 };
    table.add(PILOT, '1.28.0', last);
    expect(table.last(PILOT, '1.28.0')).toEqual(last);
    await table.close();
    expect(tagsIn(directory)).toEqual([{ reference: `${PILOT}:1.28.0`, ...last }]);
  });

  it('forgets the tags that were not answered for the longest time, in memory and from a file', async () => {
    const directory = temporaryDirectory('tags');
    const { table } = await open(directory, 3);
    for (const tag of ['1', '2', '3', '1', '4']) table.add(PILOT, tag, ANSWER);
    await table.close();
    const references = tagsIn(directory).map((tag) => (tag as { reference: string }).reference);
    expect(references).toEqual(['3', '1', '4'].map((tag) => `${PILOT}:${tag}`));
    const { table: smaller } = await open(directory, 2);
    expect(['3', '1', '4'].map((tag) => smaller.last(PILOT, tag) !== undefined)).toEqual([false, true, true]);
  });

  it('is written at most once a second, with all that came in meanwhile', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const directory = temporaryDirectory('tags');
    const { table } = await open(directory);
    const path = join(directory, FILE);
    const written = () => vi.waitUntil(() => statSync(path, { throwIfNoEntry: false })?.ino, { interval: 1 });
    for (const tag of ['1', '2', '3']) table.add(PILOT, tag, ANSWER);
    vi.advanceTimersByTime(999);
    expect(vi.getTimerCount()).toBe(1);
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
    vi.advanceTimersByTime(1);
    await written();
    expect(tagsIn(directory)).toHaveLength(3);
    expect(vi.getTimerCount()).toBe(0);
    await table.close();
    expect(tagsIn(directory)).toHaveLength(3);
  });

  it('is written whole when it is closed, and not at all where nothing is new', async () => {
    const directory = temporaryDirectory('tags');
    const { table } = await open(directory);
    await table.close();
    expect(statSync(join(directory, FILE), { throwIfNoEntry: false })).toBeUndefined();
    for (let tag = 0; tag < 50; tag += 1) table.add(PILOT, `${tag}`, ANSWER);
    await table.close();
    expect(tagsIn(directory)).toHaveLength(50);
  });
});

describe('a table that two replicas share', () => {
  it('holds what each of them was answered, and of the same tag the later answer', async () => {
    const directory = temporaryDirectory('tags');
    const [one, other] = [await open(directory), await open(directory)];
    one.table.add(PILOT, '1', ANSWER);
    one.table.add(PILOT, 'both', { digest: undefined, at: 3 });
    other.table.add(PILOT, '2', ANSWER);
    other.table.add(PILOT, 'both', { digest, at: 2 });
    await Promise.all([one.table.close(), other.table.close()]);
    const { table, reports } = await open(directory);
    expect(['1', '2', 'both'].map((tag) => table.last(PILOT, tag))).toEqual([
      ANSWER,
      ANSWER,
      { digest: undefined, at: 3 },
    ]);
    expect([reports, one.reports, other.reports]).toEqual([[], [], []]);
  });

  it('keeps to its size, whoever wrote what', async () => {
    const directory = temporaryDirectory('tags');
    const [one, other] = [await open(directory, 3), await open(directory, 3)];
    for (const at of [1, 3, 5]) one.table.add(PILOT, `${at}`, { digest, at });
    for (const at of [2, 4, 6]) other.table.add(PILOT, `${at}`, { digest, at });
    await one.table.close();
    await other.table.close();
    expect(tagsIn(directory)).toEqual([4, 5, 6].map((at) => ({ reference: `${PILOT}:${at}`, digest, at })));
  });
});

describe('an answer dated in the future', () => {
  const row = { reference: `${PILOT}:1.28.0`, digest: digestOf('true'), at: NOW };
  const future = { ...row, digest, at: NOW + 30_001 };
  const unknown = { digest, at: UNKNOWN_TIME };

  it.each([
    ['before the true one', [future, row]],
    ['after the true one', [row, future]],
  ])('is none where it is read %s', async (_, tags) => {
    const { table, reports } = await open(withFile({ schema: SCHEMA, tags }));
    expect(table.last(PILOT, '1.28.0')).toEqual({ digest: row.digest, at: NOW });
    expect(reports).toEqual([]);
  });

  it.each([Number.POSITIVE_INFINITY, NOW + 30_001, Number.MAX_SAFE_INTEGER])(
    'has an unknown age where it is alone, %d: its digest may be revoked',
    async (at) => {
      const tags = JSON.stringify({ schema: SCHEMA, tags: [{ ...future, at: 0 }] });
      const { table } = await open(
        withFile(tags.replace('"at":0', `"at":${at === Number.POSITIVE_INFINITY ? '1e400' : at}`)),
      );
      expect(table.last(PILOT, '1.28.0')).toEqual(unknown);
    },
  );

  it('displaces no true one where it is written back: of this tag or, at the limit, of another', async () => {
    const directory = withFile({ schema: SCHEMA, tags: [future, { ...future, reference: `${PILOT}:x` }] });
    const { table } = await open(directory, 2);
    table.add(PILOT, '1.28.0', { digest: row.digest, at: NOW });
    table.add(PILOT, '1.28.1', { digest: row.digest, at: NOW });
    await table.close();
    expect(tagsIn(directory)).toEqual([row, { ...row, reference: `${PILOT}:1.28.1` }]);
  });

  it('has an unknown age, and displaces no true one, where the clock was set back after it came', async () => {
    const directory = withFile({ schema: SCHEMA, tags: [row] });
    let time = NOW + 30_001;
    const { table } = await open(directory, 100, () => time);
    table.add(PILOT, '1.28.0', { digest, at: time });
    time = NOW;
    expect(table.last(PILOT, '1.28.0')).toEqual(unknown);
    await table.close();
    expect(tagsIn(directory)).toEqual([row]);
  });

  it('by no more than clocks differ counts as made now, and keeps that time', async () => {
    const directory = withFile({ schema: SCHEMA, tags: [{ ...future, at: NOW + 30_000 }] });
    let time = NOW;
    const { table } = await open(directory, 100, () => time);
    time = NOW + 20_000;
    expect(table.last(PILOT, '1.28.0')).toEqual({ digest, at: NOW });
    table.add(PILOT, '1.28.1', { digest, at: NOW });
    time = NOW;
    await table.close();
    expect(tagsIn(directory)).toEqual([
      { ...row, digest },
      { ...row, reference: `${PILOT}:1.28.1`, digest },
    ]);
  });
});

describe('the room of a table', () => {
  const ZTUNNEL = 'docker.io/istio/ztunnel';

  it('is not taken by updates of tags that it does not have', async () => {
    const directory = withFile({ schema: SCHEMA, tags: [entry] });
    const { table } = await open(directory, 3);
    for (let tag = 0; tag < 100; tag += 1)
      table.update(PILOT, `absent-${tag}`, { digest: undefined, at: NOW });
    expect(table.last(PILOT, 'absent-1')).toBeUndefined();
    await table.close();
    expect(tagsIn(directory)).toEqual([entry]);
  });

  it('is not written where there was none, by updates alone', async () => {
    const directory = temporaryDirectory('tags');
    const { table } = await open(directory);
    table.update(PILOT, 'absent', { digest: undefined, at: NOW });
    await table.close();
    expect(statSync(join(directory, FILE), { throwIfNoEntry: false })).toBeUndefined();
  });

  it('holds what a replica learns of a tag that only another one has verified', async () => {
    const directory = temporaryDirectory('tags');
    const [one, other] = [await open(directory), await open(directory)];
    one.table.add(PILOT, '1.28.0', ANSWER);
    await one.table.close();
    other.table.update(PILOT, '1.28.0', { digest: undefined, at: ANSWER.at + 1 });
    await other.table.close();
    expect(tagsIn(directory)).toEqual([{ reference: `${PILOT}:1.28.0`, digest: null, at: ANSWER.at + 1 }]);
  });

  it('is shared between repositories: one with many tags pushes out none of one with few', async () => {
    const directory = temporaryDirectory('tags');
    const { table } = await open(directory, 10);
    for (const tag of ['1', '2']) table.add(PILOT, tag, ANSWER);
    for (let tag = 0; tag < 100; tag += 1) table.add(ZTUNNEL, `${tag}`, { digest, at: ANSWER.at + tag });
    await table.close();
    const { table: next } = await open(directory, 10);
    for (const each of [table, next]) {
      expect(['1', '2'].map((tag) => each.last(PILOT, tag))).toEqual([ANSWER, ANSWER]);
      expect(['91', '92', '99'].map((tag) => each.last(ZTUNNEL, tag) !== undefined)).toEqual([
        false,
        true,
        true,
      ]);
    }
  });

  it('goes, of repositories with as many tags, to those that were answered last', async () => {
    const { table } = await open(temporaryDirectory('tags'), 2);
    for (const name of ['one', 'two', 'three']) table.add(`docker.io/istio/${name}`, '1', ANSWER);
    expect(['one', 'two', 'three'].map((name) => table.last(`docker.io/istio/${name}`, '1'))).toEqual([
      undefined,
      ANSWER,
      ANSWER,
    ]);
  });
});
