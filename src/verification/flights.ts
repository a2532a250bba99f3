import { obstacleOfThrown, type Report } from './obstacle.ts';
import type { Obstacle } from './verification.ts';
import { within } from './within.ts';

/** HTTP requests sent through one source. */
export interface Spent {
  requests: number;
}

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly obstacle: Obstacle };

/** One question under way, on behalf of everyone who asks it meanwhile. */
interface Flight<T> {
  readonly answer: Promise<Answer<T>>;
  /** Whether a request was sent for it. */
  readonly asked: () => boolean;
}

export interface Flights<T> {
  /** Joins the flight of that name, or starts it with `ask`; `spent` counts the starter's requests. */
  join(
    name: string,
    spent: Readonly<Spent>,
    ask: (signal: AbortSignal) => Promise<T>,
    caller: AbortSignal,
  ): Promise<Answer<T>>;
}

const answerOf = async <T>(asking: () => Promise<T>, report: Report): Promise<Answer<T>> => {
  try {
    return { ok: true, value: await asking() };
  } catch (error) {
    return { ok: false, obstacle: obstacleOfThrown(error, report) };
  }
};

const late = (asked: boolean): { readonly ok: false; readonly obstacle: Obstacle } => ({
  ok: false,
  obstacle: { code: 'deadline-exceeded', asked },
});

/** Answers when `ask` does, and in `deadline` milliseconds at the latest even if the source ignores its signal. */
const fly = async <T>(
  ask: (signal: AbortSignal) => Promise<T>,
  {
    deadline,
    report,
    asked,
  }: { readonly deadline: number; readonly report: Report; readonly asked: () => boolean },
): Promise<Answer<T>> => {
  const clock = new AbortController();
  const timer = setTimeout(() => clock.abort(), deadline);
  timer.unref();
  const answer = await within(
    answerOf(() => ask(clock.signal), report),
    clock.signal,
  );
  clearTimeout(timer);
  return answer ?? late(asked());
};

/**
 * Lets concurrent questions of one name share one flight. A flight has its own deadline: a caller whose time is up
 * leaves it with `deadline-exceeded` and never ends it for the others.
 */
export const createFlights = <T>(options: {
  readonly deadline: number;
  readonly report: Report;
}): Flights<T> => {
  const underWay = new Map<string, Flight<T>>();
  const start = (
    name: string,
    spent: Readonly<Spent>,
    ask: (signal: AbortSignal) => Promise<T>,
  ): Flight<T> => {
    const before = spent.requests;
    const asked = () => spent.requests > before;
    const answer = fly(ask, { ...options, asked }).finally(() => underWay.delete(name));
    const flight = { answer, asked };
    underWay.set(name, flight);
    return flight;
  };
  return {
    async join(name, spent, ask, caller) {
      if (caller.aborted) return late(false);
      const flight = underWay.get(name) ?? start(name, spent, ask);
      return (await within(flight.answer, caller)) ?? late(flight.asked());
    },
  };
};
