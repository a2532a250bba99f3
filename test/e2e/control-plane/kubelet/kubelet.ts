import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WatchEvent } from '../api.ts';
import { type ControlPlane, HOST } from '../control-plane.ts';
import type { Pod } from '../objects.ts';
import { until } from '../until.ts';
import { type KubeletContext, type PodRunner, type PullImage, runPod } from './pod-runner.ts';

/*
 * A simulated kubelet. Real: the program, its arguments, environment, user, read-only root, mounts with the kubelet's
 * symlink swaps, bound service account tokens, network address, probes at their own times, signals, grace periods,
 * restarts and their back-off, the status in the API. Simplified or missing: images (a directory takes the place of
 * one, unless the test pulls it), scheduling (there is one node, and every pod fits), limits of memory and CPU, PID namespaces, network policies,
 * pods of several containers, DNS (a container gets the names of Services in its hosts file when it starts, and those
 * of the test), kube-proxy (service-proxy.ts).
 */

const NODE = 'node';
const NOT_READY = 'node.kubernetes.io/not-ready';

export interface KubeletOptions {
  /** It runs the pods of this namespace; pods of others stay unscheduled. */
  readonly namespace: string;
  readonly image: PullImage;
  readonly names?: Readonly<Record<string, string>>;
  /**
   * Milliseconds between two reads of Secrets and ConfigMaps: by default a second. A real kubelet takes up to two
   * minutes.
   */
  readonly syncPeriod?: number;
}

export interface Kubelet {
  /** The pods that it runs, the oldest first. */
  pods(): readonly PodRunner[];
  /** Waits until it runs `count` pods and all of them are ready. */
  untilReady(count: number, seconds?: number): Promise<readonly PodRunner[]>;
  /** Describes the pods and their logs, for error messages. */
  describe(): string;
  /** Simulates a power failure of the node: kills every process and reports nothing. Volumes stay. */
  cutPower(): Promise<void>;
  /** Starts the pods that are bound to the node again. */
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
  const conditions = [{ type: 'Ready', status: 'True', reason: 'Simulated' }];
  const addresses = [{ type: 'InternalIP', address: HOST }];
  await api.patch(`${path}/status`, { status: { capacity, allocatable: capacity, conditions, addresses } });
  const node = await api.get<{ readonly spec: { readonly taints?: readonly { readonly key: string }[] } }>(
    path,
  );
  const taints = (node.spec.taints ?? []).filter(({ key }) => key !== NOT_READY);
  await api.patch(path, { spec: { taints } });
};

/** Returns 10.88.1.2, 10.88.1.3, …: each once, so that no client takes a new pod for an old one. */
const createAddresses = (): (() => string) => {
  let count = 0;
  return () => {
    count += 1;
    return `10.88.${1 + Math.floor(count / 250)}.${1 + (count % 250)}`;
  };
};

/** Registers a node and starts its kubelet. Only one can run at a time. */
export const startKubelet = async (plane: ControlPlane, options: KubeletOptions): Promise<Kubelet> => {
  const { api } = plane;
  await using started = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-kubelet-'));
  started.defer(() => rm(directory, { recursive: true, force: true }));
  const { namespace, image, names = {}, syncPeriod = 1000 } = options;
  const context: KubeletContext = { api, directory, image, names, syncPeriod };
  const nextAddress = createAddresses();
  const lives = new Map<string, PodRunner>();
  const failures: unknown[] = [];
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
    await api.sendOrThrow('POST', `/api/v1/namespaces/${namespace}/pods/${metadata.name}/binding`, { body });
  };

  const take = (pod: Pod, uid: string): PodRunner => {
    const scheduled = { pod, address: nextAddress(), node: NODE };
    const life = runPod(scheduled, context);
    lives.set(uid, life);
    life.gone
      .catch((error: unknown) => failures.push(error))
      .finally(() => lives.get(uid) === life && lives.delete(uid));
    return life;
  };

  const onEvent = async ({ type, object: pod }: WatchEvent<Pod>): Promise<void> => {
    const { uid = '', deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata;
    const life = lives.get(uid);
    if (type === 'DELETED') life?.kill();
    else if (pod.spec.nodeName === undefined) await bind(pod).catch(() => undefined);
    else if (deletionTimestamp !== undefined) (life ?? take(pod, uid)).terminate(deletionGracePeriodSeconds);
    else if (life === undefined) take(pod, uid);
  };

  const work = async (signal: AbortSignal): Promise<void> => {
    try {
      for await (const event of api.follow<Pod>(`/api/v1/namespaces/${namespace}/pods`, signal))
        await onEvent(event);
    } catch (error) {
      if (!signal.aborted) failures.push(error);
    }
  };
  let working = work(power.signal);

  const cutPower = async (): Promise<void> => {
    power.abort();
    await working;
    const all = [...lives.values()];
    for (const life of all) life.kill();
    await Promise.allSettled(all.map(({ gone }) => gone));
    lives.clear();
  };

  const pods = (): readonly PodRunner[] => [...lives.values()];
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
      const findReady = async (): Promise<readonly PodRunner[] | undefined> => {
        const all = pods();
        return all.length === count && all.every(({ ready }) => ready) ? all : undefined;
      };
      return until(`${count} ready pods`, findReady, { seconds }).catch((error: unknown) => {
        throw new Error(`not ${count} ready pods: ${describe()}`, { cause: failures[0] ?? error });
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
      if (failures.length > 0) throw new AggregateError(failures, 'the simulated kubelet failed');
    },
  };
};
