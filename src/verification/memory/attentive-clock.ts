/**
 * A clock that counts only the time in which this process could have noticed a response. While the process is held up, by
 * its own work or by the system, responses wait unread: that time is ours, and it must not count as anybody's silence.
 */
export interface AttentiveClock {
  /** Returns milliseconds since any time before. The clock runs only while it is held. */
  now(): number;
  /** Lets the clock run until the returned function is called. */
  hold(): () => void;
}

/** Between two ticks the event loop has read whatever arrived. */
const TICK_MS = 50;

/** The most that one tick counts: a longer gap means that the process was held up. */
const MAX_TICK_MS = 2 * TICK_MS;

/** Creates the clock over a clock in milliseconds that never goes back. */
export const createAttentiveClock = (monotonic: () => number): AttentiveClock => {
  let counted = 0;
  let tickedAt = 0;
  let holders = 0;
  let ticker: NodeJS.Timeout | undefined;

  const sinceTick = (): number => Math.min(Math.max(monotonic() - tickedAt, 0), MAX_TICK_MS);
  // Nothing but the ticker moves the clock on: several callbacks of one turn of the event loop read nothing in between.
  const tick = (): void => {
    counted += sinceTick();
    tickedAt = monotonic();
  };
  return {
    now: () => counted,
    hold() {
      holders += 1;
      if (ticker === undefined) {
        tickedAt = monotonic();
        ticker = setInterval(tick, TICK_MS).unref();
      }
      let held = true;
      return () => {
        if (!held) return;
        held = false;
        holders -= 1;
        if (holders > 0) return;
        clearInterval(ticker);
        ticker = undefined;
      };
    },
  };
};
