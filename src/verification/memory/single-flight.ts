import { orAborted, type ReportError } from '../../base/index.ts';
import { reasonOfThrown } from '../undetermined-reason.ts';
import type { UndeterminedReason } from '../verification.ts';

/** HTTP requests sent through one source. */
export interface RequestCount {
  requests: number;
}

export type FlightResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly obstacle: UndeterminedReason };

/** One question under way, on behalf of everyone who asks it meanwhile. */
interface Flight<T> {
  readonly answer: Promise<FlightResult<T>>;
  /** Whether a request was sent for it. */
  readonly asked: () => boolean;
}

export interface SingleFlight<T> {
  /** Joins the flight of that name, or starts it with `ask`; `spent` counts the starter's requests. */
  join(
    name: string,
    spent: Readonly<RequestCount>,
    ask: (signal: AbortSignal) => Promise<T>,
    caller: AbortSignal,
  ): Promise<FlightResult<T>>;
}

const answerOf = async <T>(asking: () => Promise<T>, report: ReportError): Promise<FlightResult<T>> => {
  try {
    return { ok: true, value: await asking() };
  } catch (error) {
    return { ok: false, obstacle: reasonOfThrown(error, report) };
  }
};

const late = (asked: boolean): { readonly ok: false; readonly obstacle: UndeterminedReason } => ({
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
  }: { readonly deadline: number; readonly report: ReportError; readonly asked: () => boolean },
): Promise<FlightResult<T>> => {
  const clock = new AbortController();
  const timer = setTimeout(() => clock.abort(), deadline);
  timer.unref();
  const answer = await orAborted(
    answerOf(() => ask(clock.signal), report),
    clock.signal,
    () => late(asked()),
  );
  clearTimeout(timer);
  return answer;
};

/**
 * Lets concurrent questions of one name share one flight. A flight has its own deadline: a caller whose time is up
 * leaves it with `deadline-exceeded` and never ends it for the others.
 */
export const createSingleFlight = <T>(options: {
  readonly deadline: number;
  readonly report: ReportError;
}): SingleFlight<T> => {
  const underWay = new Map<string, Flight<T>>();
  const start = (
    name: string,
    spent: Readonly<RequestCount>,
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
      return orAborted(flight.answer, caller, () => late(flight.asked()));
    },
  };
};
