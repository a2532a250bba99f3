import { afterEach, describe, expect, it, vi } from 'vitest';
import { createAttentiveClock } from '../../../src/verification/memory/attentive-clock.ts';

/** A clock, and a process that can be held up: time passes, and no timer fires. */
const start = () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  let time = 0;
  const clock = createAttentiveClock(() => time);
  return {
    clock,
    stall: (milliseconds: number) => void (time += milliseconds),
    pass(milliseconds: number) {
      for (let passed = 0; passed < milliseconds; passed += 10) {
        time += 10;
        vi.advanceTimersByTime(10);
      }
    },
  };
};

afterEach(() => void vi.useRealTimers());

describe('time in which the process was held up', () => {
  it('counts as no more than a tick of 100 ms, however long it was', () => {
    const { clock, stall, pass } = start();
    clock.hold();
    pass(1_000);
    stall(60_000);
    expect(clock.now()).toBe(1_000);
    pass(50);
    expect(clock.now()).toBe(1_100);
  });

  it('does not count before the event loop has turned, whoever looks at the clock or holds it', () => {
    const { clock, stall } = start();
    clock.hold();
    for (let callback = 0; callback < 100; callback += 1) {
      stall(100);
      clock.hold();
      expect(clock.now()).toBe(0);
    }
  });

  it('does not count at all before the clock is held', () => {
    const { clock, stall, pass } = start();
    clock.hold()();
    stall(60_000);
    clock.hold();
    pass(50);
    expect(clock.now()).toBe(50);
  });

  it('does not make the clock go back', () => {
    const { clock, stall, pass } = start();
    clock.hold();
    pass(100);
    stall(-5_000);
    pass(50);
    expect(clock.now()).toBe(100);
  });
});

describe('an attentive clock', () => {
  it('keeps the time while it is held, by whomever', () => {
    const { clock, pass } = start();
    const [one, other] = [clock.hold(), clock.hold()];
    pass(3_000);
    expect(clock.now()).toBe(3_000);
    one();
    one();
    pass(1_000);
    expect(clock.now()).toBe(4_000);
    other();
    expect(vi.getTimerCount()).toBe(0);
    pass(1_000);
    expect(clock.now()).toBe(4_000);
  });
});
