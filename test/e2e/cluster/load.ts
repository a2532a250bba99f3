import { setTimeout as delay } from 'node:timers/promises';
import type { Api, ApiResponse } from '../control-plane/api.ts';

/*
 * Steady creation of pods through the real API server, by clients that keep their connections. They send by the clock,
 * whether earlier answers have come or not, so that a gate that stalls is not asked less for it; all of them at once, so
 * that the API server asks by several connections. Each answer is held to what must come.
 */

/** What must come: a pod, our refusal, or, while a change is being taken over, one of the two. */
export type Expected = 'created' | 'refused' | 'either';

/** Pods of one kind. */
export interface Workload {
  readonly name: string;
  readonly namespace: string;
  /** The entry of the webhook configuration that its namespace is in. */
  readonly entry: 'critical' | 'enforce';
  /** Of the next pod's sidecar. */
  readonly image: () => string;
  /** Of this moment. */
  readonly expected: () => Expected;
}

/** One answer. `failed`: neither a pod nor our refusal, or no answer at all. */
export interface Call {
  readonly workload: string;
  readonly entry: Workload['entry'];
  readonly image: string;
  readonly outcome: 'created' | 'refused' | 'failed';
  /** Whether the client was shown a warning. */
  readonly warned: boolean;
  /** What was answered, where it is no pod. */
  readonly said: string;
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
  readonly respondedAt: number;
}

/** Answers over a span of time. */
export interface Tally {
  readonly created: number;
  readonly refused: number;
  readonly warned: number;
  readonly failed: readonly Call[];
  /** A pod that had to be refused, or the other way round. */
  readonly wrong: readonly Call[];
  /** Milliseconds. */
  readonly slowest: number;
  /** Milliseconds, from the first call to the last answer. */
  readonly span: number;
}

export interface Load {
  /** What was answered since the last time this was asked, or since the start. */
  take(): Tally;
  /** What was answered since the start. */
  total(): Tally;
  /** Sends no more, and waits for every answer. */
  stop(): Promise<void>;
}

interface Judged {
  readonly call: Call;
  readonly isWrong: boolean;
}

const podOf = ({ namespace }: Workload, image: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { generateName: 'load-', namespace },
  spec: {
    containers: [
      { name: 'app', image: 'registry.example/app:1' },
      { name: 'istio-proxy', image },
    ],
  },
});

const messageOf = (body: unknown): string =>
  typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : String(body);

/** The refusal that names this image, by the entry that its namespace is in. */
const isOurs = ({ entry }: Workload, image: string, said: string): boolean =>
  said.startsWith(
    `admission webhook "${entry}.sailmark.dev" denied the request: image "${image}" in container "istio-proxy" (spec.containers[1].image): `,
  );

const outcomeOf = (
  workload: Workload,
  image: string,
  { status, body, warnings }: ApiResponse,
): Pick<Call, 'outcome' | 'said' | 'warned'> => {
  const warned = warnings.length > 0;
  if (status === 201) return { outcome: 'created', said: '', warned };
  const said = messageOf(body);
  return status === 403 && isOurs(workload, image, said)
    ? { outcome: 'refused', said, warned }
    : { outcome: 'failed', said: `${status} ${said}`, warned };
};

/** What had to come both when it was asked and when it was answered did not. */
const isWrong = (outcome: Call['outcome'], expected: readonly [Expected, Expected]): boolean =>
  outcome !== 'failed' && expected.every((each) => each !== 'either' && each !== outcome);

const send = async (api: Api, workload: Workload): Promise<Judged> => {
  const [image, before, sentAt] = [workload.image(), workload.expected(), Date.now()];
  const answer = await api
    .tryCreate(podOf(workload, image))
    .catch((error: unknown) => ({ status: 0, body: String(error), warnings: [] }));
  const outcome = outcomeOf(workload, image, answer);
  const call = {
    workload: workload.name,
    entry: workload.entry,
    image,
    ...outcome,
    sentAt,
    respondedAt: Date.now(),
  };
  return { call, isWrong: isWrong(outcome.outcome, [before, workload.expected()]) };
};

const tallyOf = (judged: readonly Judged[]): Tally => {
  const calls = judged.map(({ call }) => call);
  const having = (outcome: Call['outcome']): readonly Call[] =>
    calls.filter((call) => call.outcome === outcome);
  const first = calls.reduce((least, { sentAt }) => Math.min(least, sentAt), Number.POSITIVE_INFINITY);
  const last = calls.reduce((most, { respondedAt }) => Math.max(most, respondedAt), first);
  return {
    created: having('created').length,
    refused: having('refused').length,
    warned: calls.filter(({ warned }) => warned).length,
    failed: having('failed'),
    wrong: judged.filter((each) => each.isWrong).map(({ call }) => call),
    slowest: calls.reduce((most, { sentAt, respondedAt }) => Math.max(most, respondedAt - sentAt), 0),
    span: calls.length === 0 ? 0 : last - first,
  };
};

/** Starts it: `perSecond` calls in all, one from each client at a time, the workloads in turn. */
export const startLoad = (
  clients: readonly Api[],
  workloads: readonly Workload[],
  perSecond: number,
): Load => {
  const calls: Judged[] = [];
  const underWay = new Set<Promise<void>>();
  const end = new AbortController();
  let taken = 0;
  const nextOf = (turn: number): Workload => {
    const workload = workloads[turn % workloads.length];
    if (workload === undefined) throw new Error('a load needs workloads');
    return workload;
  };
  const sendFrom = (api: Api, turn: number): void => {
    const call = send(api, nextOf(turn)).then((judged) => void calls.push(judged));
    underWay.add(call);
    void call.finally(() => underWay.delete(call));
  };
  const work = async (): Promise<void> => {
    const start = Date.now();
    for (let sent = 0; !end.signal.aborted; sent += clients.length) {
      for (const [place, api] of clients.entries()) sendFrom(api, sent + place);
      const next = start + ((sent + clients.length) * 1000) / perSecond;
      await delay(Math.max(0, next - Date.now()), undefined, { signal: end.signal }).catch(() => undefined);
    }
  };
  const working = work();
  return {
    take() {
      const tally = tallyOf(calls.slice(taken));
      taken = calls.length;
      return tally;
    },
    total: () => tallyOf(calls),
    async stop() {
      end.abort();
      await working;
      await Promise.all(underWay);
    },
  };
};
