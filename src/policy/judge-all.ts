import type { ImageUse, Judgement } from './decision.ts';
import { type Judge, needsVerification } from './judge.ts';

export interface JudgeLimits {
  /** Distinct Istio images that one review may contain; those past it are `too-many-images`, and not verified. */
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

const tooMany = (seen: Judgement, limit: number): Judgement => ({
  ...seen,
  refused: { code: 'too-many-images', limit },
});

/**
 * Judges each distinct image of the uses once, in the order of first use, and adds the judgements to `judgements`.
 * `judgeOne` judges an image that needs verification; images past the limit are refused and cost no request, so a pod
 * cannot cause requests without end. Stops and returns false if `judgeOne` returns undefined.
 */
const judgeEach = (
  judgements: Map<string, Judgement>,
  judge: Judge,
  uses: readonly ImageUse[],
  limit: number,
  judgeOne: (image: string, seen: Judgement) => Judgement | undefined,
): boolean => {
  let verifications = 0;
  for (const { image } of uses) {
    if (judgements.has(image)) continue;
    let judgement: Judgement | undefined = judge.inspect(image);
    if (needsVerification(judgement)) {
      verifications += 1;
      judgement = verifications > limit ? tooMany(judgement, limit) : judgeOne(image, judgement);
    }
    if (judgement === undefined) return false;
    judgements.set(image, judgement);
  }
  return true;
};

/** Judges every image of the uses concurrently, for a namespace: `requester`. Returns the judgements by image text, in the order of first use. */
export const judgeAll = async (
  judge: Judge,
  uses: readonly ImageUse[],
  { imagesPerReview, verificationsAtOnce }: JudgeLimits,
  signal: AbortSignal,
  requester?: string,
): Promise<ReadonlyMap<string, Judgement>> => {
  const judgements = new Map<string, Judgement>();
  const tasks: (() => Promise<void>)[] = [];
  judgeEach(judgements, judge, uses, imagesPerReview, (image, seen) => {
    tasks.push(async () => void judgements.set(image, await judge.judge(image, signal, { requester })));
    return seen;
  });
  await runBounded(tasks, verificationsAtOnce);
  return judgements;
};

/** Judges every image of the uses from memory, with nothing awaited. Undefined if memory does not suffice for one. */
export const recallAll = (
  judge: Judge,
  uses: readonly ImageUse[],
  { imagesPerReview }: Pick<JudgeLimits, 'imagesPerReview'>,
): ReadonlyMap<string, Judgement> | undefined => {
  const judgements = new Map<string, Judgement>();
  return judgeEach(judgements, judge, uses, imagesPerReview, judge.recall) ? judgements : undefined;
};
