import { oneLine, SECOND_MS } from '../../base/index.ts';
import type { Cluster } from '../../kubernetes/index.ts';
import { scanToHtml } from '../../report/index.ts';
import { type PublishOptions, publishScan, type ScanResult } from '../../scan/index.ts';
import { type Flag, type Flags, type Io, UsageError } from '../command-line/command.ts';

const KEEP = 'keep';

export const publishFlags: readonly Flag[] = [
  {
    name: 'reports',
    help: 'write a report on each workload with a finding to the cluster: of openreports.io, or of wgpolicyk8s.io where only that is installed',
  },
  {
    name: 'events',
    help: 'write Events on workloads whose answer has changed since the result that --keep holds',
  },
  {
    name: KEEP,
    value: 'NAMESPACE/NAME',
    help: 'keep the counts and the page in this ConfigMap, which must exist',
  },
];

/** The longest that publishing may take: thousands of reports on a slow API server. */
const TIMEOUT_MS = 300 * SECOND_MS;
/** The same once the scan was interrupted: the kubelet kills a pod half a minute after SIGTERM. */
const INTERRUPTED_TIMEOUT_MS = 20 * SECOND_MS;

const NAMES = /^(?<namespace>[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)\/(?<name>[a-z0-9](?:[-.a-z0-9]*[a-z0-9])?)$/;

const parseKeep = (value: string | undefined): PublishOptions['keep'] => {
  if (value === undefined) return undefined;
  const { namespace, name } = NAMES.exec(value)?.groups ?? {};
  if (namespace === undefined || name === undefined)
    throw new UsageError(
      `--${KEEP} must be the namespace and name of a ConfigMap, such as sailmark/sailmark-scan, got ${JSON.stringify(value)}`,
    );
  return { namespace, name };
};

/** Reads what a scan writes to the cluster; undefined: nothing. Throws `UsageError`. */
export const parsePublish = (flags: Flags): PublishOptions | undefined => {
  const options = {
    reports: flags.has('reports'),
    events: flags.has('events'),
    keep: parseKeep(flags.text(KEEP)),
  };
  if (!options.reports && !options.events && options.keep === undefined) return undefined;
  if (options.events && options.keep === undefined)
    throw new UsageError('--events needs --keep: without the last result it is not known what has changed');
  // A scan of a part of the cluster would take all the rest for resolved, and delete its reports.
  if (flags.list('namespace').length > 0)
    throw new UsageError('--reports, --events and --keep are for the whole cluster: leave out --namespace');
  return options;
};

/** Writes a result to the cluster, and says on standard error what became of it. Returns the exit code. */
export const publish = async (
  result: ScanResult,
  options: PublishOptions | undefined,
  cluster: Cluster,
  io: Io,
): Promise<number> => {
  if (options === undefined) return 0;
  const { done, problems, failed } = await publishScan(result, options, {
    cluster,
    page: scanToHtml,
    now: Date.now,
    instance: io.env['HOSTNAME'] ?? 'sailmark-scan',
    signal: AbortSignal.timeout(result.complete ? TIMEOUT_MS : INTERRUPTED_TIMEOUT_MS),
  });
  for (const line of [...done, ...problems]) io.stderr.write(`${oneLine(line, 1_000)}\n`);
  return failed ? 1 : 0;
};
