import type { ImageUse, Judgement } from './decision.ts';
import { type Judge, needsVerification } from './judge.ts';

export interface JudgeLimits {
  /** Distinct Istio images that one review may hold; those past it are `too-many-images`, and not asked about. */
  readonly imagesPerReview: number;
  /** Verifications that run at once for one review. */
  readonly verificationsAtOnce: number;
}

/** Runs the tasks, at most `atOnce` at a time. Rejects as soon as one does. */
const runBounded = async (tasks: readonly (() => Promise<void>)[], atOnce: number): Promise<void> => {
  if (tasks.length <= atOnce) return void (await Promise.all(tasks.map((task) => task())));
  const waiting = tasks.values();
  const work = async (): Promise<void> => {
    for (const task of waiting) await task();
  };
  await Promise.all(Array.from({ length: Math.min(Math.max(atOnce, 1), tasks.length) }, work));
};

/**
 * Judges every distinct image of the uses once, side by side. The answer is by image text, in the order of their
 * first use. Images past the limit are refused and cost no request, so a pod cannot make us ask without end.
 */
export const judgeAll = async (
  judge: Judge,
  uses: readonly ImageUse[],
  limits: JudgeLimits,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Judgement>> => {
  const judgements = new Map<string, Judgement>();
  const tasks: (() => Promise<void>)[] = [];
  for (const { image } of uses) {
    if (judgements.has(image)) continue;
    const seen = judge.look(image);
    const wanted = needsVerification(seen);
    const surplus = wanted && tasks.length >= limits.imagesPerReview;
    judgements.set(image, surplus ? tooMany(seen, limits.imagesPerReview) : seen);
    if (wanted && !surplus) tasks.push(async () => void judgements.set(image, await judge(image, signal)));
  }
  await runBounded(tasks, limits.verificationsAtOnce);
  return judgements;
};

/**
 * What `judgeAll` gives, where memory suffices for every image: nothing is awaited. Undefined where one must be asked
 * for, or where there are too many.
 */
export const recallAll = (
  judge: Judge,
  uses: readonly ImageUse[],
  { imagesPerReview }: Pick<JudgeLimits, 'imagesPerReview'>,
): ReadonlyMap<string, Judgement> | undefined => {
  const judgements = new Map<string, Judgement>();
  let verified = 0;
  for (const { image } of uses) {
    if (judgements.has(image)) continue;
    const judgement = judge.recall(image);
    if (judgement === undefined) return undefined;
    if (judgement.verification !== undefined) verified += 1;
    if (verified > imagesPerReview) return undefined;
    judgements.set(image, judgement);
  }
  return judgements;
};

const tooMany = (seen: Judgement, limit: number): Judgement => ({
  ...seen,
  refused: { code: 'too-many-images', limit },
});
