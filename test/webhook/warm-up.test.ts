import { describe, expect, it, onTestFinished } from 'vitest';
import { compose } from '../../src/compose.ts';
import { parseConfig } from '../../src/config/index.ts';
import type { Judge } from '../../src/policy/index.ts';
import { warmUp } from '../../src/webhook/warm-up.ts';
import { type Mirror, startMirror } from '../support/mirror.ts';
import { judgement, rejected, undetermined, verified } from '../support/verdicts.ts';

type Images = Parameters<typeof warmUp>[0]['images'];

const FOREIGN = ['redis:8', 'registry.example/team/app:1', 'not an image', ''];

/** Starts a mirror, and loads a judge whose configuration trusts it. */
const startMirrorAndLoadJudge = async (options: Parameters<typeof startMirror>[0] = {}) => {
  const mirror = await startMirror(options);
  const config = await parseConfig(
    JSON.stringify({ apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration', ...mirror.configuration }),
    () => Promise.reject(new Error('there are no files in this test')),
  );
  const core = compose(config, { report: () => 'incident-1', onKeyEvent: () => {}, now: Date.now });
  await core.load();
  onTestFinished(async () => {
    await core.close();
    await mirror.registry.close();
  });
  const warm = (
    images: Images,
    over: { readonly maxConcurrent?: number; readonly signal?: AbortSignal } = {},
  ) => warmUp({ images, judge: core.judge, maxConcurrent: 4, signal: AbortSignal.timeout(20_000), ...over });
  return { mirror, judge: core.judge, warm };
};

async function* list(...images: readonly string[]): AsyncGenerator<{ readonly image: string }> {
  for (const image of images) yield { image };
}

const never = new Promise<never>(() => {});

/** Wraps a judge to record the images it judges, and how many at the same time. */
const recordingJudge = (judge: Judge) => {
  const calls = { images: [] as string[], inProgress: 0, maxInProgress: 0 };
  const watching = async (image: string, signal: AbortSignal) => {
    calls.images.push(image);
    calls.inProgress += 1;
    calls.maxInProgress = Math.max(calls.maxInProgress, calls.inProgress);
    return judge.judge(image, signal).finally(() => (calls.inProgress -= 1));
  };
  return { calls, judge: { ...judge, judge: watching } };
};

const tagsOf = (mirror: Mirror, count: number): readonly string[] =>
  Array.from({ length: count }, () => mirror.add().byTag);

describe('a warm-up', () => {
  it('has the verdicts remembered, so that a review asks nobody', async () => {
    const { mirror, judge, warm } = await startMirrorAndLoadJudge();
    const [one, two, unsigned] = [mirror.add(), mirror.add({ bundle: true }), mirror.add({ by: false })];
    const result = await warm(list(one.byTag, ...FOREIGN, two.byDigest, unsigned.byDigest, 'redis:9'));
    expect(result).toEqual({ seen: 8, asked: 3, verified: 2 });
    mirror.registry.clearRequests();
    expect(
      [one.byTag, one.byDigest, two.byDigest].map((image) => judge.recall(image)?.verification?.outcome),
    ).toEqual(['verified', 'verified', 'verified']);
    expect(mirror.registry.requests).toEqual([]);
  });

  it('resolves the tag of a pinned image too: the next pod names it, and nobody is asked', async () => {
    const { mirror, judge, warm } = await startMirrorAndLoadJudge();
    const { byTag, byDigest, digest } = mirror.add();
    expect(await warm(list(`${byTag}@${digest}`, byDigest))).toEqual({ seen: 2, asked: 3, verified: 3 });
    mirror.registry.clearRequests();
    expect(judge.recall(byTag)?.verification).toMatchObject({ outcome: 'verified', digest });
    expect(mirror.registry.requests).toEqual([]);
  });

  it('asks nobody about images that are not Istio’s', async () => {
    const { mirror, warm } = await startMirrorAndLoadJudge();
    expect(await warm(list(...FOREIGN))).toEqual({ seen: 4, asked: 0, verified: 0 });
    expect(mirror.registry.requests).toEqual([]);
  });

  it('asks about each image once, however many pods have it', async () => {
    const { mirror, judge } = await startMirrorAndLoadJudge();
    const { byTag } = mirror.add();
    const { calls, judge: watching } = recordingJudge(judge);
    const images = list(byTag, byTag, byTag, byTag);
    const { signal } = new AbortController();
    expect(await warmUp({ images, judge: watching, maxConcurrent: 4, signal })).toEqual({
      seen: 4,
      asked: 1,
      verified: 1,
    });
    expect(calls.images).toEqual([byTag]);
  });

  it.each([
    [1, 1],
    [3, 3],
    [0, 1],
  ])('judges at most %i at once', async (maxConcurrent, most) => {
    const { mirror, judge } = await startMirrorAndLoadJudge({ latency: 5 });
    const { calls, judge: watching } = recordingJudge(judge);
    const images = list(...tagsOf(mirror, 8));
    const { signal } = new AbortController();
    expect(await warmUp({ images, judge: watching, maxConcurrent, signal })).toEqual({
      seen: 8,
      asked: 8,
      verified: 8,
    });
    expect(calls.maxInProgress).toBe(most);
  });

  it('asks about a thousand images at most, and then lets go of the list', async () => {
    const { judge } = await startMirrorAndLoadJudge();
    let released = false;
    const images = (async function* () {
      try {
        for (let tag = 0; ; tag += 1) yield { image: `docker.io/istio/proxyv2:1.28.${tag}` };
      } finally {
        released = true;
      }
    })();
    const seen = judge.inspect('redis:8');
    const judging = { ...judge, judge: async () => seen };
    const { signal } = new AbortController();
    expect(await warmUp({ images, judge: judging, maxConcurrent: 4, signal })).toEqual({
      seen: 1000,
      asked: 1000,
      verified: 0,
    });
    expect(released).toBe(true);
  });
});

describe('a warm-up ends early', () => {
  it('before anything is read, where the time is up already', async () => {
    const { mirror, warm } = await startMirrorAndLoadJudge();
    let read = false;
    const next = async () => {
      read = true;
      return { done: true, value: undefined } as const;
    };
    const images: Images = { [Symbol.asyncIterator]: () => ({ next }) };
    expect(await warm(images, { signal: AbortSignal.abort() })).toEqual({ seen: 0, asked: 0, verified: 0 });
    expect(read).toBe(false);
    expect(mirror.registry.requests).toEqual([]);
  });

  it.each([
    [
      'cannot be opened',
      () => {
        throw new Error('no list');
      },
    ],
    [
      'throws at once',
      () => ({
        next: () => {
          throw new Error('no page');
        },
      }),
    ],
    [
      'throws at once, and again when it is let go',
      () => ({
        next: () => {
          throw new Error('no page');
        },
        return: () => {
          throw new Error('no end');
        },
      }),
    ],
  ] as const)('where the list %s', async (_, opened) => {
    const { warm } = await startMirrorAndLoadJudge();
    const images = { [Symbol.asyncIterator]: opened } as unknown as Images;
    expect(await warm(images)).toEqual({ seen: 0, asked: 0, verified: 0 });
  });

  it('where the list breaks off, and finishes what is under way', async () => {
    const { mirror, warm } = await startMirrorAndLoadJudge({ latency: 5 });
    const [one, two] = tagsOf(mirror, 2) as [string, string];
    const images = (async function* () {
      yield* list(one, two);
      throw new Error('no second page');
    })();
    expect(await warm(images)).toEqual({ seen: 2, asked: 2, verified: 2 });
  });

  it('when the time is up, though the list hangs and does not hear of it', async () => {
    const { mirror, judge } = await startMirrorAndLoadJudge();
    const { byTag } = mirror.add();
    const { calls, judge: watching } = recordingJudge(judge);
    const end = new AbortController();
    const images = (async function* () {
      yield { image: byTag };
      await expect.poll(() => [calls.images.length, calls.inProgress]).toEqual([1, 0]);
      end.abort();
      await never;
    })();
    expect(await warmUp({ images, judge: watching, maxConcurrent: 4, signal: end.signal })).toEqual({
      seen: 1,
      asked: 1,
      verified: 1,
    });
  });

  it('when the time is up, though the list never ends and never waits', async () => {
    const { warm } = await startMirrorAndLoadJudge();
    const images = (async function* () {
      for (;;) yield { image: 'redis:8' };
    })();
    const result = await warm(images, { signal: AbortSignal.timeout(50) });
    expect(result).toMatchObject({ asked: 0, verified: 0 });
    expect(result.seen).toBeGreaterThan(64);
  });

  it('when the time is up, though a registry hangs', async () => {
    const { mirror, warm } = await startMirrorAndLoadJudge();
    const tags = tagsOf(mirror, 6);
    mirror.registry.fault = () => true;
    const began = performance.now();
    expect(await warm(list(...tags), { maxConcurrent: 2, signal: AbortSignal.timeout(100) })).toEqual({
      seen: 2,
      asked: 2,
      verified: 0,
    });
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it('when the time is up, though the judge misses its signal', async () => {
    const { judge, mirror } = await startMirrorAndLoadJudge();
    const deaf = { ...judge, judge: () => never };
    const images = list(mirror.add().byTag);
    expect(await warmUp({ images, judge: deaf, maxConcurrent: 4, signal: AbortSignal.timeout(50) })).toEqual({
      seen: 1,
      asked: 1,
      verified: 0,
    });
  });

  it('when nothing could be found out three times in a row: the registry does not answer', async () => {
    const { mirror, judge } = await startMirrorAndLoadJudge();
    const tags = tagsOf(mirror, 10);
    mirror.registry.fault = (_, response) => {
      response.statusCode = 503;
      response.end();
      return true;
    };
    const { calls, judge: watching } = recordingJudge(judge);
    const { signal } = new AbortController();
    expect(await warmUp({ images: list(...tags), judge: watching, maxConcurrent: 1, signal })).toMatchObject({
      asked: 3,
      verified: 0,
    });
    expect(calls.images).toEqual(tags.slice(0, 3));
  });

  it.each([1, 4])('where the judge throws, which it must not, %i at once', async (maxConcurrent) => {
    const { judge, mirror } = await startMirrorAndLoadJudge();
    const broken = { ...judge, judge: () => Promise.reject(new Error('broken')) };
    const { signal } = new AbortController();
    const images = list(...tagsOf(mirror, 8));
    const { asked, verified: none } = await warmUp({ images, judge: broken, maxConcurrent, signal });
    expect(none).toBe(0);
    expect(asked).toBeLessThanOrEqual(maxConcurrent);
  });
});

describe('a warm-up goes on', () => {
  it('as long as no three in a row come to nothing', async () => {
    const { judge } = await startMirrorAndLoadJudge();
    const away = undetermined({ code: 'registry-unavailable', detail: 'no answer' });
    const outcomes = [
      away,
      away,
      rejected({ code: 'signature-missing' }),
      away,
      away,
      verified(),
      away,
      away,
      verified(),
    ];
    const tags = outcomes.map((_, index) => `docker.io/istio/proxyv2:1.28.${index}`);
    const scripted = async (image: string) => judgement(image, outcomes[tags.indexOf(image)]);
    const judging = { ...judge, judge: scripted };
    const { signal } = new AbortController();
    expect(await warmUp({ images: list(...tags), judge: judging, maxConcurrent: 1, signal })).toEqual({
      seen: 9,
      asked: 9,
      verified: 2,
    });
  });
});

describe('when a warm-up has ended', () => {
  it('nothing of it goes on: it asks for no image any more, and lets go of those it asked for', async () => {
    const { mirror, judge } = await startMirrorAndLoadJudge();
    const { calls, judge: watching } = recordingJudge(judge);
    mirror.registry.fault = () => true;
    const end = new AbortController();
    const images = list(...tagsOf(mirror, 6));
    const warming = warmUp({ images, judge: watching, maxConcurrent: 2, signal: end.signal });
    await expect.poll(() => mirror.registry.requests.length).toBeGreaterThan(1);
    end.abort();
    expect(await warming).toEqual({ seen: 2, asked: 2, verified: 0 });
    await expect.poll(() => calls.inProgress).toBe(0);
    expect(calls.images.length).toBe(2);
  });
});
