import type { AttentiveClock } from './attentive-clock.ts';

/** Measures for how long the registry has not responded to the requests of one flight. */
export interface Silence {
  /** Called when the wait for a response of the registry begins; the function that it returns, when that wait ends. */
  readonly onWait: () => () => void;
  /** Returns the milliseconds of the oldest wait for a response; 0 if none is awaited. */
  readonly length: () => number;
  /** True if a response is awaited. */
  readonly isAwaiting: () => boolean;
  /** Returns the milliseconds of the wait that ended last. */
  readonly lastLength: () => number;
  /** Ends every wait. */
  readonly close: () => void;
}

export const createSilence = (clock: AttentiveClock): Silence => {
  /** When each wait began, the oldest first, by the function that ends it. */
  const waits = new Map<() => void, number>();
  let last = 0;
  return {
    onWait() {
      const release = clock.hold();
      const end = (): void => {
        const since = waits.get(end);
        if (since === undefined) return;
        waits.delete(end);
        last = clock.now() - since;
        release();
      };
      waits.set(end, clock.now());
      return end;
    },
    length() {
      const [since] = waits.values();
      return since === undefined ? 0 : clock.now() - since;
    },
    isAwaiting: () => waits.size > 0,
    lastLength: () => last,
    close() {
      for (const end of waits.keys()) end();
    },
  };
};
