import { describe, expect, it } from 'vitest';
import type { UndeterminedReason } from '../../../src/verification/index.ts';
import { createSingleFlight, type Flight } from '../../../src/verification/memory/single-flight.ts';

const REGISTRY = 'registry.corp.example';
const FOREVER = new AbortController().signal;

interface StartOptions {
  /** True if the flights read evidence on disk. */
  readonly evidence?: boolean;
  readonly refusal?: UndeterminedReason;
}

/** A single flight whose clock the test moves, and the flights that it started. */
const start = ({ evidence = false, refusal }: StartOptions = {}) => {
  const registry = evidence ? undefined : REGISTRY;
  let time = 0;
  let unsent = 0;
  const flights: (Flight & { readonly land: (value: string) => void })[] = [];
  const shared = createSingleFlight<string>({
    deadline: 60_000,
    registrySilence: 3_000,
    clock: { now: () => time, hold: () => () => undefined },
    report: () => 'incident-1',
  });
  const send = (flight: Flight): Promise<string> => {
    const { promise, resolve } = Promise.withResolvers<string>();
    flights.push({ ...flight, land: resolve });
    return promise;
  };
  return {
    flights,
    join: (caller: AbortSignal = FOREVER, requester = 'shop') =>
      shared.join(
        { key: 'key', registry, requester, send, refuse: () => refusal, onUnsent: () => void (unsent += 1) },
        caller,
      ),
    unsent: () => unsent,
    pass: (milliseconds: number) => void (time += milliseconds),
  };
};

const late = (asked: boolean) => ({ ok: false, reason: { code: 'deadline-exceeded', asked } });
const silent = (seconds: number) => ({
  ok: false,
  reason: { code: 'registry-unavailable', detail: `${REGISTRY} has not responded for ${seconds} s` },
});

/** A caller that leaves when the test says. */
const impatient = () => new AbortController();

describe('the reason of a caller that leaves', () => {
  it.each<[string, (flight: Flight, pass: (milliseconds: number) => void) => void, object]>([
    ['nothing was sent', (_, pass) => pass(60_000), late(false)],
    [
      'the registry was asked, and its response is not awaited: our own queue or work, or another host',
      ({ onRequest }, pass) => {
        onRequest();
        pass(60_000);
      },
      late(true),
    ],
    [
      'the registry was silent for less than the limit',
      ({ onRequest, onWait }, pass) => {
        onRequest();
        pass(10_000);
        onWait();
        pass(2_999);
      },
      late(true),
    ],
    [
      'the registry was silent for the limit',
      ({ onRequest, onWait }, pass) => {
        onRequest();
        onWait();
        pass(3_000);
      },
      silent(3),
    ],
    [
      'it responded after the limit, and is asked something else',
      ({ onRequest, onWait }, pass) => {
        onRequest();
        const end = onWait();
        pass(5_000);
        end();
        onWait();
        pass(2_000);
      },
      late(true),
    ],
    [
      'one of two questions is not answered for the limit',
      ({ onRequest, onWait }, pass) => {
        onRequest();
        onWait();
        pass(1_000);
        const end = onWait();
        pass(2_500);
        end();
      },
      silent(3.5),
    ],
  ])('where %s', async (_, ask, reason) => {
    const { join, flights, pass } = start();
    const caller = impatient();
    const left = join(caller.signal);
    ask(flights[0] as Flight, pass);
    caller.abort();
    expect(await left).toEqual(reason);
  });

  it('is the silence that we measured, though it has just joined', async () => {
    const { join, flights, pass } = start();
    void join();
    flights[0]?.onRequest();
    flights[0]?.onWait();
    pass(4_000);
    const caller = impatient();
    const left = join(caller.signal);
    caller.abort();
    expect(await left).toEqual(silent(4));
  });

  it('is never an outage where evidence on disk is read', async () => {
    const { join, flights, pass } = start({ evidence: true });
    const caller = impatient();
    const left = join(caller.signal);
    flights[0]?.onWait();
    pass(60_000);
    caller.abort();
    expect(await left).toEqual(late(false));
  });
});

describe('a flight that everyone left', () => {
  it('is dropped before anything is sent for it: the next caller starts anew', async () => {
    const { join, flights } = start();
    const callers = [impatient(), impatient()];
    const left = callers.map(({ signal }) => join(signal));
    callers[0]?.abort();
    expect(flights[0]?.signal.aborted).toBe(false);
    callers[1]?.abort();
    expect(await Promise.all(left)).toEqual([late(false), late(false)]);
    expect(flights[0]?.signal.aborted).toBe(true);
    const next = join();
    flights[1]?.land('anew');
    expect(await next).toEqual({ ok: true, value: 'anew' });
    expect(flights).toHaveLength(2);
  });

  it('goes on once something was sent for it: a later caller joins', async () => {
    const { join, flights } = start();
    const caller = impatient();
    const left = join(caller.signal);
    flights[0]?.onRequest();
    caller.abort();
    await left;
    const next = join();
    flights[0]?.land('joined');
    expect(await next).toEqual({ ok: true, value: 'joined' });
    expect(flights).toHaveLength(1);
  });

  it('goes on where it reads evidence: a disk may be slower than its callers', async () => {
    const { join, flights } = start({ evidence: true });
    const caller = impatient();
    const left = join(caller.signal);
    caller.abort();
    await left;
    expect(flights[0]?.signal.aborted).toBe(false);
  });
});

describe('a flight that another namespace started', () => {
  it('is not joined while it waits in the line of that namespace: the caller starts its own', async () => {
    const { join, flights } = start();
    const theirs = join(FOREVER, 'hostile');
    flights[0]?.onRequest();
    flights[0]?.onWait()();
    const [own, second] = [join(), join()];
    expect(flights).toHaveLength(2);
    flights[1]?.land('own');
    expect(await Promise.all([own, second])).toEqual([
      { ok: true, value: 'own' },
      { ok: true, value: 'own' },
    ]);
    flights[0]?.land('theirs');
    expect(await theirs).toEqual({ ok: true, value: 'theirs' });
  });

  it('is joined while the response of the registry is awaited', async () => {
    const { join, flights } = start();
    void join(FOREVER, 'hostile');
    flights[0]?.onRequest();
    flights[0]?.onWait();
    const joined = join();
    flights[0]?.land('theirs');
    expect(await joined).toEqual({ ok: true, value: 'theirs' });
    expect(flights).toHaveLength(1);
  });

  it('is joined where it reads evidence', async () => {
    const { join, flights } = start({ evidence: true });
    void join(FOREVER, 'hostile');
    const joined = join();
    flights[0]?.land('evidence');
    expect(await joined).toEqual({ ok: true, value: 'evidence' });
  });
});

describe('a flight that ends with nothing sent', () => {
  it('says so, once, and no other does', async () => {
    const { join, flights, unsent } = start();
    const caller = impatient();
    const left = join(caller.signal);
    caller.abort();
    await left;
    const sent = join();
    flights[1]?.onRequest();
    flights[1]?.land('sent');
    await sent;
    const failed = join();
    flights[2]?.land('without a request');
    await failed;
    expect(unsent()).toBe(2);
  });
});

describe('a flight that is refused', () => {
  const refusal = { code: 'internal-error', incident: 'incident-2' } as const;

  it('is not started', async () => {
    const { join, flights } = start({ refusal });
    expect(await join()).toEqual({ ok: false, reason: refusal });
    expect(flights).toHaveLength(0);
  });
});
