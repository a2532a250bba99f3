import { access } from 'node:fs/promises';
import { MINUTE_MS, messageOf } from '../../base/index.ts';
import {
  type Cluster,
  ClusterFault,
  type ClusterOptions,
  type Kubeconfig,
  loadKubeconfig,
  openCluster,
} from '../../kubernetes/index.ts';
import { CommandError, type Flag, type Flags, type Io } from '../command-line/command.ts';
import { build } from '../shared/build.ts';
import { homeOf } from './home.ts';

/** The flags of every command that reads a cluster. */
export const clusterFlags: readonly Flag[] = [
  {
    name: 'kubeconfig',
    value: 'FILE',
    help: 'how to reach the cluster; default: $KUBECONFIG, or else ~/.kube/config, or else the service account of this pod',
  },
  { name: 'context', value: 'NAME', help: 'a context of the kubeconfig; default: its current one' },
];

/** A page of 500 pods may take long on a slow connection. */
const REQUEST_TIMEOUT_MS = MINUTE_MS;

const TOKEN_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/token';

const UNAUTHORIZED = 401;

/** A cluster that is open, and how it was found. */
export interface OpenedCluster {
  readonly cluster: Cluster;
  /** The URL of the API server; null in a pod of the cluster. */
  readonly server: string | null;
  /** The context of the kubeconfig; null in a pod. */
  readonly context: string | null;
  /** Sentences on settings that weaken the connection. */
  readonly warnings: readonly string[];
  /**
   * Returns the error to throw for one that the cluster threw: one that names the place and the remedy if the API server was
   * not reached, or did not accept the credentials.
   */
  explain(error: unknown): unknown;
}

const isInPod = async ({ env }: Io): Promise<boolean> =>
  env['KUBERNETES_SERVICE_HOST'] !== undefined &&
  (await access(TOKEN_FILE).then(
    () => true,
    () => false,
  ));

/** The message of a fault without the request, which says nothing of why no request succeeds. */
const reasonOf = (error: unknown): string => messageOf(error).replace(/^[A-Z]+ \S+(?: \S+)?: /, '');

const explainFault = (error: unknown, server: string, place: string): unknown => {
  if (!(error instanceof ClusterFault)) return error;
  if (error.status === UNAUTHORIZED)
    return new CommandError(
      `the API server ${server} does not accept the credentials of ${place}: they may have expired; log in again, as for kubectl`,
    );
  if (error.status === undefined)
    return new CommandError(
      `cannot reach the API server ${server} of ${place}: ${reasonOf(error)}; \`kubectl cluster-info\` should reach it from here`,
    );
  return new CommandError(error.message);
};

const NO_KUBECONFIG =
  'no kubeconfig: --kubeconfig is not given, $KUBECONFIG names no file that exists, and there is no ~/.kube/config; name one with --kubeconfig FILE';

/** The settings of every connection, however it is found. */
type Connection = Pick<ClusterOptions, 'userAgent' | 'requestTimeout' | 'collectGarbage'>;

const openInPod = async (flags: Flags, connection: Connection): Promise<OpenedCluster> => {
  if (flags.text('context') !== undefined)
    throw new CommandError('--context needs a kubeconfig: name one with --kubeconfig FILE');
  const place = "this pod's service account";
  return {
    cluster: await openCluster(connection),
    server: null,
    context: null,
    warnings: [],
    explain: (error) => explainFault(error, 'of the cluster', place),
  };
};

const openByKubeconfig = async (
  { text, context, server, place, warnings }: Kubeconfig,
  { env }: Io,
  connection: Connection,
): Promise<OpenedCluster> => {
  const cluster = await openCluster({ ...connection, kubeconfig: text, env }).catch((error: unknown) => {
    throw new CommandError(`the ${place} cannot be used: ${messageOf(error)}`);
  });
  return { cluster, server, context, warnings, explain: (error) => explainFault(error, server, place) };
};

/**
 * Opens the cluster that the flags name. Sends no request yet. Rejects with `UserError` if there is no kubeconfig, or it does
 * not lead to a cluster. `collectGarbage` as in `ClusterOptions`.
 */
export const openNamedCluster = async (
  flags: Flags,
  io: Io,
  collectGarbage?: () => void,
): Promise<OpenedCluster> => {
  const connection = {
    userAgent: `sailmark/${build.version}`,
    requestTimeout: REQUEST_TIMEOUT_MS,
    collectGarbage,
  };
  const kubeconfig = await loadKubeconfig({
    file: flags.text('kubeconfig'),
    context: flags.text('context'),
    env: io.env,
    home: homeOf(io),
  });
  if (kubeconfig !== undefined) return openByKubeconfig(kubeconfig, io, connection);
  if (await isInPod(io)) return openInPod(flags, connection);
  throw new CommandError(NO_KUBECONFIG);
};
