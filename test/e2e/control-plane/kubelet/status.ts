import { setTimeout as delay } from 'node:timers/promises';
import type { Api } from '../api.ts';
import { HOST } from '../control-plane.ts';
import type { Condition, Pod } from '../objects.ts';

/** What the kubelet tells of a container. */
export interface ContainerState {
  readonly running: boolean;
  readonly ready: boolean;
  readonly restarts: number;
  /** Why it does not run: `ImagePullBackOff`, `CrashLoopBackOff`. */
  readonly waiting?: { readonly reason: string; readonly message: string };
  /** It ended and is not started again. */
  readonly exitCode?: number;
}

/** Tells the API of a pod with one container. */
export interface Teller {
  readonly state: ContainerState;
  /** Changes the state at once, and tells it after everything told before. Never rejects. */
  tell(change: Partial<ContainerState>): Promise<void>;
  /** From now on nothing is told. */
  fallSilent(): void;
}

const phaseOf = ({ running, restarts, exitCode }: ContainerState): string => {
  if (exitCode !== undefined) return exitCode === 0 ? 'Succeeded' : 'Failed';
  return running || restarts > 0 ? 'Running' : 'Pending';
};

const conditionsOf = (
  { ready }: ContainerState,
  at: string,
): readonly (Condition & { lastTransitionTime: string })[] => {
  const of = (type: string, holds: boolean) =>
    ({ type, status: holds ? 'True' : 'False', lastTransitionTime: at }) as const;
  return [
    of('Initialized', true),
    of('PodScheduled', true),
    of('ContainersReady', ready),
    of('Ready', ready),
  ];
};

const stateOf = ({ running, waiting, exitCode }: ContainerState, at: string): object => {
  if (exitCode !== undefined) return { terminated: { exitCode, finishedAt: at } };
  return running ? { running: { startedAt: at } } : { waiting: waiting ?? { reason: 'ContainerCreating' } };
};

/** A strategic merge patch for the status (core/v1, PodStatus). */
const statusOf = ({ spec }: Pod, address: string, since: string, state: ContainerState): object => {
  const [container] = spec.containers;
  const now = new Date().toISOString();
  const { ready, running: started, restarts: restartCount } = state;
  return {
    status: {
      phase: phaseOf(state),
      startTime: since,
      hostIP: HOST,
      podIP: address,
      // A pod that is taken up again after its node was away has another address than before.
      podIPs: [{ $patch: 'replace' }, { ip: address }],
      conditions: conditionsOf(state, now),
      containerStatuses: [
        {
          name: container?.name,
          image: container?.image,
          imageID: '',
          ready,
          started,
          restartCount,
          state: stateOf(state, now),
        },
      ],
    },
  };
};

/** Until the API server answers; that the pod is not there any more is an answer too. */
const send = async (api: Api, path: string, body: object): Promise<void> => {
  const type = 'application/strategic-merge-patch+json';
  for (let tries = 0; tries < 100; tries += 1) {
    const answer = await api.ask('PATCH', path, { body, type }).catch(() => undefined);
    if (answer !== undefined && answer.status < 500) return;
    await delay(100);
  }
};

/** Opens it for a pod at its path; nothing is told yet. */
export const createTeller = (api: Api, path: string, pod: Pod, address: string): Teller => {
  const since = new Date().toISOString();
  let state: ContainerState = { running: false, ready: false, restarts: 0 };
  let told = Promise.resolve();
  let silent = false;
  return {
    get state() {
      return state;
    },
    tell(change) {
      state = { ...state, ...change };
      const status = statusOf(pod, address, since, state);
      told = told.then(() => (silent ? undefined : send(api, `${path}/status`, status)));
      return told;
    },
    fallSilent() {
      silent = true;
    },
  };
};
