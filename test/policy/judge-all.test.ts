import { describe, expect, it } from 'vitest';
import { createJudge, judgeAll } from '../../src/policy/index.ts';
import type { Verifier } from '../../src/verification/index.ts';
import { istioImage, NOT_OURS, use, verified, withoutMemory } from '../support/verdicts.ts';

const judgeWith = (verify: Verifier['verify']) =>
  createJudge({
    classify: ({ repository }) => (repository.name.startsWith('docker.io/istio/') ? istioImage() : NOT_OURS),
    couldBeIstio: () => false,
    verifier: withoutMemory(verify),
    revoked: [],
    exemptions: [],
  });

const images = (count: number) => Array.from({ length: count }, (_, index) => `istio/proxyv2:1.28.${index}`);
const { signal } = new AbortController();

describe('judging all images of a review', () => {
  it('refuses those past the limit without asking about them', async () => {
    const judged: (string | undefined)[] = [];
    const judge = judgeWith(async ({ reference }) => {
      judged.push(reference.tag);
      return verified();
    });
    const uses = ['redis:8', ...images(3), 'nginx:1'].map((image) => use(image));
    const judgements = await judgeAll(judge, uses, { imagesPerReview: 2, verificationsAtOnce: 8 }, signal);
    expect(judged).toEqual(['1.28.0', '1.28.1']);
    expect(
      [...judgements.values()].map(({ image, refused, verification }) => [
        image,
        refused,
        verification?.outcome,
      ]),
    ).toEqual([
      ['redis:8', undefined, undefined],
      ['istio/proxyv2:1.28.0', undefined, 'verified'],
      ['istio/proxyv2:1.28.1', undefined, 'verified'],
      ['istio/proxyv2:1.28.2', { code: 'too-many-images', limit: 2 }, undefined],
      ['nginx:1', undefined, undefined],
    ]);
  });

  it('asks once about an image that many containers use', async () => {
    let judgedCount = 0;
    const judge = judgeWith(async () => {
      judgedCount += 1;
      return verified();
    });
    const uses = Array.from({ length: 8 }, () => use('istio/proxyv2:1.28.0'));
    await judgeAll(judge, uses, { imagesPerReview: 64, verificationsAtOnce: 8 }, signal);
    expect(judgedCount).toBe(1);
  });

  it('runs as many verifications at once as the limit says, and no more', async () => {
    const waiting: (() => void)[] = [];
    const most: number[] = [];
    const judge = judgeWith(async () => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return verified();
    });
    const uses = images(7).map((image) => use(image));
    const done = judgeAll(judge, uses, { imagesPerReview: 64, verificationsAtOnce: 3 }, signal);
    for (let step = 0; step < 7; step += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      most.push(waiting.length);
      waiting.shift()?.();
    }
    expect([most, (await done).size]).toEqual([[3, 3, 3, 3, 3, 2, 1], 7]);
  });

  it('rejects where a verification does, so that nothing is allowed for want of an error', async () => {
    const judge = judgeWith(async () => Promise.reject(new Error('broken')));
    const judged = judgeAll(
      judge,
      [use('istio/proxyv2:1')],
      { imagesPerReview: 64, verificationsAtOnce: 3 },
      signal,
    );
    await expect(judged).rejects.toThrow('broken');
  });
});
