import { setTimeout as delay } from 'node:timers/promises';
import type { Api, ApiResponse } from '../control-plane/api.ts';

/*
 * Creates pods at a steady rate through the real API server, by clients that keep their connections. They send by the
 * clock, whether earlier responses have arrived or not: a webhook that stalls gets no fewer requests for it. They send
 * concurrently, so that the API server calls the webhook over several connections. Each response is compared with the
 * expected outcome.
 */

/** The expected outcome: a pod, our refusal, or, while a change takes effect, either. */
export type Expected = 'created' | 'refused' | 'either';

/** Pods of one kind. */
export interface Workload {
  readonly name: string;
  readonly namespace: string;
  /** The entry of the webhook configuration that matches its namespace. */
  readonly entry: 'critical' | 'enforce';
  /** Returns the image of the next pod's sidecar. */
  readonly image: () => string;
  /** Returns the outcome that is expected now. */
  readonly expected: () => Expected;
}

/** One response. `failed`: neither a pod nor our refusal, or no response at all. */
export interface Call {
  readonly workload: string;
  readonly namespace: string;
  readonly entry: Workload['entry'];
  readonly image: string;
  readonly outcome: 'created' | 'refused' | 'failed';
  /** True if the response has a warning. */
  readonly warned: boolean;
  /** The error message; empty for a pod. */
  readonly said: string;
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
  readonly respondedAt: number;
}

/** The responses within a span of time. */
export interface Tally {
  readonly created: number;
  readonly refused: number;
  readonly warned: number;
  readonly failed: readonly Call[];
  /** Pods that should have been refused, and refusals that should have been pods. */
  readonly wrong: readonly Call[];
  /** Milliseconds. */
  readonly slowest: number;
  /** Milliseconds, from the first request to the last response. */
  readonly span: number;
}

export interface Load {
  /** Returns the responses since the previous call of `take`, or since the start. */
  take(): Tally;
  /** Returns the responses since the start. */
  total(): Tally;
  /** Stops sending, and waits for every response. */
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

/** True if this is the refusal of an image, as written or as pinned, by the entry of a workload. */
const isOurs = ({ entry }: Workload, image: string, said: string): boolean =>
  said
    .replace(/@sha256:[\da-f]{64}/, '')
    .startsWith(
      `admission webhook "${entry}.sailmark.dev" denied the request: image "${image.replace(/@.*/, '')}" in container "istio-proxy" (spec.containers[1].image): `,
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

/** True if the outcome is neither the one expected when the request was sent nor the one expected at the response. */
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
    namespace: workload.namespace,
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

/** Starts the load: `perSecond` requests in total, by the clients and the workloads in turn. */
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
