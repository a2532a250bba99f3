import type { Condition, Pod } from '../objects.ts';

/** What the kubelet tells of a container. */
export interface ContainerState {
  readonly running: boolean;
  readonly ready: boolean;
  readonly restarts: number;
  /** Why it does not run: `ImagePullBackOff`, `CrashLoopBackOff`. */
  readonly waiting?: { readonly reason: string; readonly message: string };
}

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

/** A strategic merge patch for the status of a pod with one container (core/v1, PodStatus). */
export const statusOf = (
  { spec }: Pod,
  {
    address,
    hostAddress,
    since,
  }: { readonly address: string; readonly hostAddress: string; readonly since: string },
  state: ContainerState,
): object => {
  const [container] = spec.containers;
  const now = new Date().toISOString();
  return {
    status: {
      phase: state.running || state.restarts > 0 ? 'Running' : 'Pending',
      startTime: since,
      hostIP: hostAddress,
      podIP: address,
      podIPs: [{ ip: address }],
      conditions: conditionsOf(state, now),
      containerStatuses: [
        {
          name: container?.name,
          image: container?.image,
          imageID: '',
          ready: state.ready,
          started: state.running,
          restartCount: state.restarts,
          state: state.running
            ? { running: { startedAt: now } }
            : { waiting: state.waiting ?? { reason: 'ContainerCreating' } },
        },
      ],
    },
  };
};
