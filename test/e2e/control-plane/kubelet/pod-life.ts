import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Api } from '../api.ts';
import { HOST } from '../control-plane.ts';
import type { Container, Pod } from '../objects.ts';
import type { Running } from '../process.ts';
import { type Image, type Mount, startContainer } from './container.ts';
import { environmentOf, expand } from './environment.ts';
import type { Placed } from './fields.ts';
import { watchProbe } from './probes.ts';
import { type ContainerState, statusOf } from './status.ts';
import { makeVolumes, type Volumes } from './volumes.ts';

/** What lives outlast: the API, the node's disk, its images. */
export interface Surroundings {
  readonly api: Api;
  /** Where pods keep their volumes. */
  readonly directory: string;
  /** Undefined: it cannot be pulled. */
  readonly image: (reference: string) => Image | undefined;
  /** Names that resolve in pods, as a cluster's DNS would have them; there is no other. */
  readonly names: Readonly<Record<string, string>>;
  /** Milliseconds between looks at the Secrets and ConfigMaps of a pod. */
  readonly syncPeriod: number;
}

/** A pod on the node, from when it was bound until it is gone. */
export interface PodLife {
  readonly pod: Pod;
  readonly address: string;
  readonly ready: boolean;
  readonly restarts: number;
  /** Undefined while none runs. */
  readonly process: Running | undefined;
  /** Everything that its containers printed, those that ended first. */
  logs(): string;
  /** SIGTERM, SIGKILL after `seconds`; then it is deleted from the API. */
  terminate(seconds: number): void;
  /** Kills it and tells nobody, as a node does that loses its power. */
  cut(): void;
  /** Resolves when nothing is left of it; rejects where the harness could not play it. */
  readonly gone: Promise<void>;
}

const FIRST_PAUSE = 10_000;
const LONGEST_PAUSE = 300_000;

/** The kubelet's pauses between restarts: none, then 10 s, 20 s, … up to 5 minutes. */
const pauseBefore = (restart: number): number =>
  restart <= 1 ? 0 : Math.min(FIRST_PAUSE * 2 ** (restart - 2), LONGEST_PAUSE);

const mountsOf = (container: Container, volumes: Volumes): readonly Mount[] =>
  (container.volumeMounts ?? []).map(({ name, mountPath, readOnly = false, subPath }) => ({
    source: subPath === undefined ? volumes.pathOf(name) : join(volumes.pathOf(name), subPath),
    target: mountPath,
    readOnly,
  }));

const hostsOf = (names: Readonly<Record<string, string>>): string =>
  [['localhost', '127.0.0.1'], ...Object.entries(names)]
    .map(([name, address]) => `${address}\t${name}\n`)
    .join('');

/** Takes up a pod that was bound to the node, and keeps it running until it is terminated or cut off. */
export const livePod = (pod: Pod, placed: Placed, surroundings: Surroundings): PodLife => {
  const { api, directory, image: imageOf, names, syncPeriod } = surroundings;
  const [container] = pod.spec.containers;
  if (container === undefined || pod.spec.containers.length > 1)
    throw new Error(`the played kubelet runs pods of one container: ${pod.metadata.name}`);
  const path = `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}`;
  const { address } = placed;
  const since = new Date().toISOString();
  const end = new AbortController();
  let state: ContainerState = { running: false, ready: false, restarts: 0 };
  let process: Running | undefined;
  let said = '';
  let stopping: NodeJS.Signals | undefined;

  const pause = (milliseconds: number): Promise<unknown> =>
    delay(milliseconds, undefined, { signal: end.signal }).catch(() => undefined);
  const tell = async (next: Partial<ContainerState>): Promise<void> => {
    state = { ...state, ...next };
    const told = api.patch(
      `${path}/status`,
      statusOf(pod, { address, hostAddress: HOST, since }, state),
      'strategic-merge',
    );
    // It may be deleted by now, and the API server may be away: what matters is told again with the next change.
    await told.catch(() => undefined);
  };

  const untilVolumes = async (home: string): Promise<Volumes | undefined> => {
    const claims = join(directory, 'claims');
    let trouble: unknown;
    while (!end.signal.aborted) {
      try {
        return await makeVolumes(placed, { api, directory: join(home, 'volumes'), claims });
      } catch (error) {
        if (String(error) !== String(trouble))
          await tell({ waiting: { reason: 'ContainerCreating', message: String(error) } });
        trouble = error;
        await pause(200);
      }
    }
    return undefined;
  };

  const start = async (image: Image, volumes: Volumes, home: string): Promise<Running> => {
    const env = await environmentOf(container, placed, api);
    const context = { ...pod.spec.securityContext, ...container.securityContext };
    const { runAsUser: user = image.user ?? 0, runAsGroup: group = user } = context;
    await writeFile(join(home, 'hosts'), hostsOf(names));
    const argv = [...(container.command ?? image.entrypoint), ...(container.args ?? [])];
    return startContainer({
      image,
      argv: argv.map((argument) => expand(argument, env)),
      env,
      mounts: [
        { source: join(home, 'hosts'), target: '/etc/hosts', readOnly: true },
        ...mountsOf(container, volumes),
      ],
      address,
      user,
      group,
      readOnlyRoot: context.readOnlyRootFilesystem === true,
      directory: await mkdtemp(join(home, 'container-')),
    });
  };

  /** Probes one run of the container until it ends. Before its startup probe has succeeded there is no other. */
  const probe = async (running: Running): Promise<void> => {
    const over = new AbortController();
    void running.ended.then(() => over.abort());
    const watch = (
      probed: Container['startupProbe'],
      on: (healthy: boolean) => Promise<void>,
      signal = over.signal,
    ) =>
      probed === undefined
        ? Promise.resolve()
        : watchProbe({ probe: probed, container, address }, on, signal);
    const kill = async (healthy: boolean): Promise<void> => {
      if (!healthy && !end.signal.aborted)
        await running.stop((pod.spec.terminationGracePeriodSeconds ?? 30) * 1000);
    };
    if (container.startupProbe !== undefined) {
      const started = new AbortController();
      await watch(
        container.startupProbe,
        async (healthy) => (healthy ? started.abort() : kill(false)),
        AbortSignal.any([over.signal, started.signal]),
      );
    }
    if (container.readinessProbe === undefined) await tell({ ready: true });
    await Promise.all([
      watch(container.livenessProbe, kill),
      watch(container.readinessProbe, (ready) => tell({ ready })),
    ]);
  };

  const runOnce = async (image: Image, volumes: Volumes, home: string): Promise<void> => {
    const running = await start(image, volumes, home);
    process = running;
    // It may have been terminated while it was made.
    if (stopping !== undefined) running.signal(stopping);
    await tell({ running: true, ready: false });
    await Promise.all([probe(running), running.ended]);
    process = undefined;
    said += running.output();
    await tell({
      running: false,
      ready: false,
      restarts: state.restarts + 1,
      waiting: { reason: 'CrashLoopBackOff', message: `ended with ${running.exitCode}` },
    });
  };

  const live = async (): Promise<void> => {
    const image = imageOf(container.image);
    if (image === undefined) {
      await tell({
        waiting: { reason: 'ImagePullBackOff', message: `cannot be pulled: ${container.image}` },
      });
      return;
    }
    const home = join(directory, pod.metadata.uid ?? pod.metadata.name);
    await mkdir(home, { recursive: true });
    const volumes = await untilVolumes(home);
    if (volumes === undefined) return;
    const sync = async (): Promise<void> => {
      while (!end.signal.aborted) {
        await pause(syncPeriod);
        await volumes.refresh().catch(() => undefined);
      }
    };
    const run = async (): Promise<void> => {
      while (!end.signal.aborted) {
        await runOnce(image, volumes, home);
        await pause(pauseBefore(state.restarts));
      }
    };
    await Promise.all([sync(), run()]);
  };

  const remove = (): Promise<void> => api.remove(`${path}?gracePeriodSeconds=0`);
  const lived = live();
  const { promise: terminated, resolve: onTerminated } = Promise.withResolvers<boolean>();
  const gone = (async () => {
    const deleted = await Promise.race([terminated, lived.then(() => terminated)]);
    end.abort();
    await lived;
    if (deleted) await remove();
  })();

  return {
    pod,
    address,
    gone,
    get ready() {
      return state.ready;
    },
    get restarts() {
      return state.restarts;
    },
    get process() {
      return process;
    },
    logs: () => said + (process?.output() ?? ''),
    terminate(seconds) {
      if (end.signal.aborted) return;
      end.abort();
      const sleep = container.lifecycle?.preStop?.sleep?.seconds ?? 0;
      const stop = async (): Promise<void> => {
        const late = setTimeout(() => process?.signal('SIGKILL'), seconds * 1000);
        await delay(Math.min(sleep, seconds) * 1000);
        stopping = 'SIGTERM';
        process?.signal('SIGTERM');
        await lived;
        clearTimeout(late);
      };
      void stop().then(
        () => onTerminated(true),
        () => onTerminated(true),
      );
    },
    cut() {
      end.abort();
      stopping = 'SIGKILL';
      process?.signal('SIGKILL');
      onTerminated(false);
    },
  };
};
