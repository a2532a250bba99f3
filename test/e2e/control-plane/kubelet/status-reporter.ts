import { setTimeout as delay } from 'node:timers/promises';
import type { Api } from '../api.ts';
import { HOST } from '../control-plane.ts';
import type { Condition, Pod } from '../objects.ts';

/** The state of a container, as the kubelet reports it. */
export interface ContainerState {
  readonly running: boolean;
  readonly ready: boolean;
  readonly restarts: number;
  /** The reason why it does not run: `ImagePullBackOff`, `CrashLoopBackOff`. */
  readonly waiting?: { readonly reason: string; readonly message: string };
  /** Set if it ended and is not started again. */
  readonly exitCode?: number;
}

/** Reports the status of a pod with one container to the API. */
export interface StatusReporter {
  readonly state: ContainerState;
  /** Changes the state at once, and reports it after all earlier changes. Never rejects. */
  report(change: Partial<ContainerState>): Promise<void>;
  /** Stops reporting. */
  silence(): void;
}

const phaseOf = ({ running, restarts, exitCode }: ContainerState): string => {
  if (exitCode !== undefined) return exitCode === 0 ? 'Succeeded' : 'Failed';
  return running || restarts > 0 ? 'Running' : 'Pending';
};

const conditionsOf = (
  { ready }: ContainerState,
  at: string,
): readonly (Condition & { lastTransitionTime: string })[] => {
  const condition = (type: string, holds: boolean) =>
    ({ type, status: holds ? 'True' : 'False', lastTransitionTime: at }) as const;
  return [
    condition('Initialized', true),
    condition('PodScheduled', true),
    condition('ContainersReady', ready),
    condition('Ready', ready),
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
      // A pod that runs again after a power failure of its node has another address.
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

/** Retries until the API server responds with a status below 500; 404 means that the pod is gone. */
const send = async (api: Api, path: string, body: object): Promise<void> => {
  const type = 'application/strategic-merge-patch+json';
  for (let tries = 0; tries < 100; tries += 1) {
    const response = await api.send('PATCH', path, { body, type }).catch(() => undefined);
    if (response !== undefined && response.status < 500) return;
    await delay(100);
  }
};

/** Creates a reporter for the pod at a path. It reports nothing yet. */
export const createStatusReporter = (api: Api, path: string, pod: Pod, address: string): StatusReporter => {
  const since = new Date().toISOString();
  let state: ContainerState = { running: false, ready: false, restarts: 0 };
  let reported = Promise.resolve();
  let silent = false;
  return {
    get state() {
      return state;
    },
    report(change) {
      state = { ...state, ...change };
      const status = statusOf(pod, address, since, state);
      reported = reported.then(() => (silent ? undefined : send(api, `${path}/status`, status)));
      return reported;
    },
    silence() {
      silent = true;
    },
  };
};
