import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { digestOf } from '../../../src/image/index.ts';
import { createSharedEvidence, type SharedEvidence, signatureEntry } from '../../../src/registry/index.ts';
import { createMemoryObject, type MemoryObject } from './memory-object.ts';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-11-30T12:00:00Z');
const REPOSITORY = 'docker.io/istio/proxyv2';
const never = new AbortController().signal;

interface Shared {
  readonly evidence: SharedEvidence;
  readonly images: MemoryObject;
  readonly tags: MemoryObject;
  readonly reported: unknown[];
  advance(time: number): void;
}

const start = async (
  images = createMemoryObject(),
  tags = createMemoryObject(),
  maxBytes = 65_536,
  onWrite: (result: string) => void = () => undefined,
): Promise<Shared> => {
  let time = NOW;
  const reported: unknown[] = [];
  const evidence = createSharedEvidence({
    tags,
    images: [images],
    maxBytes,
    now: () => time,
    report: (error) => reported.push(error),
    times: { delay: 0, interval: 0 },
    onWrite,
  });
  await evidence.load();
  onTestFinished(() => evidence.close());
  return { evidence, images, tags, reported, advance: (by) => void (time += by) };
};

const imageOf = (name: string) => digestOf(`image ${name}`);
const tagOf = (name: string): string => imageOf(name).replace(':', '-').concat('.sig');
/** A manifest of so many bytes, and its payload. */
const entryOf = (name: string, padding = 0, payload = `payload of ${name}`) => {
  const bytes = Buffer.from(JSON.stringify({ layers: [{ of: name }], padding: ' '.repeat(padding) }));
  const manifest = { digest: digestOf(bytes), mediaType: undefined, bytes };
  return signatureEntry({ manifest, tag: tagOf(name), blob: Buffer.from(payload) });
};
const add = ({ evidence }: Shared, name: string, padding?: number, repository = REPOSITORY): void =>
  evidence.add(imageOf(name), repository, [entryOf(name, padding)]);
const hasEvidence = async ({ evidence }: Shared, name: string): Promise<boolean> =>
  (await evidence.open().manifest({ tag: tagOf(name) }, never)) !== undefined;
const written = ({ images, tags }: Shared): number => images.changes.length + tags.changes.length;

describe('evidence that is not stored', () => {
  it.each([
    ['is longer than a row may be', entryOf('fat', 40_000)],
    ['is not text', signatureEntry({ ...entryOf('odd'), tag: undefined, blob: Buffer.of(0xff, 0xfe) })],
  ])('%s', async (_, entry) => {
    const shared = await start();
    shared.evidence.add(imageOf('x'), REPOSITORY, [entry]);
    await shared.evidence.close();
    expect(shared.images.data()).toEqual({});
  });

  it('does not keep what came before it from being stored', async () => {
    const shared = await start();
    shared.evidence.add(imageOf('x'), REPOSITORY, [entryOf('x'), entryOf('x', 40_000)]);
    await shared.evidence.close();
    const other = await start(shared.images);
    expect(await hasEvidence(other, 'x')).toBe(true);
  });

  it('is what pushes out images in daily use: a scan of many others, of the same repository, that comes once', async () => {
    const shared = await start();
    for (const name of ['used-1', 'used-2']) add(shared, name, 1000);
    await shared.evidence.close();
    const later = await start(shared.images);
    later.advance(25 * HOUR);
    for (const name of ['used-1', 'used-2']) later.evidence.touch(imageOf(name));
    later.advance(HOUR);
    for (let count = 0; count < 200; count += 1) add(later, `scanned-${count}`, 1000);
    await later.evidence.close();
    const last = await start(later.images);
    expect(await hasEvidence(last, 'used-1')).toBe(true);
    expect(await hasEvidence(last, 'used-2')).toBe(true);
    expect(JSON.stringify(last.images.data()).length).toBeLessThan(1.2 * 65_536);
  });

  it('is a flood of one repository beside another', async () => {
    const shared = await start();
    add(shared, 'victim', 1000);
    shared.advance(240 * HOUR);
    for (let count = 0; count < 200; count += 1) add(shared, `flood-${count}`, 1000, 'mirror.example/flood');
    await shared.evidence.close();
    expect(await hasEvidence(await start(shared.images), 'victim')).toBe(true);
  });
});

describe('shared evidence', () => {
  it('loses nothing that another replica writes meanwhile', async () => {
    const [one, other] = [await start(), await start()];
    add(one, 'theirs');
    await one.evidence.close();
    let conflicts = 0;
    other.images.beforeChange = () => {
      if (conflicts === 0) other.images.set(one.images.data());
      conflicts += 1;
    };
    add(other, 'ours');
    await vi.waitUntil(() => other.images.changes.length > 0, { timeout: 10_000 });
    expect(conflicts).toBe(2);
    const last = await start(other.images);
    expect([await hasEvidence(last, 'theirs'), await hasEvidence(last, 'ours')]).toEqual([true, true]);
  });

  it('has another id as soon as it changes, because a verifier remembers what a source lacks', async () => {
    const shared = await start();
    const before = shared.evidence.open().id;
    expect(shared.evidence.open().id).toBe(before);
    add(shared, 'new');
    expect(shared.evidence.open().id).not.toBe(before);
  });

  it('is marked as used once a day, however often it is', async () => {
    const shared = await start();
    add(shared, 'x');
    await vi.waitUntil(() => written(shared) === 1);
    for (let hour = 0; hour < 23; hour += 1) {
      shared.advance(HOUR);
      await hasEvidence(shared, 'x');
    }
    shared.advance(2 * HOUR);
    await hasEvidence(shared, 'x');
    await vi.waitUntil(() => written(shared) === 2);
    await hasEvidence(shared, 'x');
    await shared.evidence.close();
    expect(written(shared)).toBe(2);
  });

  it('is added to by another signature of the same image, not replaced', async () => {
    const shared = await start();
    shared.evidence.add(imageOf('x'), REPOSITORY, [entryOf('x')]);
    await vi.waitUntil(() => written(shared) === 1);
    const second = entryOf('x', 10);
    shared.evidence.add(imageOf('x'), 'mirror.example/istio/proxyv2', [second]);
    await shared.evidence.close();
    const source = (await start(shared.images)).evidence.open();
    expect(await source.manifest({ digest: entryOf('x').manifest.digest }, never)).toBeDefined();
    expect(await source.manifest({ digest: second.manifest.digest }, never)).toBeDefined();
  });
});

describe('the shared table of tags', () => {
  const resolution = (name: string, at = NOW) => ({ digest: imageOf(name), at });

  it('takes no update of a tag that it does not have', async () => {
    const shared = await start();
    for (let count = 0; count < 100; count += 1)
      shared.evidence.tagTable.update(REPOSITORY, `absent-${count}`, { digest: undefined, at: NOW });
    await shared.evidence.close();
    expect([written(shared), shared.evidence.tagTable.last(REPOSITORY, 'absent-1')]).toEqual([0, undefined]);
  });

  it('is written when a tag moves, and every ten minutes while it stays', async () => {
    const shared = await start();
    const { tagTable } = shared.evidence;
    tagTable.add(REPOSITORY, '1.28', resolution('a'));
    await vi.waitUntil(() => written(shared) === 1);
    for (let minute = 1; minute < 10; minute += 1)
      tagTable.update(REPOSITORY, '1.28', resolution('a', NOW + minute * 60_000));
    shared.advance(600_000);
    tagTable.update(REPOSITORY, '1.28', resolution('a', NOW + 600_000));
    await vi.waitUntil(() => written(shared) === 2);
    tagTable.update(REPOSITORY, '1.28', { digest: undefined, at: NOW + 600_001 });
    shared.advance(1);
    await shared.evidence.close();
    expect(written(shared)).toBe(3);
    const other = await start(undefined, shared.tags);
    other.advance(600_001);
    expect(other.evidence.tagTable.last(REPOSITORY, '1.28')).toEqual({
      digest: undefined,
      at: NOW + 600_001,
    });
  });

  it('takes an update that came before it was read', async () => {
    const first = await start();
    first.evidence.tagTable.add(REPOSITORY, '1.28', resolution('a'));
    await first.evidence.close();
    const gate = Promise.withResolvers<void>();
    const slow = {
      ...first.tags,
      read: async (signal: AbortSignal) => (await gate.promise, first.tags.read(signal)),
    };
    const evidence = createSharedEvidence({
      tags: slow,
      images: [createMemoryObject()],
      maxBytes: 65_536,
      now: () => NOW + 1,
      report: () => undefined,
      times: { delay: 0, interval: 0 },
    });
    const loaded = evidence.load();
    evidence.tagTable.update(REPOSITORY, '1.28', { digest: imageOf('moved'), at: NOW + 1 });
    evidence.tagTable.update(REPOSITORY, 'absent', { digest: imageOf('moved'), at: NOW + 1 });
    gate.resolve();
    await loaded;
    await evidence.close();
    expect(evidence.tagTable.last(REPOSITORY, '1.28')?.digest).toBe(imageOf('moved'));
    expect(Object.keys(first.tags.data())).toHaveLength(1);
  });
});

describe('the state of shared evidence', () => {
  it('is empty before anything was stored', async () => {
    const { evidence } = await start();
    expect(evidence.state()).toMatchObject({
      images: 0,
      bytes: 0,
      limitBytes: 65_536,
      pending: 0,
      oldest: undefined,
    });
  });

  it('has what is written and what is not yet, the times of the oldest, the newest and the last use', async () => {
    const results: string[] = [];
    const images = createMemoryObject();
    const shared = await start(images, createMemoryObject(), 65_536, (result) => results.push(result));
    images.beforeChange = () => {
      throw new Error('no');
    };
    add(shared, 'a');
    await vi.waitFor(() => expect(results).toContain('failed'));
    expect(shared.evidence.state()).toMatchObject({
      images: 1,
      pending: 1,
      oldest: NOW,
      newest: NOW,
      used: NOW,
    });
    images.beforeChange = () => undefined;
    shared.advance(HOUR);
    add(shared, 'b');
    await vi.waitFor(() => expect(shared.evidence.state().pending).toBe(0));
    expect(results).toContain('written');
    expect(shared.evidence.state()).toMatchObject({
      images: 2,
      bytes: Object.entries(images.data()).flat().join('').length,
      oldest: NOW,
      newest: NOW + HOUR,
      used: NOW + HOUR,
    });
  });
});
