import { orAborted, type ReportError } from '../../base/index.ts';
import { reasonOfThrown } from '../undetermined-reason.ts';
import type { UndeterminedReason } from '../verification.ts';
import type { AttentiveClock } from './attentive-clock.ts';
import { createSilence, type Silence } from './silence.ts';

export type SharedResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: UndeterminedReason };

/** A request in flight, as the one that sends it sees it. */
export interface Flight {
  /** Ends the flight: at its deadline, or when every caller left before anything was sent. */
  readonly signal: AbortSignal;
  /** Called once for each HTTP request sent. */
  readonly onRequest: () => void;
  readonly onWait: Silence['onWait'];
  /** True if a wait for the registry that has just been given up was long enough to be an outage. */
  readonly wasSilent: () => boolean;
}

/** The work that a caller shares with others. */
export interface FlightPlan<T> {
  readonly key: string;
  /** The registry that is asked; undefined: evidence on disk, for which nothing is sent. */
  readonly registry: string | undefined;
  /** The namespace that the requests are queued for; undefined: none. */
  readonly requester: string | undefined;
  readonly send: (flight: Flight) => Promise<T>;
  /** Called before a flight starts, not to join one. Returns the reason to refuse it, if there is one. */
  readonly refuse?: () => UndeterminedReason | undefined;
  /** Called when a flight ends for which nothing was sent. */
  readonly onUnsent?: () => void;
}

export interface SingleFlight<T> {
  /**
   * Joins the request in flight with this key, or starts it. A request that another namespace started is joined only while
   * its registry is awaited: until then it waits in the line of that namespace, which may be as long as it likes.
   */
  join(plan: FlightPlan<T>, caller: AbortSignal): Promise<SharedResult<T>>;
  /** The number of requests in flight. */
  size(): number;
}

export interface SingleFlightOptions {
  /** The deadline of each shared request, in milliseconds. */
  readonly deadline: number;
  /** A registry that was asked and has not responded for so many milliseconds is out of service. */
  readonly registrySilence: number;
  readonly clock: AttentiveClock;
  readonly report: ReportError;
}

/** One request in flight, shared by all its callers. It may take several HTTP requests. */
interface SharedRequest<T> {
  /** True if a caller of this namespace may join. */
  readonly isFor: (requester: string | undefined) => boolean;
  readonly result: Promise<SharedResult<T>>;
  /** The result of a caller whose time is up. */
  readonly late: () => SharedResult<T>;
  /** Adds a caller. Returns a function that removes it, with the reason why its time is up. */
  readonly enter: () => () => SharedResult<T>;
}

const failure = (reason: UndeterminedReason) => ({ ok: false, reason }) as const;

/**
 * The reason of a caller whose time is up. It is an outage only if the registry itself was silent for the whole of
 * `registrySilence`: a caller can choose a shorter time, and our queues and our work are not the registry's.
 */
const reasonOfLate = (
  registry: string | undefined,
  silence: number,
  asked: boolean,
  registrySilence: number,
): UndeterminedReason =>
  registry !== undefined && silence >= registrySilence
    ? {
        code: 'registry-unavailable',
        detail: `${registry} has not responded for ${Math.floor(silence / 100) / 10} s`,
      }
    : { code: 'deadline-exceeded', asked };

const resultOf = async <T>(send: () => Promise<T>, report: ReportError): Promise<SharedResult<T>> => {
  try {
    return { ok: true, value: await send() };
  } catch (error) {
    return failure(reasonOfThrown(error, report));
  }
};

/** Starts a request. `onDropped` is called if every caller left before anything was sent. */
const startRequest = <T>(
  { registry, requester, send, onUnsent }: FlightPlan<T>,
  { deadline, registrySilence, clock, report }: SingleFlightOptions,
  onDropped: () => void,
): SharedRequest<T> => {
  const controller = new AbortController();
  const silence = createSilence(clock);
  let asked = false;
  let callers = 0;
  const late = () => failure(reasonOfLate(registry, silence.length(), asked, registrySilence));

  // Before those of the source, whose waits end when it sees the signal.
  let atDeadline: SharedResult<T> | undefined;
  controller.signal.addEventListener('abort', () => (atDeadline = late()), { once: true });
  const timer = setTimeout(() => controller.abort(), deadline).unref();
  const flight: Flight = {
    signal: controller.signal,
    onRequest: () => {
      asked = true;
    },
    onWait: silence.onWait,
    wasSilent: () => Math.max(silence.length(), silence.lastLength()) >= registrySilence,
  };
  // Resolves at the deadline even if the source ignores its signal.
  const sent = resultOf(() => send(flight), report);
  const result = orAborted(sent, controller.signal, () => atDeadline ?? late()).finally(() => {
    clearTimeout(timer);
    silence.close();
    if (!asked) onUnsent?.();
  });
  return {
    isFor: (other) => other === requester || registry === undefined || silence.isAwaiting(),
    result,
    late,
    enter() {
      callers += 1;
      return () => {
        callers -= 1;
        const reason = late();
        // A request that was sent goes on, and its result is remembered; one that was not would only fill the queue.
        if (callers === 0 && !asked && registry !== undefined) {
          onDropped();
          controller.abort();
        }
        return reason;
      };
    },
  };
};

/**
 * Lets concurrent callers with the same key share one request. The request has its own deadline: a caller whose signal
 * aborts leaves it, and never ends it for the others.
 */
export const createSingleFlight = <T>(options: SingleFlightOptions): SingleFlight<T> => {
  const inFlight = new Map<string, Set<SharedRequest<T>>>();
  const start = (plan: FlightPlan<T>): SharedRequest<T> => {
    const { key } = plan;
    const requests = inFlight.get(key) ?? new Set();
    const remove = (): void => {
      requests.delete(request);
      if (requests.size === 0 && inFlight.get(key) === requests) inFlight.delete(key);
    };
    const request = startRequest(plan, options, remove);
    void request.result.finally(remove);
    requests.add(request);
    inFlight.set(key, requests);
    return request;
  };
  const find = ({ key, requester }: FlightPlan<T>): SharedRequest<T> | undefined => {
    for (const request of inFlight.get(key) ?? []) if (request.isFor(requester)) return request;
    return undefined;
  };
  return {
    size: () => inFlight.size,
    async join(plan, caller) {
      const joined = find(plan);
      if (caller.aborted) return joined?.late() ?? failure({ code: 'deadline-exceeded', asked: false });
      const refusal = joined === undefined ? plan.refuse?.() : undefined;
      if (refusal !== undefined) return failure(refusal);
      const request = joined ?? start(plan);
      return orAborted(request.result, caller, request.enter());
    },
  };
};
