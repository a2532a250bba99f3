import { existsSync, lstatSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type RunningProcess, startProcess, untilOutput } from '../../../support/process.ts';
import { runOrThrow } from '../../tools.ts';

export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** The stand-in for an image: the program that the simulated kubelet runs for it. */
export interface Image {
  readonly entrypoint: readonly string[];
  /** The directory of the image's root file system; if undefined, the container has only its mounts. */
  readonly root?: string;
  readonly mounts?: readonly Mount[];
  readonly env?: Readonly<Record<string, string>>;
  /** The user if the pod names none. */
  readonly user?: number;
}

export interface ContainerOptions {
  readonly image: Image;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  readonly address: string;
  readonly user: number;
  readonly group: number;
  readonly readOnlyRoot: boolean;
  /** An empty directory of its own. */
  readonly directory: string;
}

const SCRIPT = new URL('container.sh', import.meta.url).pathname;
/** Printed by the script once it runs in its own namespaces. */
const APART = 'apart\n';

const readOnlyMount = (source: string, target = source): Mount => ({ source, target, readOnly: true });

/** `/lib` and the like: directories, or links into `/usr`. */
const LIBRARIES = ['/usr', '/lib', '/lib64'].filter((path) => existsSync(path));

/**
 * Returns a stand-in for the image that the Dockerfile builds: Node and the bundle at the same paths, and the libraries
 * of this machine.
 */
export const bundleImage = (program: string): Image => ({
  entrypoint: ['/nodejs/bin/node', '/app/main.js'],
  mounts: [
    ...LIBRARIES.map((path) => readOnlyMount(path)),
    readOnlyMount(dirname(process.execPath), '/nodejs/bin'),
    readOnlyMount(program, '/app'),
  ],
  user: 65_532,
});

const lineOf = ({ source, target, readOnly }: Mount): string => {
  const linked = lstatSync(source).isSymbolicLink() && LIBRARIES.includes(source);
  return `${source}\t${target}\t${linked ? 'link' : readOnly ? 'ro' : 'rw'}\n`;
};

/** Connects the network namespace of a process to the bridge, by a veth pair whose other end is its `eth0`. */
const connect = async (pid: number): Promise<void> => {
  const end = `pod${pid}`;
  await runOrThrow('ip', ['link', 'add', end, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', `${pid}`]);
  await runOrThrow('ip', ['link', 'set', end, 'master', 'pods', 'up']);
};

/**
 * Starts a program in a container with its own root file system, mounts, user and network address. It shares the PID
 * namespace of the test, and has no limits of memory or CPU.
 */
export const startContainer = async (options: ContainerOptions): Promise<RunningProcess> => {
  const { image, argv, mounts, address, user, group, readOnlyRoot, directory } = options;
  const base = join(directory, 'root');
  const table = join(directory, 'mounts');
  await mkdir(base, { recursive: true });
  await writeFile(table, [...(image.mounts ?? []), ...mounts].map(lineOf).join(''));
  const env = Object.entries({ PATH: '/usr/bin:/bin', ...image.env, ...options.env }).map(
    ([name, value]) => `${name}=${value}`,
  );
  await using started = new AsyncDisposableStack();
  const running = startProcess('unshare', [
    '--mount',
    '--net',
    SCRIPT,
    base,
    address,
    image.root ?? '',
    table,
    `${user}:${group}`,
    readOnlyRoot ? 'ro' : 'rw',
    `${env.length}`,
    ...env,
    ...argv,
  ]);
  started.use(running);
  await untilOutput(running, 'namespaces of a container', (output) => output.startsWith(APART) || undefined);
  await connect(running.pid);
  running.send('connected');
  started.move();
  return {
    ...running,
    output: () => running.output().slice(APART.length),
    get exitCode() {
      return running.exitCode;
    },
  };
};
