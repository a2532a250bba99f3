import { setImmediate as nextTurn } from 'node:timers/promises';

/** Timers that fire only as the test advances the time. It replaces those of this process until it is stopped. */
export interface VirtualClock {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Fires timers in the order of their times, and lets everything settle after each, until `isDone` or none is left. */
  run(isDone: () => boolean): Promise<void>;
  stop(): void;
}

interface Timer {
  readonly due: number;
  readonly order: number;
  run: (() => void) | undefined;
}

export const VIRTUAL_START = Date.UTC(2026, 0, 1);

const isBefore = (left: Timer, right: Timer): boolean =>
  left.due < right.due || (left.due === right.due && left.order < right.order);

/** A binary heap of timers, the earliest first. */
const createQueue = () => {
  const heap: Timer[] = [];
  const at = (index: number): Timer => heap[index] as Timer;
  const swap = (a: number, b: number): void => void ([heap[a], heap[b]] = [at(b), at(a)]);
  const sink = (): void => {
    for (let parent = 0, child = 1; child < heap.length; parent = child, child = 2 * parent + 1) {
      if (child + 1 < heap.length && isBefore(at(child + 1), at(child))) child += 1;
      if (!isBefore(at(child), at(parent))) return;
      swap(child, parent);
    }
  };
  return {
    first: (): Timer | undefined => heap[0],
    add(timer: Timer): void {
      heap.push(timer);
      for (let child = heap.length - 1; child > 0 && isBefore(at(child), at((child - 1) >> 1)); ) {
        swap(child, (child - 1) >> 1);
        child = (child - 1) >> 1;
      }
    },
    removeFirst(): void {
      const last = heap.pop();
      if (last === undefined || heap.length === 0) return;
      heap[0] = last;
      sink();
    },
  };
};

/** Resolves when nothing is left to do but to wait for timers. */
const settle = async (): Promise<void> => {
  do await nextTurn();
  while (process.getActiveResourcesInfo().includes('Immediate'));
};

/** Replaces `setTimeout`, `setInterval` and their counterparts by timers of a virtual clock. */
export const startVirtualClock = (): VirtualClock => {
  const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
  const queue = createQueue();
  let time = VIRTUAL_START;
  let started = 0;
  const start = (run: () => void, milliseconds = 0): Timer => {
    started += 1;
    const timer: Timer = { due: time + Math.max(1, Math.ceil(milliseconds)), order: started, run };
    queue.add(timer);
    return timer;
  };
  const handleOf = (first: Timer) => {
    const handle = { timer: first, ref: () => handle, unref: () => handle, hasRef: () => false };
    return handle;
  };
  const end = (handle: { readonly timer?: Timer } | undefined): void => {
    if (handle?.timer !== undefined) handle.timer.run = undefined;
  };
  Object.assign(globalThis, {
    setTimeout: (run: (...values: unknown[]) => void, milliseconds?: number, ...values: unknown[]) =>
      handleOf(start(() => run(...values), milliseconds)),
    clearTimeout: end,
    setInterval: (run: () => void, milliseconds: number) => {
      const handle = handleOf(start(run, milliseconds));
      const repeat = (): void => {
        handle.timer = start(repeat, milliseconds);
        run();
      };
      handle.timer.run = repeat;
      return handle;
    },
    clearInterval: end,
  });
  Object.defineProperty(performance, 'now', { value: () => time, configurable: true });
  const fireNext = (): boolean => {
    const timer = queue.first();
    if (timer === undefined) return false;
    queue.removeFirst();
    time = Math.max(time, timer.due);
    timer.run?.();
    return true;
  };
  return {
    now: () => time,
    async run(isDone) {
      for (await settle(); !isDone(); await settle()) {
        const due = queue.first()?.due;
        if (due === undefined) return;
        while (queue.first()?.due === due) fireNext();
      }
    },
    stop() {
      Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval });
      Reflect.deleteProperty(performance, 'now');
    },
  };
};
