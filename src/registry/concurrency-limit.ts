import { createFairQueue, type MayStart, type Purpose, type Waiting } from './fair-queue.ts';
import { SourceFault } from './source.ts';

/** Runs work in one of the slots of a registry, and waits in line for it until the signal ends. */
type RunInSlot = <T>(purpose: Purpose, work: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/** The slots of a registry, and the line for them. */
export interface ConcurrencyLimit {
  readonly run: RunInSlot;
  /** The requests that hold a slot, and those in line. */
  readonly load: () => { readonly inFlight: number; readonly waiting: number };
}

/** Requests in line. Bounds memory; reviews end sooner than so many requests are sent. */
const MAX_WAITING = 4_096;
/** The part of the slots that only known requests may take. */
const KNOWN_PART = 1 / 8;

/** Counts by name; a name that is at zero is not stored. */
const createCounts = () => {
  const counts = new Map<string, number>();
  const of = (name: string): number => counts.get(name) ?? 0;
  return {
    of,
    change(name: string, by: 1 | -1): void {
      const count = of(name) + by;
      if (count === 0) counts.delete(name);
      else counts.set(name, count);
    },
  };
};

const pairOf = (requester: string, repository: string): string => `${requester}\n${repository}`;

/**
 * Limits the requests in flight to one registry. A requester, and a repository, may hold no more slots than it leaves free:
 * the first one half of them, the next half of the rest, and so on. So requests that hang take no slot from others, and
 * places in line are shared by the same rule. Within a repository a requester may hold no more than that one may still take:
 * hanging requests of one namespace keep no other from the same repository.
 */
export const createConcurrencyLimit = (max: number, registry: string): ConcurrencyLimit => {
  const queue = createFairQueue();
  const byRequester = createCounts();
  const byRepository = createCounts();
  const byPair = createCounts();
  let inFlight = 0;
  const reserved = Math.floor(max * KNOWN_PART);
  const freeFor = (known: boolean): number => max - inFlight - (known ? 0 : reserved);
  const mayStart: MayStart = {
    requester: (name, known) => byRequester.of(name) < freeFor(known),
    repository: (path, known, requester) =>
      byPair.of(pairOf(requester, path)) < freeFor(known) - byRepository.of(path),
  };

  const hold = ({ requester, repository }: Purpose, by: 1 | -1): void => {
    byRequester.change(requester, by);
    byRepository.change(repository, by);
    byPair.change(pairOf(requester, repository), by);
    inFlight += by;
  };
  const startNext = (): void => {
    for (let next = queue.take(mayStart); next !== undefined; next = queue.take(mayStart)) {
      hold(next, 1);
      next.start();
    }
  };
  const faultOf = (why: string): SourceFault =>
    new SourceFault('deadline', `no request was sent to ${registry} in time: ${why}`, { asked: false });

  const acquire = async (purpose: Purpose, signal: AbortSignal): Promise<void> => {
    if (signal.aborted) throw faultOf('the time was up');
    if (queue.sizeOf(purpose.requester) >= MAX_WAITING - queue.size)
      throw faultOf(`${queue.size} requests are waiting`);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = { ...purpose, start: resolve };
    const leave = (): void => {
      queue.remove(waiting);
      reject(faultOf(`${inFlight} requests are in flight`));
    };
    queue.add(waiting);
    startNext();
    signal.addEventListener('abort', leave, { once: true });
    await promise.finally(() => signal.removeEventListener('abort', leave));
  };

  return {
    load: () => ({ inFlight, waiting: queue.size }),
    async run(purpose, work, signal) {
      await acquire(purpose, signal);
      try {
        return await work();
      } finally {
        hold(purpose, -1);
        startNext();
      }
    },
  };
};
