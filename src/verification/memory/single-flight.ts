import { orAborted, type ReportError } from '../../base/index.ts';
import { reasonOfThrown } from '../undetermined-reason.ts';
import type { UndeterminedReason } from '../verification.ts';

/** Counts the HTTP requests of one verification. */
export interface RequestCount {
  requests: number;
}

export type SharedResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: UndeterminedReason };

type Send<T> = (signal: AbortSignal) => Promise<T>;

/** One request in flight, shared by all its callers. It may take several HTTP requests. */
interface SharedRequest<T> {
  readonly result: Promise<SharedResult<T>>;
  /** True once an HTTP request was sent for it. */
  readonly asked: () => boolean;
}

export interface SingleFlight<T> {
  /**
   * Joins the request in flight with this key, or starts it with `send`; `sent` counts the HTTP requests of the
   * starter.
   */
  join(
    key: string,
    sent: Readonly<RequestCount>,
    send: Send<T>,
    caller: AbortSignal,
  ): Promise<SharedResult<T>>;
}

interface SingleFlightOptions {
  /** The deadline of each shared request, in milliseconds. */
  readonly deadline: number;
  readonly report: ReportError;
}

const resultOf = async <T>(send: () => Promise<T>, report: ReportError): Promise<SharedResult<T>> => {
  try {
    return { ok: true, value: await send() };
  } catch (error) {
    return { ok: false, reason: reasonOfThrown(error, report) };
  }
};

const deadlineExceeded = (asked: boolean): { readonly ok: false; readonly reason: UndeterminedReason } => ({
  ok: false,
  reason: { code: 'deadline-exceeded', asked },
});

/**
 * Resolves when `send` settles, and after `deadline` milliseconds at the latest, even if the source ignores its signal.
 */
const sendWithin = async <T>(
  { deadline, report }: SingleFlightOptions,
  send: Send<T>,
  asked: () => boolean,
): Promise<SharedResult<T>> => {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), deadline);
  timer.unref();
  const result = await orAborted(
    resultOf(() => send(controller.signal), report),
    controller.signal,
    () => deadlineExceeded(asked()),
  );
  clearTimeout(timer);
  return result;
};

/**
 * Lets concurrent callers with the same key share one request. The request has its own deadline: a caller whose signal
 * aborts leaves it with `deadline-exceeded` and never ends it for the others.
 */
export const createSingleFlight = <T>(options: SingleFlightOptions): SingleFlight<T> => {
  const inFlight = new Map<string, SharedRequest<T>>();
  const start = (key: string, sent: Readonly<RequestCount>, send: Send<T>): SharedRequest<T> => {
    const sentBefore = sent.requests;
    const asked = () => sent.requests > sentBefore;
    const result = sendWithin(options, send, asked).finally(() => inFlight.delete(key));
    const request = { result, asked };
    inFlight.set(key, request);
    return request;
  };
  return {
    async join(key, sent, send, caller) {
      if (caller.aborted) return deadlineExceeded(false);
      const request = inFlight.get(key) ?? start(key, sent, send);
      return orAborted(request.result, caller, () => deadlineExceeded(request.asked()));
    },
  };
};
