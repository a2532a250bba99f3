import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { programOf } from '../control-plane/programs.ts';
import { until } from '../control-plane/until.ts';
import { type ProgramResult, runProgram } from '../tools.ts';
import type { Cluster } from './cluster.ts';

/*
 * A shell for the commands of a page, as they stand there. Its programs add only what is the test's own: the kubeconfig, the
 * registry and the key. Helm also waits.
 */

const ROOT = new URL('../../../', import.meta.url).pathname;
const SAILMARK = join(ROOT, 'dist/main.js');
/** Where a pod of the release has the registry's authority; the shell has it elsewhere. */
const MOUNTED_CA = '/etc/sailmark/registry/ca.pem';

export interface Shell {
  /** The directory in which commands run. It has `charts/`, as a checkout has. */
  readonly directory: string;
  /** Runs a command to its end. */
  run(command: string): Promise<ProgramResult>;
  /** Runs a command and resolves with its standard output. Throws unless it exits with 0. */
  type(command: string): Promise<string>;
  /** Repeats the command of a scan until nothing would be refused. */
  untilClean(scan: string): Promise<unknown>;
  remove(): Promise<void>;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Makes the programs of the shell: scripts that run the real ones. */
const programsFor = (
  directory: string,
  files: { readonly values: string; readonly configuration: string; readonly ca: string },
): Readonly<Record<string, string>> => {
  const node = `exec ${quoted(process.execPath)} ${quoted(SAILMARK)}`;
  return {
    kubectl: `exec ${quoted(programOf('kubectl'))} "$@"`,
    istioctl: `exec ${quoted(programOf('istioctl'))} "$@"`,
    helm: `case $1 in
install | upgrade) exec ${quoted(programOf('helm'))} "$@" --wait --timeout 90s --values ${quoted(files.values)} ;;
*) exec ${quoted(programOf('helm'))} "$@" ;;
esac`,
    sailmark: `case " $* " in
*' --config sailmark.yaml '*)
  sed -i ${quoted(`s#${MOUNTED_CA}#${files.ca}#`)} ${quoted(join(directory, 'sailmark.yaml'))}
  ${node} "$@" ;;
*) ${node} "$@" --config ${quoted(files.configuration)} ;;
esac`,
  };
};

interface Settings {
  readonly registries: readonly { readonly host: string; readonly caFile?: string }[];
}

/** The settings of the cluster's registry, with more registries: as values of the chart, and as a configuration file. */
const settingsFor = async (cluster: Cluster, more: Settings['registries']) => {
  const values = cluster.values as { readonly config: Settings };
  const file = JSON.parse(await readFile(await cluster.writeConfiguration(), 'utf8')) as Settings;
  const withMore = <Some extends Settings>(some: Some): Some => ({
    ...some,
    registries: [...some.registries, ...more],
  });
  return {
    values: await cluster.writeValues({ ...values, config: withMore(values.config) }),
    configuration: await cluster.writeValues(withMore(file)),
    ca: file.registries.find(({ caFile }) => caFile !== undefined)?.caFile ?? '',
  };
};

/** Opens a shell with access to a cluster. `registries` are settings of registries that the page names. */
export const openShell = async (
  cluster: Cluster,
  registries: readonly { readonly host: string; readonly endpoint: string }[] = [],
): Promise<Shell> => {
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-shell-'));
  const bin = join(directory, 'bin');
  await mkdir(bin);
  await symlink(join(ROOT, 'charts'), join(directory, 'charts'));
  const programs = programsFor(directory, await settingsFor(cluster, registries));
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/bash\n${script}\n`);
    await chmod(join(bin, name), 0o755);
  }
  const env = {
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    HOME: directory,
    KUBECONFIG: cluster.kubeconfig,
    HELM_CACHE_HOME: join(directory, 'helm'),
    HELM_CONFIG_HOME: join(directory, 'helm'),
    HELM_DATA_HOME: join(directory, 'helm'),
  };
  const run = (command: string): Promise<ProgramResult> =>
    runProgram('bash', ['--norc', '-euo', 'pipefail', '-c', command], {
      env,
      cwd: directory,
      timeout: 120_000,
    });
  return {
    directory,
    run,
    async type(command) {
      const { code, stdout, stderr } = await run(command);
      expect({ command, code, said: code === 0 ? '' : stderr + stdout }).toEqual({
        command,
        code: 0,
        said: '',
      });
      return stdout;
    },
    untilClean: (scan) =>
      until('nothing would be refused', async () => {
        const { code, stdout } = await run(scan);
        if (code === 0 && /^If you enforced now, none of \d+ pods would be refused\.\n/.test(stdout))
          return true;
        throw new Error(stdout);
      }),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
};
