import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningProcess } from '../../../support/process.ts';
import type { Api } from '../api.ts';
import type { Container, Pod } from '../objects.ts';
import { type Image, type Mount, startContainer } from './container.ts';
import type { ScheduledPod } from './downward-api.ts';
import { environmentOf, expand } from './environment.ts';
import { probeContainer } from './probes.ts';
import { serviceNames } from './service-proxy.ts';
import { createStatusReporter } from './status-reporter.ts';
import { makeVolumes, type Volumes } from './volumes.ts';

/** Resolves an image reference of a pod; undefined if the image cannot be pulled. */
export type PullImage = (reference: string, pod: Pod) => Image | undefined | Promise<Image | undefined>;

/** The context that all pods of the node share. */
export interface KubeletContext {
  readonly api: Api;
  /** The directory of the pods' volumes. */
  readonly directory: string;
  readonly image: PullImage;
  /** Names that resolve in pods besides those of Services, by address. */
  readonly names: Readonly<Record<string, string>>;
  /** Milliseconds between two reads of the Secrets and ConfigMaps of a pod. */
  readonly syncPeriod: number;
}

/** Runs one pod, from when it was bound to the node until it is gone. */
export interface PodRunner {
  readonly pod: Pod;
  readonly address: string;
  readonly ready: boolean;
  readonly restarts: number;
  /** Undefined while no container runs. */
  readonly process: RunningProcess | undefined;
  /** The output of all its containers, in the order in which they ran. */
  logs(): string;
  /** Sends SIGTERM, and SIGKILL after `seconds`; then deletes the pod from the API. */
  terminate(seconds: number): void;
  /** Kills the container and reports nothing, like a power failure of the node. */
  kill(): void;
  /** Resolves when nothing is left of the pod. Rejects if the harness could not run it. */
  readonly gone: Promise<void>;
}

const FIRST_BACK_OFF_MS = 10_000;
const MAX_BACK_OFF_MS = 300_000;

/** Milliseconds before a restart, as a kubelet waits: 0, then 10 s, 20 s, … up to 5 minutes. */
const backOffBefore = (restart: number): number =>
  restart <= 1 ? 0 : Math.min(FIRST_BACK_OFF_MS * 2 ** (restart - 2), MAX_BACK_OFF_MS);

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

/** Starts the container of a pod whose volumes exist. `home` is the pod's own directory. */
const startProgram = async (
  scheduled: ScheduledPod,
  container: Container,
  { image, volumes, home }: { readonly image: Image; readonly volumes: Volumes; readonly home: string },
  { api, names }: KubeletContext,
): Promise<RunningProcess> => {
  const env = await environmentOf(container, scheduled, api);
  const context = { ...scheduled.pod.spec.securityContext, ...container.securityContext };
  const { runAsUser: user = image.user ?? 0, runAsGroup: group = user } = context;
  const hosts = join(home, 'hosts');
  await writeFile(hosts, hostsOf({ ...(await serviceNames(api)), ...names }));
  const argv = [...(container.command ?? image.entrypoint), ...(container.args ?? [])];
  return startContainer({
    image,
    argv: argv.map((argument) => expand(argument, env)),
    env,
    mounts: [{ source: hosts, target: '/etc/hosts', readOnly: true }, ...mountsOf(container, volumes)],
    address: scheduled.address,
    user,
    group,
    readOnlyRoot: context.readOnlyRootFilesystem === true,
    directory: await mkdtemp(join(home, 'container-')),
  });
};

/** Runs a pod that was bound to the node, with restarts, until it is terminated or killed. */
export const runPod = (scheduled: ScheduledPod, context: KubeletContext): PodRunner => {
  const { api, directory, image: imageOf, syncPeriod } = context;
  const { pod, address } = scheduled;
  const { metadata, spec } = pod;
  const [container] = spec.containers;
  if (container === undefined || spec.containers.length > 1)
    throw new Error(`the simulated kubelet runs pods of one container only: ${metadata.name}`);
  const { restartPolicy = 'Always', terminationGracePeriodSeconds = 30 } = spec;
  const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;
  const home = join(directory, metadata.uid ?? metadata.name);
  const reporter = createStatusReporter(api, path, pod, address);
  const end = new AbortController();
  let process: RunningProcess | undefined;
  let earlierOutput = '';
  let stopping: NodeJS.Signals | undefined;

  const pause = (milliseconds: number): Promise<unknown> =>
    delay(milliseconds, undefined, { signal: end.signal }).catch(() => undefined);
  const wait = (reason: string, message: string): Promise<void> =>
    reporter.report({ waiting: { reason, message } });

  const untilVolumes = async (): Promise<Volumes | undefined> => {
    const claims = join(directory, 'claims');
    let lastError: unknown;
    while (!end.signal.aborted) {
      try {
        return await makeVolumes(scheduled, { api, directory: join(home, 'volumes'), claims });
      } catch (error) {
        if (String(error) !== String(lastError)) await wait('ContainerCreating', String(error));
        lastError = error;
        await pause(200);
      }
    }
    return undefined;
  };

  const runOnce = async (image: Image, volumes: Volumes): Promise<number> => {
    const running = await startProgram(scheduled, container, { image, volumes, home }, context);
    process = running;
    // The pod may have been terminated while the container was made.
    if (stopping !== undefined) running.signal(stopping);
    await reporter.report({ running: true, ready: false });
    const over = new AbortController();
    const onDead = async (): Promise<void> => {
      if (!end.signal.aborted) await running.stop(terminationGracePeriodSeconds * 1000);
    };
    const onReady = (ready: boolean): Promise<void> => reporter.report({ ready });
    const probed = probeContainer(container, address, { onReady, onDead }, over.signal);
    const exitCode = await running.ended;
    over.abort();
    await probed;
    process = undefined;
    earlierOutput += running.output();
    return exitCode;
  };

  const run = async (image: Image, volumes: Volumes): Promise<void> => {
    while (!end.signal.aborted) {
      const exitCode = await runOnce(image, volumes);
      const over = { running: false, ready: false };
      if (restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && exitCode === 0))
        return reporter.report({ ...over, exitCode });
      const restarts = reporter.state.restarts + 1;
      const waiting = { reason: 'CrashLoopBackOff', message: `ended with ${exitCode}` };
      await reporter.report({ ...over, restarts, waiting });
      await pause(backOffBefore(restarts));
    }
  };

  const live = async (): Promise<void> => {
    const image = await imageOf(container.image, pod);
    if (image === undefined) return wait('ImagePullBackOff', `cannot be pulled: ${container.image}`);
    await mkdir(home, { recursive: true });
    const volumes = await untilVolumes();
    if (volumes === undefined) return;
    const sync = async (): Promise<void> => {
      while (!end.signal.aborted && reporter.state.exitCode === undefined) {
        await pause(syncPeriod);
        await volumes.refresh().catch(() => undefined);
      }
    };
    await Promise.all([sync(), run(image, volumes)]);
  };

  const lived = live();
  const { promise: terminated, resolve: onTerminated } = Promise.withResolvers<boolean>();
  const leave = async (): Promise<void> => {
    const terminates = await Promise.race([terminated, lived.then(() => terminated)]);
    await lived;
    if (terminates) await api.remove(path);
  };

  /** Ends the container as a kubelet does: `preStop`, SIGTERM, and SIGKILL at the end of the grace period. */
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
      return reporter.state.ready;
    },
    get restarts() {
      return reporter.state.restarts;
    },
    get process() {
      return process;
    },
    logs: () => earlierOutput + (process?.output() ?? ''),
    terminate(seconds) {
      if (end.signal.aborted) return;
      end.abort();
      void stop(seconds);
    },
    kill() {
      reporter.silence();
      end.abort();
      stopping = 'SIGKILL';
      process?.signal(stopping);
      onTerminated(false);
    },
  };
};
