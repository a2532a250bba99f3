import { afterEach, describe, expect, it, vi } from 'vitest';
import type { TagResolution } from '../../../src/registry/index.ts';
import type { Undetermined, Verification, VerifierDependencies } from '../../../src/verification/index.ts';
import { createTagMemory } from '../../../src/verification/memory/tag-memory.ts';
import {
  createSigner,
  imageManifest,
  push,
  pushSignatures,
  sign,
  signatureTag,
} from '../../support/signing-kit.ts';
import { createHarness, type Harness, LIMITS, ringOf, trust, wordOf } from '../harness.ts';

const PILOT = 'docker.io/istio/pilot';
const IMAGE = imageManifest('pilot 1.28.0');
const { digest } = IMAGE;
const BY_DIGEST = `${PILOT}@${digest}`;
const BY_TAG = `${PILOT}:1.28.0`;

/** The requests for a digest: its referrers and its signature tag, sent concurrently. */
const DIGEST_REQUESTS = [`${PILOT} referrers ${digest}`, `${PILOT} manifest ${signatureTag(digest)}`];

const withSigned = async (changes: Parameters<typeof createHarness>[0] = {}): Promise<Harness> => {
  const harness = await createHarness(changes);
  push(harness.store, PILOT, IMAGE, '1.28.0');
  pushSignatures(harness.store, PILOT, digest, [sign(harness.signer, PILOT, digest)]);
  return harness;
};

const requestsOf = (verdicts: readonly Verification[]) =>
  verdicts.reduce((sum, { requests }) => sum + requests, 0);

/** Runs everything that is ready to run, without waiting for a clock. */
const settle = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

afterEach(() => void vi.useRealTimers());

describe('a verified digest', () => {
  it('is answered from memory without a request, though the registry is gone', async () => {
    const { verify, store } = await withSigned();
    const first = await verify(BY_DIGEST);
    store.failWith('unavailable');
    expect(await verify(BY_DIGEST)).toEqual({ ...first, requests: 0, fromMemory: true });
    expect(store.requests).toEqual(DIGEST_REQUESTS);
  });

  it('is answered even where time is up', async () => {
    const { verify } = await withSigned();
    await verify(BY_DIGEST);
    expect(wordOf(await verify(BY_DIGEST, {}, AbortSignal.abort()))).toBe('verified');
  });

  it('is known by digest, whatever repository is asked for', async () => {
    const { verify } = await withSigned();
    await verify(BY_DIGEST);
    expect(await verify(`mirror.example/istio/pilot@${digest}`)).toMatchObject({
      outcome: 'verified',
      requests: 0,
    });
  });

  it('does not count once its key has left the ring, and counts again with it, unasked', async () => {
    const harness = await withSigned();
    const ring = harness.ring;
    await harness.verify(BY_DIGEST);
    harness.ring = ringOf([await trust(createSigner())]);
    expect(wordOf(await harness.verify(BY_DIGEST))).toBe('signer-untrusted');
    harness.ring = ringOf([harness.key]);
    expect(await harness.verify(BY_DIGEST)).toMatchObject({
      outcome: 'verified',
      requests: 0,
      fromMemory: true,
    });
    harness.ring = ring;
    expect(await harness.verify(BY_DIGEST)).toMatchObject({ outcome: 'verified', requests: 0 });
  });

  it('is undetermined where its key is the one that is missing', async () => {
    const harness = await withSigned();
    await harness.verify(BY_DIGEST);
    harness.ring = ringOf([], [{ source: '/keys/corp.pub', problem: 'file not found' }]);
    expect(wordOf(await harness.verify(BY_DIGEST))).toBe('key-ring-incomplete');
  });

  it('keeps the signatures it had where others are found later', async () => {
    const harness = await withSigned();
    const second = createSigner();
    await harness.verify(BY_DIGEST);
    harness.ring = ringOf([await trust(second)]);
    pushSignatures(harness.store, PILOT, digest, [sign(second, PILOT, digest)]);
    expect(await harness.verify(BY_DIGEST)).toMatchObject({ outcome: 'verified', requests: 2 });
    harness.ring = ringOf([harness.key]);
    expect(await harness.verify(BY_DIGEST)).toMatchObject({ outcome: 'verified', requests: 0 });
  });

  it('is judged all the same where it is too large to be remembered', async () => {
    const { verify } = await withSigned({ limits: { ...LIMITS, verifiedBytes: 10 } });
    expect(await verify(BY_DIGEST)).toMatchObject({ outcome: 'verified', requests: 2 });
    expect(await verify(BY_DIGEST)).toMatchObject({ outcome: 'verified', requests: 2 });
  });

  it('is pushed out only by other verified ones, the longest unused first', async () => {
    const { verify, store, signer } = await withSigned({ limits: { ...LIMITS, verifiedBytes: 4000 } });
    const others = Array.from({ length: 4 }, (_, at) => imageManifest(`other ${at}`).digest);
    for (const other of others) pushSignatures(store, PILOT, other, [sign(signer, PILOT, other)]);
    await verify(BY_DIGEST);
    for (const other of others) await verify(`${PILOT}@${other}`);
    expect(await verify(BY_DIGEST)).toMatchObject({ outcome: 'verified', requests: 2 });
  });

  it('survives a flood of rejected ones', async () => {
    const { verify, store } = await withSigned({ limits: { ...LIMITS, rejectedEntries: 10 } });
    await verify(BY_DIGEST);
    for (let at = 0; at < 1000; at += 1) await verify(`${PILOT}@${imageManifest(`unsigned ${at}`).digest}`);
    const before = store.requests.length;
    expect(await verify(BY_DIGEST)).toMatchObject({ outcome: 'verified', requests: 0 });
    expect(store.requests).toHaveLength(before);
  });

  it('is answered in less than five microseconds', async () => {
    const { verify } = await withSigned();
    await verify(BY_DIGEST);
    for (let round = 0; round < 20_000; round += 1) void verify(BY_DIGEST);
    const start = performance.now();
    for (let round = 0; round < 20_000; round += 1) void verify(BY_DIGEST);
    const microseconds = (performance.now() - start) / 20;
    // Ten times the expected time: the machine may be busy, but one request or one signature check would exceed it.
    expect(microseconds).toBeLessThan(50);
  });
});

describe('a rejected digest', () => {
  it('is remembered for rejectedMemory and then asked for again', async () => {
    const harness = await createHarness();
    expect(await harness.verify(BY_DIGEST)).toMatchObject({ requests: 2, fromMemory: false });
    harness.time += LIMITS.rejectedMemory - 1;
    expect(await harness.verify(BY_DIGEST)).toEqual({
      outcome: 'rejected',
      digest,
      reason: { code: 'signature-missing' },
      requests: 0,
      fromMemory: true,
    });
    harness.time += 1;
    pushSignatures(harness.store, PILOT, digest, [sign(harness.signer, PILOT, digest)]);
    expect(await harness.verify(BY_DIGEST)).toMatchObject({ outcome: 'verified', requests: 2 });
  });

  it('is remembered by the repository that holds nothing, not for others', async () => {
    const { verify, store, signer } = await createHarness();
    expect(wordOf(await verify(`mirror.example/istio/pilot@${digest}`))).toBe('signature-missing');
    pushSignatures(store, PILOT, digest, [sign(signer, PILOT, digest)]);
    expect(wordOf(await verify(BY_DIGEST))).toBe('verified');
    expect(wordOf(await verify(`mirror.example/istio/pilot@${digest}`))).toBe('verified');
  });

  it('is forgotten when the ring changes', async () => {
    const harness = await createHarness();
    pushSignatures(harness.store, PILOT, digest, [sign(harness.stranger, PILOT, digest)]);
    expect(wordOf(await harness.verify(BY_DIGEST))).toBe('signer-untrusted');
    harness.ring = ringOf([harness.key, await trust(harness.stranger)]);
    expect(await harness.verify(BY_DIGEST)).toMatchObject({ outcome: 'verified', requests: 2 });
  });

  it('is remembered for as long where only this use is refused, and for no other use', async () => {
    const harness = await withSigned();
    harness.ring = ringOf([await trust(harness.signer, { for: ['mirror.example/istio'] })]);
    pushSignatures(harness.store, PILOT, digest, [
      sign(harness.signer, PILOT, digest),
      sign(harness.signer, PILOT, digest, { spoil: 'bad-base64' }),
    ]);
    const first = await harness.verify(BY_DIGEST);
    expect(first).toMatchObject({ outcome: 'rejected', requests: 2 });
    expect(await harness.verify(BY_DIGEST)).toEqual({ ...first, requests: 0, fromMemory: true });
    harness.time += LIMITS.rejectedMemory;
    expect(await harness.verify(BY_DIGEST)).toEqual(first);
    expect(await harness.verify(BY_DIGEST, { places: ['mirror.example/istio'] })).toMatchObject({
      outcome: 'verified',
      requests: 0,
    });
  });

  it('does not outlast a clock that is set back', async () => {
    const harness = await createHarness();
    await harness.verify(BY_DIGEST);
    harness.time -= 3_600_000;
    expect(await harness.verify(BY_DIGEST)).toMatchObject({ requests: 2 });
  });
});

describe('an undetermined digest', () => {
  it('is asked for again at once', async () => {
    const { verify, store } = await withSigned();
    store.failWith('unavailable');
    expect(wordOf(await verify(BY_DIGEST))).toBe('registry-unavailable');
    store.failWith(undefined);
    expect(wordOf(await verify(BY_DIGEST))).toBe('verified');
  });
});

describe('a digest of which a payload could not be read', () => {
  it('is asked for again at once', async () => {
    const { verify, store, signer } = await createHarness();
    pushSignatures(store, PILOT, digest, [sign(signer, 'elsewhere.example/x', digest)]);
    store.failWhere(/ blob /, 'unavailable');
    expect(await verify(BY_DIGEST)).toMatchObject({ outcome: 'undetermined', requests: 3 });
    expect(await verify(BY_DIGEST)).toMatchObject({ outcome: 'undetermined', requests: 3 });
  });
});

describe('one request for many', () => {
  it('is sent once: 8 containers of 10 pods of one new image are as one', async () => {
    const { verify, store } = await withSigned();
    const verdicts = await Promise.all(Array.from({ length: 80 }, () => verify(BY_TAG)));
    expect(new Set(verdicts.map(wordOf))).toEqual(new Set(['verified']));
    expect(store.requests).toEqual([`${PILOT} resolve 1.28.0`, ...DIGEST_REQUESTS]);
    expect(requestsOf(verdicts)).toBe(3);
  });

  it('is sent once by digest too, where the answer is a refusal', async () => {
    const { verify, store } = await createHarness();
    const verdicts = await Promise.all(Array.from({ length: 80 }, () => verify(BY_DIGEST)));
    expect(new Set(verdicts.map(wordOf))).toEqual(new Set(['signature-missing']));
    expect(store.requests).toEqual(DIGEST_REQUESTS);
    expect(requestsOf(verdicts)).toBe(2);
  });

  it('goes on when a caller leaves it, and is remembered when all have', async () => {
    const { verify, store } = await withSigned();
    const release = store.hold();
    const impatient = new AbortController();
    const left = verify(BY_DIGEST, {}, impatient.signal);
    const stayed = verify(BY_DIGEST);
    await settle();
    impatient.abort();
    expect(await left).toEqual({
      outcome: 'undetermined',
      digest,
      reason: { code: 'deadline-exceeded', asked: true },
      requests: 2,
      fromMemory: false,
    });
    release();
    expect(await stayed).toMatchObject({ outcome: 'verified', requests: 0 });
    expect(store.requests).toEqual(DIGEST_REQUESTS);
  });

  it('is answered for later callers though every earlier one left', async () => {
    const { verify, store } = await withSigned();
    const release = store.hold();
    const impatient = new AbortController();
    const left = verify(BY_DIGEST, {}, impatient.signal);
    await settle();
    impatient.abort();
    expect(wordOf(await left)).toBe('deadline-exceeded');
    release();
    await settle();
    expect(await verify(BY_DIGEST)).toMatchObject({ outcome: 'verified', requests: 0, fromMemory: true });
  });

  it('ends by its own deadline, though no caller is in a hurry and the source never answers', async () => {
    const { verify, store } = await withSigned({ limits: { ...LIMITS, flightDeadline: 20 } });
    store.hold();
    expect(await verify(BY_DIGEST)).toMatchObject({ reason: { code: 'deadline-exceeded', asked: true } });
  });

  it('ends by its own deadline even where the source ignores its signal', async () => {
    const silent = new Promise<never>(() => undefined);
    const { verify } = await withSigned({
      limits: { ...LIMITS, flightDeadline: 20 },
      open: () => ({
        id: PILOT,
        resolve: () => silent,
        manifest: () => silent,
        blob: () => silent,
        referrers: () => silent,
      }),
    });
    expect(await verify(BY_DIGEST)).toMatchObject({ reason: { code: 'deadline-exceeded', asked: false } });
  });

  it('is not shared across a change of the ring', async () => {
    const harness = await createHarness();
    pushSignatures(harness.store, PILOT, digest, [sign(harness.stranger, PILOT, digest)]);
    const release = harness.store.hold();
    const before = harness.verify(BY_DIGEST);
    await settle();
    harness.ring = ringOf([await trust(harness.stranger)]);
    const after = harness.verify(BY_DIGEST);
    await settle();
    release();
    // The earlier verification ends under the new ring; by then the later one has found a signature that satisfies it.
    expect([wordOf(await before), wordOf(await after)]).toEqual(['verified', 'verified']);
    expect(harness.store.requests).toEqual([...DIGEST_REQUESTS, ...DIGEST_REQUESTS]);
  });
});

describe("a tag's digest", () => {
  it('is remembered for tagMemory', async () => {
    const harness = await withSigned();
    await harness.verify(BY_TAG);
    harness.time += 9_999;
    expect(await harness.verify(BY_TAG)).toMatchObject({
      outcome: 'verified',
      requests: 0,
      fromMemory: true,
    });
    harness.time += 1;
    expect(await harness.verify(BY_TAG)).toMatchObject({
      outcome: 'verified',
      requests: 1,
      fromMemory: true,
    });
  });

  it('is asked for each time where tagMemory is 0', async () => {
    const { verify, store } = await withSigned({ tagMemory: 0 });
    await verify(BY_TAG);
    expect(await verify(BY_TAG)).toMatchObject({ outcome: 'verified', requests: 1 });
    expect(store.requests.filter((line) => line.includes('resolve'))).toHaveLength(2);
  });

  it('is another once the tag has moved to an unsigned image', async () => {
    const harness = await withSigned();
    await harness.verify(BY_TAG);
    const unsigned = imageManifest('moved');
    push(harness.store, PILOT, unsigned, '1.28.0');
    harness.time += 10_000;
    expect(await harness.verify(BY_TAG)).toMatchObject({
      outcome: 'rejected',
      digest: unsigned.digest,
      reason: { code: 'signature-missing' },
    });
  });

  it('is looked for again at once where the tag was not there', async () => {
    const { verify, store } = await createHarness();
    expect(wordOf(await verify(BY_TAG))).toBe('image-not-found');
    push(store, PILOT, IMAGE, '1.28.0');
    expect(wordOf(await verify(BY_TAG))).toBe('signature-missing');
  });
});

type TagRows = Map<string, TagResolution>;

/** A table of tags that is these rows. */
const tableOf = (rows: TagRows): NonNullable<VerifierDependencies['tagTable']> => ({
  last: (repository, tag) => rows.get(`${repository}:${tag}`),
  add: (repository, tag, row) => void rows.set(`${repository}:${tag}`, row),
  update: (repository, tag, row) => {
    if (rows.has(`${repository}:${tag}`)) rows.set(`${repository}:${tag}`, row);
  },
});

describe('the tags that are kept', () => {
  const SMALL = { ...LIMITS, tagEntries: 4, rejectedEntries: 4 };

  /** Verifies a tag, then has these tags asked for, then lets the registry fail. Returns what the tag stands for. */
  const afterFlood = async (tags: (harness: Harness) => readonly string[]) => {
    const rows: TagRows = new Map();
    const harness = await withSigned({ limits: SMALL, tagTable: tableOf(rows) });
    await harness.verify(BY_TAG);
    for (const tag of tags(harness)) await harness.verify(tag);
    harness.store.failWith('unavailable');
    harness.time += 10_000;
    const { lastVerified } = (await harness.verify(BY_TAG)) as Undetermined;
    return { stood: lastVerified?.verified.digest, stored: [...rows.keys()] };
  };

  it('are not pushed out by tags that are not there, in memory or in the table', async () => {
    const absent = Array.from({ length: 100 }, (_, at) => `${PILOT}:absent-${at}`);
    expect(await afterFlood(() => absent)).toEqual({ stood: digest, stored: [BY_TAG] });
  });

  it('are kept even if many tags that are not there are asked for while the digest is verified', () => {
    const tags = createTagMemory(SMALL, { tagMemory: 0, now: () => 0 });
    tags.add('shop', PILOT, '1.28.0', digest);
    for (let at = 0; at < 100; at += 1) tags.add('hostile', PILOT, `absent-${at}`, undefined);
    tags.confirm(PILOT, '1.28.0', digest);
    expect(tags.last(PILOT, '1.28.0')).toEqual({ digest, at: 0 });
  });

  it('are not pushed out by tags of unsigned images, in memory or in the table', async () => {
    expect(
      await afterFlood(({ store }) =>
        Array.from({ length: 100 }, (_, at) => {
          push(store, PILOT, imageManifest(`unsigned ${at}`), `unsigned-${at}`);
          return `${PILOT}:unsigned-${at}`;
        }),
      ),
    ).toEqual({ stood: digest, stored: [BY_TAG] });
  });

  it('are not pushed out by genuine copies under many tags of another repository', async () => {
    const copies = 'docker.io/istio/ztunnel';
    const { stood } = await afterFlood(({ store, signer }) => {
      const copied = push(store, copies, imageManifest('copied'), 'copy');
      pushSignatures(store, copies, copied, [sign(signer, copies, copied)]);
      return Array.from({ length: 100 }, (_, at) => {
        push(store, copies, imageManifest('copied'), `copy-${at}`);
        return `${copies}:copy-${at}`;
      });
    });
    expect(stood).toBe(digest);
  });

  it('hold a tag that was verified only after its caller had left, once it is recalled', async () => {
    const harness = await withSigned();
    const release = harness.store.hold();
    const impatient = new AbortController();
    const left = harness.verify(BY_TAG, {}, impatient.signal);
    await settle();
    impatient.abort();
    release();
    expect(wordOf(await left)).toBe('deadline-exceeded');
    await settle();
    expect(await harness.verify(BY_DIGEST)).toMatchObject({ outcome: 'verified' });
    expect(await harness.verify(BY_TAG)).toMatchObject({ outcome: 'verified', requests: 0 });
    harness.store.failWith('unavailable');
    harness.time += 10_000;
    expect(await harness.verify(BY_TAG)).toMatchObject({ lastVerified: { verified: { digest } } });
  });
});

describe('a tag that cannot be resolved', () => {
  const afterward = async (
    change: (harness: Harness) => unknown = () => undefined,
    changes: Parameters<typeof createHarness>[0] = {},
  ) => {
    const harness = await withSigned(changes);
    const resolvedAt = harness.time;
    const first = await harness.verify(BY_TAG);
    harness.time += 60_000;
    await change(harness);
    return { harness, resolvedAt, first };
  };

  it.each([
    ['unavailable', 'registry-unavailable'],
    ['rate-limited', 'registry-rate-limited'],
  ] as const)('stands for its last answer where the registry is %s', async (fault, code) => {
    const { harness, resolvedAt, first } = await afterward();
    harness.store.failWith(fault);
    expect(await harness.verify(BY_TAG)).toEqual({
      outcome: 'undetermined',
      digest: undefined,
      reason: { code, detail: `${PILOT} resolve 1.28.0: ${fault}` },
      requests: 1,
      fromMemory: false,
      lastDigest: first.digest,
      lastVerified: { resolvedAt, verified: { ...first, requests: 0, fromMemory: true } },
    });
  });

  it.each([
    [2_900, { code: 'deadline-exceeded', asked: true }, undefined],
    [3_100, { code: 'registry-unavailable', detail: 'docker.io has not responded for 3.1 s' }, 'verified'],
  ])(
    'after %d ms without a response has the reason %o, with tagMemory 0 as well',
    async (time, reason, outcome) => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
      const { harness } = await afterward(undefined, { tagMemory: 0 });
      harness.store.hold();
      const caller = new AbortController();
      const verdict = harness.verify(BY_TAG, {}, caller.signal);
      await settle();
      vi.advanceTimersByTime(time);
      caller.abort();
      const { lastVerified, ...late } = (await verdict) as Undetermined;
      expect([late.reason, late.lastDigest, lastVerified?.verified.outcome]).toEqual([
        reason,
        digest,
        outcome,
      ]);
    },
  );

  it.each([
    ['holds it', true],
    ['is not used', false],
  ])(
    'stands for nothing where its last answer is dated in the future, and the table %s: its digest may still be revoked',
    async (_, held) => {
      const { harness, resolvedAt } = await afterward(
        undefined,
        held ? { tagTable: tableOf(new Map()) } : {},
      );
      harness.store.failWith('unavailable');
      harness.time = resolvedAt - 60_000;
      const verdict = await harness.verify(BY_TAG);
      expect(verdict).not.toHaveProperty('lastVerified');
      expect(verdict).toHaveProperty('lastDigest', digest);
      harness.time = resolvedAt + 60_000;
      expect(await harness.verify(BY_TAG)).toMatchObject({
        lastDigest: digest,
        lastVerified: { resolvedAt },
      });
    },
  );

  it('stands for an answer that is dated a little ahead, as made now: the clocks of replicas differ', async () => {
    const { harness, resolvedAt } = await afterward();
    harness.store.failWith('unavailable');
    harness.time = resolvedAt - 30_000;
    expect(await harness.verify(BY_TAG)).toMatchObject({ lastVerified: { resolvedAt: harness.time } });
    harness.time -= 1;
    expect(await harness.verify(BY_TAG)).not.toHaveProperty('lastVerified');
  });

  it('stands for what the table holds where its answer in memory is dated in the future', async () => {
    const { harness, resolvedAt } = await afterward(undefined, {
      tagTable: { ...tableOf(new Map()), last: () => ({ digest, at: 7 }) },
    });
    harness.store.failWith('unavailable');
    harness.time = resolvedAt - 60_000;
    expect(await harness.verify(BY_TAG)).toMatchObject({ lastVerified: { resolvedAt: 7 } });
  });

  it('stands for nothing where another replica has learned later that it is not there', async () => {
    const rows: TagRows = new Map();
    const { harness } = await afterward(undefined, { tagTable: tableOf(rows) });
    rows.set(BY_TAG, { digest: undefined, at: harness.time });
    harness.store.failWith('unavailable');
    expect(await harness.verify(BY_TAG)).not.toHaveProperty('lastVerified');
  });

  it('stands for nothing where it was never asked', async () => {
    const { harness } = await afterward();
    expect(await harness.verify(BY_TAG, {}, AbortSignal.abort())).not.toHaveProperty('lastVerified');
  });

  it.each(['refused', 'answer-invalid'] as const)(
    'stands for nothing where the registry is %s',
    async (fault) => {
      const { harness } = await afterward();
      harness.store.failWith(fault);
      expect(await harness.verify(BY_TAG)).not.toHaveProperty('lastVerified');
    },
  );

  it('stands for nothing where the registry fails only after it has resolved the tag', async () => {
    const { harness } = await afterward(async ({ store }) => {
      push(store, PILOT, imageManifest('moved'), '1.28.0');
      store.failWhere(/ manifest /, 'unavailable');
    });
    const verdict = await harness.verify(BY_TAG);
    expect(wordOf(verdict)).toBe('registry-unavailable');
    expect(verdict).not.toHaveProperty('lastVerified');
  });

  it.each<[string, (harness: Harness) => unknown]>([
    ['that it is not there', ({ store }) => store.untag(PILOT, '1.28.0')],
    ['an unsigned image', ({ store }) => push(store, PILOT, imageManifest('moved'), '1.28.0')],
  ])('stands for nothing where its last answer was %s', async (_, change) => {
    const { harness } = await afterward(async (before) => {
      change(before);
      await before.verify(BY_TAG);
      before.time += 60_000;
    });
    harness.store.failWith('unavailable');
    expect(await harness.verify(BY_TAG)).not.toHaveProperty('lastVerified');
  });

  it('stands for nothing where what it stood for does not satisfy this use', async () => {
    const { harness } = await afterward();
    harness.store.failWith('unavailable');
    expect(await harness.verify(BY_TAG, { component: 'ztunnel' })).not.toHaveProperty('lastVerified');
    harness.ring = ringOf([await trust(createSigner())]);
    expect(await harness.verify(BY_TAG)).not.toHaveProperty('lastVerified');
  });

  it('stands for nothing where it was never answered', async () => {
    const { verify, store } = await withSigned();
    store.failWith('unavailable');
    expect(await verify(BY_TAG)).not.toHaveProperty('lastVerified');
  });
});
