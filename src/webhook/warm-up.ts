import { setImmediate } from 'node:timers/promises';
import { orAborted } from '../base/index.ts';
import { unpinnedText } from '../image/index.ts';
import { type Judge, needsVerification } from '../policy/index.ts';

/** The result of a warm-up, as the log has it. */
export interface WarmUpResult {
  /** Images in the list, duplicates included. */
  readonly seen: number;
  /** Distinct images that need verification: these were judged. */
  readonly asked: number;
  readonly verified: number;
}

interface WarmUpOptions {
  /** The images of pods. The list may throw, hang or never end. */
  readonly images: AsyncIterable<{ readonly image: string }>;
  /** Remembers its verdicts, which is the purpose of a warm-up. */
  readonly judge: Judge;
  /** Images judged at the same time. */
  readonly maxConcurrent: number;
  /** Ends the warm-up when it is aborted. */
  readonly signal: AbortSignal;
}

/** Bounds memory: a cluster has a handful of Istio images, but anyone who can create pods can name any number. */
const MAX_IMAGES = 1000;

/** So many undetermined verdicts in a row mean that the registry is down. Reviews query it later in any case. */
const MAX_CONSECUTIVE_UNDETERMINED = 3;

/** Images between two turns of the event loop: a list that never waits would keep the timer of the signal from firing. */
const IMAGES_PER_TURN = 64;

/**
 * Judges each distinct image that needs verification, so that the first reviews find the verdicts in memory. Ends when the
 * list does, when the signal is aborted, or early if the list fails or the registry is down. Nothing depends on the result,
 * so it never rejects.
 */
export const warmUp = async ({
  images,
  judge,
  maxConcurrent,
  signal: timeout,
}: WarmUpOptions): Promise<WarmUpResult> => {
  const failure = new AbortController();
  const signal = AbortSignal.any([timeout, failure.signal]);
  const pool = createJudgePool(judge, { maxConcurrent, signal, failure });
  const judged = new Set<string>();
  let seen = 0;
  try {
    for await (const { image } of takeUntilAborted(images, signal)) {
      seen += 1;
      for (const text of textsToJudge(image, judge, judged)) {
        judged.add(text);
        await pool.start(text);
      }
      if (judged.size >= MAX_IMAGES) break;
    }
  } catch {
    // The list failed. The verifications in progress still finish.
  }
  return { seen, asked: judged.size, verified: await pool.finish() };
};

/** Returns the image, and the image by its tag alone, as far as they need verification and were not judged. */
const textsToJudge = (image: string, judge: Judge, judged: ReadonlySet<string>): readonly string[] =>
  [image, ...tagBeside(image, judge)].filter(
    (text) => !judged.has(text) && needsVerification(judge.inspect(text)),
  );

/**
 * Returns the image by its tag, if the tag stands beside a digest: the next pod names the tag again, and in an outage it
 * can be pinned only if it was resolved before.
 */
const tagBeside = (image: string, judge: Judge): readonly string[] => {
  const { reference } = judge.inspect(image);
  const byTag = reference && unpinnedText(reference);
  return byTag === undefined ? [] : [byTag];
};

/** Judges at most `maxConcurrent` images at a time. Aborts `failure` after too many undetermined verdicts in a row. */
const createJudgePool = (
  judge: Judge,
  {
    maxConcurrent,
    signal,
    failure,
  }: Pick<WarmUpOptions, 'maxConcurrent' | 'signal'> & { readonly failure: AbortController },
) => {
  const inProgress = new Set<Promise<void>>();
  let verified = 0;
  let consecutiveUndetermined = 0;
  const judgeImage = async (image: string): Promise<void> => {
    const judgement = await orAborted(judge.judge(image, signal), signal, () => undefined);
    const outcome = judgement?.verification?.outcome;
    if (outcome === 'verified') verified += 1;
    consecutiveUndetermined = outcome === 'undetermined' ? consecutiveUndetermined + 1 : 0;
    if (consecutiveUndetermined >= MAX_CONSECUTIVE_UNDETERMINED) failure.abort();
  };
  return {
    /** Starts to judge an image. Resolves once there is room for another. */
    async start(image: string): Promise<void> {
      const judging = judgeImage(image)
        .catch(() => failure.abort())
        .finally(() => inProgress.delete(judging));
      inProgress.add(judging);
      if (inProgress.size >= maxConcurrent) await Promise.race(inProgress);
    },
    /** Waits for the images in progress. Resolves to the number of verified images. */
    async finish(): Promise<number> {
      await Promise.all(inProgress);
      return verified;
    },
  };
};

/** Yields the items until the signal is aborted, even if the iterable ignores the signal. Throws if the iterable does. */
async function* takeUntilAborted<T>(
  iterable: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void> {
  const iterator = iterable[Symbol.asyncIterator]();
  try {
    for (let count = 1; ; count += 1) {
      if (count % IMAGES_PER_TURN === 0) await setImmediate();
      const next = signal.aborted ? undefined : await orAborted(iterator.next(), signal, () => undefined);
      if (next === undefined || next.done === true) return;
      yield next.value;
    }
  } finally {
    // Not awaited: an iterator that hangs would hang here as well.
    void (async () => iterator.return?.())().catch(() => {});
  }
}
