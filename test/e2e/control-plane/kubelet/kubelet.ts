import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WatchEvent } from '../api.ts';
import { type ControlPlane, HOST } from '../control-plane.ts';
import type { Pod } from '../objects.ts';
import { until } from '../until.ts';
import type { Image } from './container.ts';
import { livePod, type PodLife, type Surroundings } from './pod-life.ts';

/*
 * A kubelet, played by the test. Real here: the program, its arguments, environment, user, read-only root, mounts with
 * the kubelet's symlink swaps, bound service account tokens, network address, probes at their own times, signals, grace,
 * restarts and their pauses, what is told to the API. Played, or not there: images (a directory stands for one),
 * scheduling (there is one node, and every pod fits), limits of memory and processor, namespaces of process ids, network
 * policies, more than one container in a pod, DNS (a container is given the names of Services when it starts, and those of
 * the test), kube-proxy (service-proxy.ts).
 */

const NODE = 'node';
const NOT_READY = 'node.kubernetes.io/not-ready';

export interface KubeletOptions {
  /** Whose pods it runs; those of other namespaces stay unscheduled. */
  readonly namespace: string;
  /** What an image stands for; undefined: it cannot be pulled. */
  readonly image: (reference: string) => Image | undefined;
  readonly names?: Readonly<Record<string, string>>;
  /** Milliseconds between looks at Secrets and ConfigMaps; a kubelet takes up to two minutes, this one a second. */
  readonly syncPeriod?: number;
}

export interface Kubelet {
  /** What it runs, the oldest first. */
  pods(): readonly PodLife[];
  /** Those that are ready, when there are `count` of them and no other pod. */
  untilReady(count: number, seconds?: number): Promise<readonly PodLife[]>;
  /** What it runs and what that said, for people. */
  describe(): string;
  /** As if the node lost its power: every process is killed, nobody is told, volumes stay. */
  cutPower(): Promise<void>;
  /** Takes up again what the API says should run. */
  restorePower(): Promise<void>;
  stop(): Promise<void>;
}

const registerNode = async ({ api }: ControlPlane): Promise<void> => {
  const path = `/api/v1/nodes/${NODE}`;
  await api.create({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: NODE, labels: { 'kubernetes.io/hostname': NODE } },
  });
  const capacity = { cpu: '64', memory: '256Gi', pods: '500' };
  const conditions = [{ type: 'Ready', status: 'True', reason: 'Played' }];
  const addresses = [{ type: 'InternalIP', address: HOST }];
  await api.patch(`${path}/status`, { status: { capacity, allocatable: capacity, conditions, addresses } });
  const node = await api.get<{ readonly spec: { readonly taints?: readonly { readonly key: string }[] } }>(
    path,
  );
  const taints = (node.spec.taints ?? []).filter(({ key }) => key !== NOT_READY);
  await api.patch(path, { spec: { taints } });
};

/** 10.88.1.1, 10.88.1.2, …: each is given once, so that nobody takes a new pod for an old one. */
const createAddresses = (): (() => string) => {
  let given = 0;
  return () => {
    given += 1;
    return `10.88.${1 + Math.floor(given / 250)}.${1 + (given % 250)}`;
  };
};

/** Starts it on a node of its own. One at a time. */
export const startKubelet = async (plane: ControlPlane, options: KubeletOptions): Promise<Kubelet> => {
  const { api } = plane;
  await using started = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-kubelet-'));
  started.defer(() => rm(directory, { recursive: true, force: true }));
  const { namespace, image, names = {}, syncPeriod = 1000 } = options;
  const surroundings: Surroundings = { api, directory, image, names, syncPeriod };
  const nextAddress = createAddresses();
  const lives = new Map<string, PodLife>();
  const troubles: unknown[] = [];
  let power = new AbortController();
  await registerNode(plane);
  const running = started.move();

  const bind = async ({ metadata }: Pod): Promise<void> => {
    const body = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: metadata.name },
      target: { apiVersion: 'v1', kind: 'Node', name: NODE },
    };
    await api.must('POST', `/api/v1/namespaces/${namespace}/pods/${metadata.name}/binding`, { body });
  };

  const take = (pod: Pod, uid: string): PodLife => {
    const placed = { pod, address: nextAddress(), node: NODE };
    const life = livePod(placed, surroundings);
    lives.set(uid, life);
    life.gone
      .catch((error: unknown) => troubles.push(error))
      .finally(() => lives.get(uid) === life && lives.delete(uid));
    return life;
  };

  const onEvent = async ({ type, object: pod }: WatchEvent<Pod>): Promise<void> => {
    const { uid = '', deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata;
    const life = lives.get(uid);
    if (type === 'DELETED') life?.cut();
    else if (pod.spec.nodeName === undefined) await bind(pod).catch(() => undefined);
    else if (deletionTimestamp !== undefined) (life ?? take(pod, uid)).terminate(deletionGracePeriodSeconds);
    else if (life === undefined) take(pod, uid);
  };

  const work = async (signal: AbortSignal): Promise<void> => {
    try {
      for await (const event of api.follow<Pod>(`/api/v1/namespaces/${namespace}/pods`, signal))
        await onEvent(event);
    } catch (error) {
      if (!signal.aborted) troubles.push(error);
    }
  };
  let working = work(power.signal);

  const cutPower = async (): Promise<void> => {
    power.abort();
    await working;
    const all = [...lives.values()];
    for (const life of all) life.cut();
    await Promise.allSettled(all.map(({ gone }) => gone));
    lives.clear();
  };

  const pods = (): readonly PodLife[] => [...lives.values()];
  const describe = (): string =>
    pods()
      .map(
        (life) =>
          `${life.pod.metadata.name}, ${life.ready ? '' : 'not '}ready, restarts: ${life.restarts}\n${life.logs().slice(-4000)}`,
      )
      .join('\n');

  return {
    pods,
    describe,
    async untilReady(count, seconds = 60) {
      const findReady = async (): Promise<readonly PodLife[] | undefined> => {
        const all = pods();
        return all.length === count && all.every(({ ready }) => ready) ? all : undefined;
      };
      return until(`${count} ready pods`, findReady, { seconds }).catch((error: unknown) => {
        throw new Error(`not ${count} ready pods: ${describe()}`, { cause: troubles[0] ?? error });
      });
    },
    cutPower,
    async restorePower() {
      power = new AbortController();
      working = work(power.signal);
    },
    async stop() {
      await cutPower();
      await running.disposeAsync();
      if (troubles.length > 0) throw new AggregateError(troubles, 'the kubelet could not play all it met');
    },
  };
};
