import { SourceFault } from './source.ts';

/** Lets at most `most` questions through at once; the others wait in line, each as long as its signal allows. */
export const createConcurrencyLimit = (most: number, name: string) => {
  let inside = 0;
  const line: (() => void)[] = [];
  const enter = async (signal: AbortSignal): Promise<void> => {
    if (inside < most) {
      inside += 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      const place = line.indexOf(resolve);
      if (place !== -1) line.splice(place, 1);
      reject(
        new SourceFault('deadline', `no time was left to ask ${name}: ${most} questions are under way`, {
          asked: false,
        }),
      );
    };
    if (signal.aborted) leave();
    else line.push(resolve);
    signal.addEventListener('abort', leave, { once: true });
    await promise.finally(() => signal.removeEventListener('abort', leave));
  };
  /** Hands the place to the next in line, or frees it. */
  const exit = (): void => {
    const next = line.shift();
    if (next === undefined) inside -= 1;
    else next();
  };
  return async <T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> => {
    await enter(signal);
    try {
      return await work();
    } finally {
      exit();
    }
  };
};
