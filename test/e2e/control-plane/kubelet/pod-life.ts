import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningProcess } from '../../../support/process.ts';
import type { Api } from '../api.ts';
import type { Container, Pod } from '../objects.ts';
import { type Image, type Mount, startContainer } from './container.ts';
import { environmentOf, expand } from './environment.ts';
import type { Placed } from './fields.ts';
import { probeContainer } from './probes.ts';
import { serviceNames } from './service-proxy.ts';
import { createTeller } from './status.ts';
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
  readonly process: RunningProcess | undefined;
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

/** Starts the program of a pod, once its volumes are there. `home` is the pod's own directory. */
const startProgram = async (
  placed: Placed,
  container: Container,
  { image, volumes, home }: { readonly image: Image; readonly volumes: Volumes; readonly home: string },
  { api, names }: Surroundings,
): Promise<RunningProcess> => {
  const env = await environmentOf(container, placed, api);
  const context = { ...placed.pod.spec.securityContext, ...container.securityContext };
  const { runAsUser: user = image.user ?? 0, runAsGroup: group = user } = context;
  const hosts = join(home, 'hosts');
  await writeFile(hosts, hostsOf({ ...(await serviceNames(api)), ...names }));
  const argv = [...(container.command ?? image.entrypoint), ...(container.args ?? [])];
  return startContainer({
    image,
    argv: argv.map((argument) => expand(argument, env)),
    env,
    mounts: [{ source: hosts, target: '/etc/hosts', readOnly: true }, ...mountsOf(container, volumes)],
    address: placed.address,
    user,
    group,
    readOnlyRoot: context.readOnlyRootFilesystem === true,
    directory: await mkdtemp(join(home, 'container-')),
  });
};

/** Takes up a pod that was bound to the node, and keeps it running until it is terminated or cut off. */
export const livePod = (placed: Placed, surroundings: Surroundings): PodLife => {
  const { api, directory, image: imageOf, syncPeriod } = surroundings;
  const { pod, address } = placed;
  const { metadata, spec } = pod;
  const [container] = spec.containers;
  if (container === undefined || spec.containers.length > 1)
    throw new Error(`the played kubelet runs pods of one container: ${metadata.name}`);
  const { restartPolicy = 'Always', terminationGracePeriodSeconds = 30 } = spec;
  const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;
  const home = join(directory, metadata.uid ?? metadata.name);
  const teller = createTeller(api, path, pod, address);
  const end = new AbortController();
  let process: RunningProcess | undefined;
  let said = '';
  let stopping: NodeJS.Signals | undefined;

  const pause = (milliseconds: number): Promise<unknown> =>
    delay(milliseconds, undefined, { signal: end.signal }).catch(() => undefined);
  const wait = (reason: string, message: string): Promise<void> =>
    teller.tell({ waiting: { reason, message } });

  const untilVolumes = async (): Promise<Volumes | undefined> => {
    const claims = join(directory, 'claims');
    let trouble: unknown;
    while (!end.signal.aborted) {
      try {
        return await makeVolumes(placed, { api, directory: join(home, 'volumes'), claims });
      } catch (error) {
        if (String(error) !== String(trouble)) await wait('ContainerCreating', String(error));
        trouble = error;
        await pause(200);
      }
    }
    return undefined;
  };

  const runOnce = async (image: Image, volumes: Volumes): Promise<number> => {
    const running = await startProgram(placed, container, { image, volumes, home }, surroundings);
    process = running;
    // It may have been terminated while it was made.
    if (stopping !== undefined) running.signal(stopping);
    await teller.tell({ running: true, ready: false });
    const over = new AbortController();
    const onDead = async (): Promise<void> => {
      if (!end.signal.aborted) await running.stop(terminationGracePeriodSeconds * 1000);
    };
    const onReady = (ready: boolean): Promise<void> => teller.tell({ ready });
    const probed = probeContainer(container, address, { onReady, onDead }, over.signal);
    const exitCode = await running.ended;
    over.abort();
    await probed;
    process = undefined;
    said += running.output();
    return exitCode;
  };

  const run = async (image: Image, volumes: Volumes): Promise<void> => {
    while (!end.signal.aborted) {
      const exitCode = await runOnce(image, volumes);
      const over = { running: false, ready: false };
      if (restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && exitCode === 0))
        return teller.tell({ ...over, exitCode });
      const restarts = teller.state.restarts + 1;
      const waiting = { reason: 'CrashLoopBackOff', message: `ended with ${exitCode}` };
      await teller.tell({ ...over, restarts, waiting });
      await pause(pauseBefore(restarts));
    }
  };

  const live = async (): Promise<void> => {
    const image = imageOf(container.image);
    if (image === undefined) return wait('ImagePullBackOff', `cannot be pulled: ${container.image}`);
    await mkdir(home, { recursive: true });
    const volumes = await untilVolumes();
    if (volumes === undefined) return;
    const sync = async (): Promise<void> => {
      while (!end.signal.aborted && teller.state.exitCode === undefined) {
        await pause(syncPeriod);
        await volumes.refresh().catch(() => undefined);
      }
    };
    await Promise.all([sync(), run(image, volumes)]);
  };

  const lived = live();
  const { promise: terminated, resolve: onTerminated } = Promise.withResolvers<boolean>();
  const leave = async (): Promise<void> => {
    const told = await Promise.race([terminated, lived.then(() => terminated)]);
    await lived;
    if (told) await api.remove(path);
  };

  /** As the kubelet ends a container: its `preStop`, SIGTERM, and SIGKILL when all of the grace is over. */
  const stop = async (seconds: number): Promise<void> => {
    const late = setTimeout(() => process?.signal('SIGKILL'), seconds * 1000);
    const sleep = container.lifecycle?.preStop?.sleep?.seconds ?? 0;
    await delay(Math.min(sleep, seconds) * 1000);
    stopping = 'SIGTERM';
    process?.signal(stopping);
    await lived.catch(() => undefined);
    clearTimeout(late);
    onTerminated(true);
  };

  return {
    pod,
    address,
    gone: leave(),
    get ready() {
      return teller.state.ready;
    },
    get restarts() {
      return teller.state.restarts;
    },
    get process() {
      return process;
    },
    logs: () => said + (process?.output() ?? ''),
    terminate(seconds) {
      if (end.signal.aborted) return;
      end.abort();
      void stop(seconds);
    },
    cut() {
      teller.fallSilent();
      end.abort();
      stopping = 'SIGKILL';
      process?.signal(stopping);
      onTerminated(false);
    },
  };
};
