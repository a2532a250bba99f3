import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  createKeyRing,
  InvalidKeysError,
  type KeyEvent,
  type KeyRing,
  type KeySpec,
  parseKeys,
} from '../../../src/verification/index.ts';
import { createSigner } from '../../support/signing-kit.ts';

const URL = 'https://keys.example/istio.pub';
const FILE = '/keys/corp.pub';
const [one, two, three] = [createSigner(), createSigner(), createSigner()].map(
  ({ publicPem }) => publicPem,
) as [string, string, string];

const keyOf = async (pem: string) => {
  const parsed = await parseKeys(pem);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.keys[0];
};
const [id1, id2] = [(await keyOf(one)).keyId, (await keyOf(two)).keyId];
const pin1 = (await keyOf(one)).spkiSha256;

interface World {
  /** The content of URLs and files; an Error is thrown. */
  readonly documents: Map<string, Uint8Array | string | Error>;
  readonly events: KeyEvent[];
  readonly fetched: string[];
  /** Pending waits, with their milliseconds. */
  readonly waits: { milliseconds: number; run: () => void }[];
}

const notFoundError = () => Object.assign(new Error('ENOENT: no such file or directory'), { code: 'ENOENT' });

const createWorld = (
  specs: readonly KeySpec[],
  options: { requirePinned?: boolean; now?: () => number } = {},
) => {
  const world: World = { documents: new Map(), events: [], fetched: [], waits: [] };
  const read = async (name: string) => {
    const document = world.documents.get(name) ?? notFoundError();
    if (document instanceof Error) throw document;
    return Buffer.from(document);
  };
  const source = createKeyRing({
    specs,
    requirePinned: options.requirePinned ?? false,
    limits: { keyBytes: 4096, keyRefresh: 3_600_000 },
    fetchDocument: async (url) => {
      world.fetched.push(url);
      return read(url);
    },
    readFile: read,
    ...(options.now && { now: options.now }),
    onEvent: (event) => void world.events.push(event),
    schedule: (milliseconds, run) => {
      const wait = { milliseconds, run };
      world.waits.push(wait);
      return () => void world.waits.splice(world.waits.indexOf(wait), 1);
    },
  });
  /** Ends the one pending wait, and runs everything that follows from it. */
  const elapse = async () => {
    const wait = world.waits.shift();
    wait?.run();
    for (let turn = 0; turn < 50 && world.waits.length === 0; turn += 1)
      await new Promise((resolve) => setImmediate(resolve));
    return wait?.milliseconds;
  };
  return { ...world, source, elapse };
};

const inline = (text: string, changes: Partial<KeySpec> = {}): KeySpec => ({
  location: { kind: 'inline', name: 'keys[0]', text },
  ...changes,
});
const fromUrl = (spkiSha256?: string): KeySpec => ({
  location: spkiSha256 === undefined ? { kind: 'url', url: URL } : { kind: 'url', url: URL, spkiSha256 },
});
const fromFile: KeySpec = { location: { kind: 'file', path: FILE } };
const idsOf = (ring: KeyRing) => [...ring.keys.keys()];
const codesOf = (events: readonly KeyEvent[]) => events.map(({ code }) => code);

describe('keys in the configuration itself', () => {
  it('end the start where they are bad, all named at once', async () => {
    const { source } = createWorld([
      inline('no key'),
      inline(one),
      { location: { kind: 'built-in', name: 'istio-release-1', text: createSigner('P-384').publicPem } },
    ]);
    const problems = [
      'keys[0]: the key is neither a PEM block nor JSON',
      'istio-release-1: the key is a P-384 key; expected ECDSA P-256',
    ];
    await expect(source.load()).rejects.toEqual(new InvalidKeysError(problems));
    await expect(source.load()).rejects.toMatchObject({ name: 'InvalidKeysError', problems });
  });

  it('are the ring, with what their entries say', async () => {
    const { source } = createWorld([inline(one, { for: ['mirror.example/istio'], covers: '1.12–1.31.0' })]);
    await source.load();
    const { publicKey, ...key } = await keyOf(one);
    expect([...source.current().keys.values()].map(({ publicKey: _key, ...rest }) => rest)).toEqual([
      { ...key, source: 'keys[0]', pinned: true, for: ['mirror.example/istio'], covers: '1.12–1.31.0' },
    ]);
    expect(source.current().keys.get(id1)?.publicKey.equals(publicKey)).toBe(true);
    expect(source.current().missing).toEqual([]);
  });

  it('are one key where two entries give the same, with what both allow', async () => {
    const named = (name: string, places?: readonly string[]): KeySpec => ({
      location: { kind: 'inline', name, text: one },
      ...(places && { for: places }),
    });
    const limited = createWorld([named('a', ['x/istio']), named('b', ['y/istio', 'x/istio'])]);
    await limited.source.load();
    expect(limited.source.current().keys.get(id1)).toMatchObject({
      source: 'a, b',
      for: ['x/istio', 'y/istio'],
    });
    const open = createWorld([named('a', ['x/istio']), named('b')]);
    await open.source.load();
    expect(open.source.current().keys.get(id1)?.for).toBeUndefined();
  });

  it('are pinned where any entry pins them', async () => {
    const { source, documents } = createWorld([fromUrl(), inline(one)]);
    documents.set(URL, one);
    await source.load();
    expect(source.current().keys.get(id1)?.pinned).toBe(true);
  });
});

describe('a key at a URL', () => {
  it('is missing, and the ring incomplete, while it cannot be fetched', async () => {
    const { source, documents, events } = createWorld([inline(one), fromUrl()]);
    documents.set(URL, new Error('connection refused'));
    await source.load();
    expect(idsOf(source.current())).toEqual([id1]);
    expect(source.current().missing).toEqual([
      { source: URL, problem: 'cannot be fetched: connection refused', unfetched: true },
    ]);
    expect(events).toEqual([
      { code: 'key-missing', source: URL, detail: 'cannot be fetched: connection refused' },
    ]);
  });

  it.each([
    [
      'HTML',
      '<html>',
      'the key that it serves is an HTML page: give the address of the file itself (its "raw" link)',
    ],
    ['a document that is too long', one.padEnd(5000), 'the key that it serves is longer than 4096 bytes'],
  ])('is missing where it is %s', async (_, text, problem) => {
    const { source, documents } = createWorld([fromUrl()]);
    documents.set(URL, text);
    await source.load();
    expect(source.current().missing).toEqual([{ source: URL, problem }]);
  });

  it('is missing where it is not the pinned one', async () => {
    const { source, documents } = createWorld([fromUrl('0'.repeat(64))]);
    documents.set(URL, one);
    await source.load();
    expect(source.current()).toEqual({
      keys: new Map(),
      missing: [
        { source: URL, problem: `the key that it serves does not match the pin: its sha256 is ${pin1}` },
      ],
    });
  });

  it('is missing, unfetched, where pins are required and it has none', async () => {
    const { source, documents, fetched } = createWorld([fromUrl()], { requirePinned: true });
    documents.set(URL, one);
    await source.load();
    expect(source.current().missing).toEqual([
      { source: URL, problem: 'has no pin, which requirePinnedKeys requires' },
    ]);
    expect(fetched).toEqual([]);
  });

  it('is the pinned one alone where a set holds others too', async () => {
    const { source, documents } = createWorld([fromUrl(pin1.toUpperCase())], { requirePinned: true });
    const jwks = {
      keys: [(await keyOf(two)).publicKey, (await keyOf(one)).publicKey].map((key) =>
        key.export({ format: 'jwk' }),
      ),
    };
    documents.set(URL, JSON.stringify(jwks));
    await source.load();
    expect([...source.current().keys.values()]).toMatchObject([{ keyId: id1, pinned: true }]);
  });

  it('is read in DER and in UTF-16, as servers hand out what people uploaded', async () => {
    const der = (await keyOf(one)).publicKey.export({ type: 'spki', format: 'der' });
    for (const document of [der, Buffer.from(`\ufeff${one}`, 'utf16le')]) {
      const { source, documents } = createWorld([fromUrl(pin1)]);
      documents.set(URL, document);
      await source.load();
      expect(idsOf(source.current())).toEqual([id1]);
    }
  });

  it('is fetched once where two ask at once', async () => {
    const { source, documents, fetched } = createWorld([fromUrl()]);
    documents.set(URL, one);
    await Promise.all([source.refresh(), source.refresh()]);
    expect(fetched).toEqual([URL]);
  });

  it('is not pinned where no pin is given', async () => {
    const { source, documents } = createWorld([fromUrl()]);
    documents.set(URL, one);
    await source.load();
    expect(source.current().keys.get(id1)?.pinned).toBe(false);
  });

  it('is asked for again soon, ever more slowly, until it answers, and then once an hour', async () => {
    const { source, documents, elapse } = createWorld([fromUrl()]);
    documents.set(URL, new Error('unreachable'));
    await source.load();
    expect([await elapse(), await elapse(), await elapse()]).toEqual([5_000, 10_000, 20_000]);
    documents.set(URL, one);
    expect(await elapse()).toBe(40_000);
    expect(idsOf(source.current())).toEqual([id1]);
    expect(await elapse()).toBe(3_600_000);
  });

  it('is asked for no more slowly than once an hour', async () => {
    const { source, elapse } = createWorld([fromUrl()]);
    await source.load();
    for (let retry = 0; retry < 12; retry += 1) await elapse();
    expect(await elapse()).toBe(3_600_000);
  });

  it.each([
    ['another key', two, `the URL now serves ${id2}`],
    ['both keys', 'both', `the URL now serves ${id1}, ${id2}`],
    ['no key any more', 'gone', 'the key that it serves now is neither a PEM block nor JSON'],
  ])('stays what it was first where the URL serves %s later, and that is said', async (_, later, detail) => {
    const { source, documents, events } = createWorld([fromUrl()]);
    documents.set(URL, one);
    await source.load();
    const before = source.current();
    const keys = [(await keyOf(one)).publicKey, (await keyOf(two)).publicKey].map((key) =>
      key.export({ format: 'jwk' }),
    );
    documents.set(URL, later === 'both' ? JSON.stringify({ keys }) : later);
    await source.refresh();
    expect(source.current()).toBe(before);
    expect(events.at(-1)).toEqual({ code: 'key-url-changed', source: URL, detail });
  });

  it('stays in the ring while the URL is unreachable later', async () => {
    const { source, documents, events } = createWorld([fromUrl()]);
    documents.set(URL, one);
    await source.load();
    const before = source.current();
    documents.set(URL, new Error('unreachable'));
    await source.refresh();
    expect(source.current()).toBe(before);
    expect(codesOf(events)).toEqual(['key-loaded']);
  });
});

describe('a key in a file', () => {
  const loaded = async () => {
    const world = createWorld([inline(three), fromFile]);
    world.documents.set(FILE, one);
    await world.source.load();
    return world;
  };

  it('is missing where the file is not there', async () => {
    const { source, events } = createWorld([fromFile]);
    await source.load();
    expect(source.current().missing).toEqual([{ source: FILE, problem: 'file not found' }]);
    expect(codesOf(events)).toEqual(['key-missing']);
  });

  it('is missing where the file never held a key', async () => {
    const { source, documents, events } = createWorld([fromFile]);
    documents.set(FILE, 'no key');
    await source.load();
    expect(source.current().missing).toEqual([{ source: FILE, problem: 'is neither a PEM block nor JSON' }]);
    expect(codesOf(events)).toEqual(['key-file-invalid']);
  });

  it('is replaced at the next look, seconds later, by what the file then holds', async () => {
    const { source, documents, elapse } = await loaded();
    documents.set(FILE, two);
    expect(await elapse()).toBeLessThanOrEqual(5_000);
    expect(source.current().keys.has(id1)).toBe(false);
    expect(source.current().keys.has(id2)).toBe(true);
  });

  it('leaves the ring with the file, and comes back with it', async () => {
    const { source, documents, elapse, events } = await loaded();
    documents.delete(FILE);
    await elapse();
    expect(source.current().keys.has(id1)).toBe(false);
    expect(source.current().missing).toEqual([{ source: FILE, problem: 'file not found' }]);
    documents.set(FILE, one);
    await elapse();
    expect(source.current().keys.has(id1)).toBe(true);
    expect(codesOf(events)).toEqual(['key-loaded', 'key-missing', 'key-loaded']);
  });

  it('is missing where a directory is named, and that is said once', async () => {
    const { source, documents, events } = createWorld([fromFile]);
    documents.set(FILE, Object.assign(new Error('EISDIR: illegal operation'), { code: 'EISDIR' }));
    await source.load();
    await source.refresh();
    expect(source.current().missing).toEqual([
      { source: FILE, problem: 'is a directory: name the file in it' },
    ]);
    expect(codesOf(events)).toEqual(['key-file-invalid']);
  });

  it('is read in DER and in UTF-16', async () => {
    const { source, documents } = await loaded();
    documents.set(FILE, (await keyOf(two)).publicKey.export({ type: 'spki', format: 'der' }));
    await source.refresh();
    expect(source.current().keys.has(id2)).toBe(true);
    documents.set(FILE, Buffer.from(`\ufeff${one}`, 'utf16le'));
    await source.refresh();
    expect(source.current().keys.has(id1)).toBe(true);
  });

  it.each([
    ['does not parse', 'half a key'],
    ['is empty', ''],
    ['cannot be read', Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })],
  ])('stays where the file %s, and that is said once', async (_, content) => {
    const { source, documents, elapse, events } = await loaded();
    const before = source.current();
    documents.set(FILE, content);
    await elapse();
    await elapse();
    expect(source.current()).toBe(before);
    expect(codesOf(events)).toEqual(['key-loaded', 'key-file-invalid']);
  });

  it('makes no new ring where nothing changed', async () => {
    const { source, elapse } = await loaded();
    const before = source.current();
    await elapse();
    await source.refresh();
    expect(source.current()).toBe(before);
  });

  it('is refused where the file never ends', async () => {
    const source = createKeyRing({
      specs: [{ location: { kind: 'file', path: '/dev/zero' } }],
      requirePinned: false,
      limits: { keyBytes: 4096, keyRefresh: 3_600_000 },
      fetchDocument: () => Promise.reject(new Error('no URL is here')),
      onEvent: () => undefined,
    });
    await source.load();
    expect(source.current().missing).toEqual([
      {
        source: '/dev/zero',
        problem: 'cannot be read: it is a pipe, a device or a socket, not a regular file',
      },
    ]);
    source.stop();
  });

  it('is read from the disk', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sailmark-'));
    afterAll(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'corp.pub');
    writeFileSync(path, one);
    const source = createKeyRing({
      specs: [
        { location: { kind: 'file', path } },
        { location: { kind: 'file', path: join(folder, 'none.pub') } },
      ],
      requirePinned: true,
      limits: { keyBytes: 4096, keyRefresh: 3_600_000 },
      fetchDocument: () => Promise.reject(new Error('no URL is here')),
      onEvent: () => undefined,
    });
    await source.load();
    expect(idsOf(source.current())).toEqual([id1]);
    expect(source.current().missing).toEqual([
      { source: join(folder, 'none.pub'), problem: 'file not found' },
    ]);
    writeFileSync(path, two.padEnd(5000));
    await source.refresh();
    expect(idsOf(source.current())).toEqual([id1]);
    writeFileSync(path, two);
    await source.refresh();
    expect(idsOf(source.current())).toEqual([id2]);
    source.stop();
  });
});

describe('a key ring that is stopped', () => {
  it('waits for nothing any more and stays as it was', async () => {
    const { source, documents, waits } = createWorld([fromUrl(), fromFile]);
    documents.set(URL, one);
    await source.load();
    const before = source.current();
    expect(waits).toHaveLength(2);
    source.stop();
    expect(waits).toEqual([]);
    documents.set(FILE, two);
    await source.refresh();
    expect(source.current()).toBe(before);
  });
});

describe('the health of a key ring', () => {
  it('has no time of a read before every URL and file was read once', async () => {
    const { source, documents } = createWorld([fromUrl(), fromFile]);
    documents.set(URL, one);
    await source.load();
    expect(source.health()).toEqual({ changed: 0, oldestRead: undefined });
    source.stop();
  });

  it('has the time of the read that is the longest ago: a URL that is gone keeps its key and shows here', async () => {
    let time = 1_000;
    const { source, documents } = createWorld([fromUrl(), fromFile], { now: () => time });
    documents.set(URL, one).set(FILE, two);
    await source.load();
    documents.set(URL, new Error('gone'));
    time = 2_000;
    await source.refresh();
    expect(source.current().missing).toEqual([]);
    expect(source.health()).toEqual({ changed: 0, oldestRead: 1_000 });
    documents.set(URL, one);
    documents.set(FILE, 'no key');
    time = 3_000;
    await source.refresh();
    expect(source.health()).toEqual({ changed: 0, oldestRead: 2_000 });
    source.stop();
  });

  it('counts a URL that serves another key, until it serves the first again', async () => {
    const { source, documents } = createWorld([fromUrl(), inline(three)]);
    documents.set(URL, one);
    await source.load();
    for (const [document, changed] of [
      [two, 1],
      ['no key', 1],
      [new Error('gone'), 1],
      [one, 0],
    ] as const) {
      documents.set(URL, document);
      await source.refresh();
      expect([document, source.health().changed]).toEqual([document, changed]);
    }
    source.stop();
  });
});
