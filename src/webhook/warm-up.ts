import { setImmediate } from 'node:timers/promises';
import { orAborted } from '../base/index.ts';
import { type Judge, needsVerification } from '../policy/index.ts';

/** What a warm-up came to. */
export interface WarmUpResult {
  /** Images that were named. */
  readonly seen: number;
  /** The distinct ones among them that are Istio's to verify: these were judged. */
  readonly asked: number;
  readonly verified: number;
}

interface WarmUpOptions {
  /** Images of pods. It may throw, hang or never end. */
  readonly images: AsyncIterable<{ readonly image: string }>;
  /** Remembers what it verifies: that is what a warm-up is for. */
  readonly judge: Judge;
  /** Images that are judged at once. */
  readonly maxConcurrent: number;
  /** When it ends, whatever is left to do. */
  readonly signal: AbortSignal;
}

/** A cluster has a handful of Istio images; somebody who runs a thousand kinds of them must not fill memory. */
const MOST_ASKED = 1000;

/** So many in a row of which nothing could be found out: their registry does not answer, and reviews ask it anyway. */
const GIVE_UP = 3;

/** An endless list that never waits must not keep timers, and so the signal, from being heard. */
const BREATHE = 64;

/** The members until the signal ends, whether or not the iterable hears of it. Throws as it does. */
async function* until<T>(iterable: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void> {
  const iterator = iterable[Symbol.asyncIterator]();
  try {
    for (let count = 1; ; count += 1) {
      if (count % BREATHE === 0) await setImmediate();
      const next = signal.aborted ? undefined : await orAborted(iterator.next(), signal, () => undefined);
      if (next === undefined || next.done === true) return;
      yield next.value;
    }
  } finally {
    // Told, but not waited for: one that hangs would hang here as well.
    void (async () => iterator.return?.())().catch(() => {});
  }
}

/** Judges images beside each other, at most `atOnce`; aborts `trouble` where too many in a row come to nothing. */
const createAsker = (judge: Judge, atOnce: number, signal: AbortSignal, trouble: AbortController) => {
  const underWay = new Set<Promise<void>>();
  let verified = 0;
  let inVain = 0;
  const ask = async (image: string): Promise<void> => {
    const outcome = (await orAborted(judge.judge(image, signal), signal, () => undefined))?.verification
      ?.outcome;
    if (outcome === 'verified') verified += 1;
    inVain = outcome === 'undetermined' ? inVain + 1 : 0;
    if (inVain >= GIVE_UP) trouble.abort();
  };
  return {
    /** Resolves once there is room for another. */
    async start(image: string): Promise<void> {
      const asking = ask(image)
        .catch(() => trouble.abort())
        .finally(() => underWay.delete(asking));
      underWay.add(asking);
      if (underWay.size >= atOnce) await Promise.race(underWay);
    },
    async finish(): Promise<number> {
      await Promise.all(underWay);
      return verified;
    },
  };
};

/**
 * Judges each distinct image that is Istio's, so that the first reviews find its verdict remembered. Ends when the
 * images do, when the signal does, or early on trouble: of the list, or of a registry that does not answer. It is a
 * kindness and no condition: it never rejects, and nothing depends on what it came to.
 */
export const warmUp = async ({
  images,
  judge,
  maxConcurrent: atOnce,
  signal: end,
}: WarmUpOptions): Promise<WarmUpResult> => {
  const trouble = new AbortController();
  const signal = AbortSignal.any([end, trouble.signal]);
  const asker = createAsker(judge, atOnce, signal, trouble);
  const asked = new Set<string>();
  let seen = 0;
  try {
    for await (const { image } of until(images, signal)) {
      seen += 1;
      if (asked.has(image) || !needsVerification(judge.look(image))) continue;
      asked.add(image);
      await asker.start(image);
      if (asked.size >= MOST_ASKED) break;
    }
  } catch {
    // Of the list: what is under way is finished all the same.
  }
  return { seen, asked: asked.size, verified: await asker.finish() };
};
