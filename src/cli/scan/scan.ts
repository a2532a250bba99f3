import { oneLine } from '../../base/index.ts';
import type { Core } from '../../compose.ts';
import type { Cluster } from '../../kubernetes/index.ts';
import type { Mode } from '../../policy/index.ts';
import { runScan, type ScanResult } from '../../scan/index.ts';
import { parseChoice } from '../command-line/arguments.ts';
import { type Command, CommandError, type Flags, type Io, UsageError } from '../command-line/command.ts';
import { clusterFlags, openNamedCluster } from '../flags/cluster-flags.ts';
import { coreFlags, readConfig } from '../flags/core-flags.ts';
import { parseTimeout, timeoutFlag } from '../flags/timeout-flag.ts';
import { build } from '../shared/build.ts';
import { exitCodes, worstExitCode } from '../shared/exit-codes.ts';
import { progressFlag } from '../shared/progress.ts';
import { saveMemory } from '../shared/save-memory.ts';
import { checkKeys, withCore } from '../shared/with-core.ts';
import { exitCodeOfScan, failOnFlag, parseFailOn } from './fail-on.ts';
import { outputFlag, parseOutput, printScan } from './outputs.ts';
import { createScanProgress } from './progress.ts';
import { parsePublish, publish, publishFlags } from './publish.ts';
import { verifyFlagsOf } from './verify-flags.ts';

const MODES = ['enforce', 'warn', 'audit'] as const satisfies readonly Mode[];

/**
 * The flags of the core that a scan takes: all but the one that allows plain HTTP for the images that were given, because
 * whoever creates pods would choose the registries.
 */
const scanCoreFlags = coreFlags.filter(({ name }) => name !== 'allow-http-registry');

/** A DNS label (RFC 1123), which the name of a namespace is. */
const NAMESPACE = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

/** Reads `--namespace`; undefined: the whole cluster. Throws `UsageError`. */
const parseNamespaces = (flags: Flags): readonly string[] | undefined => {
  const names = flags.list('namespace');
  const wrong = names.find((name) => !NAMESPACE.test(name));
  if (wrong !== undefined)
    throw new UsageError(`--namespace must be the name of a namespace, got ${JSON.stringify(wrong)}`);
  return names.length === 0 ? undefined : [...new Set(names)];
};

/** Throws `CommandError` if a namespace that was named is not there: a name that is misspelt would read like a good report. */
const checkNamespaces = ({ complete, coverage }: ScanResult, named: readonly string[] | undefined): void => {
  if (named === undefined || !complete) return;
  const { objects = 0, requests = 0 } =
    coverage.resources.find(({ resource }) => resource === 'namespaces') ?? {};
  const absent = coverage.notSeen.find(({ resource }) => resource === 'namespaces');
  // Each name is one request; a request that was refused does not count.
  if (objects < requests && absent !== undefined)
    throw new CommandError(`${oneLine(absent.why, 500)}. ${absent.remedy}`);
};

/** Throws `CommandError` if the account could list no pod: a report about none would read like a good one. */
const checkPods = ({ complete, coverage }: ScanResult): void => {
  const wasRead = coverage.resources.some(({ resource }) => resource === 'pods');
  const fault = coverage.notSeen.find(({ resource }) => resource === 'pods');
  if (complete && !wasRead && fault !== undefined)
    throw new CommandError(`the pods could not be listed: ${oneLine(fault.why, 500)}. ${fault.remedy}`);
};

/** Says what an interrupt does: what is known is printed, and another one ends the process. */
const announceEnd = (stop: AbortSignal, { stderr }: Io, clear: () => void): void =>
  stop.addEventListener(
    'abort',
    () => {
      clear();
      stderr.write('Interrupted: what is known so far follows. Interrupt again to stop at once.\n');
    },
    { once: true },
  );

interface ScanSettings {
  readonly mode: Mode;
  readonly namespaces: readonly string[] | undefined;
  readonly collectGarbage: () => void;
}

/** Scans the cluster and uses the result while the connection is open. Returns the exit code. */
const scanCluster = async (
  flags: Flags,
  io: Io,
  { mode, namespaces, collectGarbage }: ScanSettings,
  use: (result: ScanResult, cluster: Cluster) => Promise<number>,
): Promise<number> => {
  const config = await readConfig(flags, io);
  const { cluster, server, context, warnings, explain } = await openNamedCluster(flags, io, collectGarbage);
  for (const warning of warnings) io.stderr.write(`Warning: ${warning}\n`);
  try {
    const work = async (core: Core): Promise<number> => {
      checkKeys(core.ring(), config, flags, io);
      const signal = io.takeShutdownSignal();
      const progress = createScanProgress(io, flags, Date.now);
      announceEnd(signal, io, progress.clear);
      const result = await runScan({
        core,
        config,
        cluster,
        mode,
        pin: flags.has('config') ? config.rules.pin : undefined,
        namespaces,
        signal,
        now: Date.now,
        timeout: parseTimeout(flags),
        version: build.version,
        server,
        context,
        verifyFlags: verifyFlagsOf([...scanCoreFlags, timeoutFlag('image')], flags),
        onProgress: progress.show,
      }).finally(progress.clear);
      return use(result, cluster);
    };
    // A pod of the cluster reads the pull secrets that its configuration names; a person has credentials of their own.
    return await withCore(config, io, work, server === null ? cluster : undefined);
  } catch (error) {
    throw explain(error);
  } finally {
    await cluster.close();
  }
};

const scan = async (flags: Flags, io: Io): Promise<number> => {
  const mode = parseChoice(flags, 'mode', MODES);
  const namespaces = parseNamespaces(flags);
  const output = parseOutput(flags);
  const failOn = parseFailOn(flags);
  const collectGarbage = saveMemory();
  const publishes = parsePublish(flags);
  return scanCluster(flags, io, { mode, namespaces, collectGarbage }, async (result, cluster) => {
    checkPods(result);
    checkNamespaces(result, namespaces);
    await printScan(result, output, io);
    return worstExitCode([exitCodeOfScan(result, failOn), await publish(result, publishes, cluster, io)]);
  });
};

export const command: Command = {
  usage: 'scan [flags]',
  description:
    "Reads a running cluster and reports every Istio image in it: if Istio signed it, what admission would refuse if it enforced now, and what to do about each; and what Istio is configured to inject from now on, containers that run another digest than the verified one, and versions and keys about to matter. The answers are the webhook's own, in the mode that each namespace has. Nothing in the cluster is changed unless --reports, --events or --keep say so, and Secrets are never read: registries are read with your own credentials. What the account may not see is named.\nOn Ctrl-C the scan prints what is known so far and says so; the exit code is then never 0.",
  flags: [
    ...clusterFlags,
    {
      name: 'namespace',
      short: 'n',
      value: 'NAME',
      repeatable: true,
      help: 'read this namespace only; default: the whole cluster',
    },
    {
      name: 'mode',
      value: MODES.join('|'),
      help: 'the mode of namespaces without a label that counts (default enforce: what would happen if you enforced now)',
    },
    outputFlag,
    failOnFlag,
    ...scanCoreFlags,
    timeoutFlag('image'),
    ...publishFlags,
    progressFlag,
  ],
  examples: [
    'sailmark scan',
    'sailmark scan --context production --config sailmark.yaml',
    'sailmark scan -n shop -n payments --fail-on unknown,drift',
    'sailmark scan --mode audit --output json',
  ],
  exitCodes,
  maxOperands: 0,
  run: (flags, _operands, io) => scan(flags, io),
};
