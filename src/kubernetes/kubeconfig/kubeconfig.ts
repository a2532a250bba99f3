import {
  type JsonObject,
  listWithin,
  memberOf,
  oneLine,
  quoted,
  textOf,
  UserError,
} from '../../base/index.ts';
import { createProxyFor, parseProxy } from '../../registry/index.ts';
import { findKubeconfigFiles, MAX_QUOTED, type MergedKubeconfig, readKubeconfigFiles } from './files.ts';

export interface KubeconfigOptions {
  /** The file that a flag names; undefined: the files of `$KUBECONFIG`, or else `~/.kube/config`. */
  readonly file: string | undefined;
  /** Undefined: the current context. */
  readonly context: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The home directory. */
  readonly home: string;
}

/** One context of a kubeconfig. */
export interface Kubeconfig {
  /** A kubeconfig of this context alone, its paths absolute. */
  readonly text: string;
  readonly context: string;
  /** The URL of the API server. */
  readonly server: string;
  /** For messages: `context "prod" of ~/.kube/config`. */
  readonly place: string;
  /** Sentences on settings that weaken the connection. */
  readonly warnings: readonly string[];
}

const filesIn = ({ paths }: MergedKubeconfig): string =>
  listWithin(
    paths.map((path) => oneLine(path, MAX_QUOTED)),
    MAX_QUOTED,
  );

/** The token of a file is read again while it lasts, as a token file's. It precedes `token`, as in kubectl. */
const withTokenFile = (user: JsonObject): JsonObject => {
  const { tokenFile, token, ...others } = user;
  if (typeof tokenFile !== 'string' || tokenFile === '')
    return token === undefined ? others : { ...others, token };
  return { ...others, 'auth-provider': { name: 'tokenFile', config: { tokenFile } } };
};

/** kubectl reaches the API server through the proxy of the environment, unless the kubeconfig names one. */
const withProxy = (cluster: JsonObject, server: URL, env: KubeconfigOptions['env']): JsonObject => {
  if (textOf(memberOf(cluster, 'proxy-url'))) return cluster;
  const proxy = createProxyFor(parseProxy(env).proxy)(server);
  return proxy === undefined ? cluster : { ...cluster, 'proxy-url': proxy.href };
};

const findContext = (merged: MergedKubeconfig, wanted: string | undefined): readonly [string, JsonObject] => {
  const name = wanted ?? merged.currentContext;
  const choices =
    merged.contexts.size === 0
      ? 'it has no contexts'
      : `it has ${listWithin(
          [...merged.contexts.keys()].map((context) => quoted(context, MAX_QUOTED)),
          MAX_QUOTED,
        )}`;
  if (name === '')
    throw new UserError(
      `the kubeconfig ${filesIn(merged)} names no current context: choose one with --context (${choices})`,
    );
  const context = merged.contexts.get(name);
  if (context === undefined)
    throw new UserError(
      `there is no context ${quoted(name, MAX_QUOTED)} in the kubeconfig ${filesIn(merged)}: choose one with --context (${choices})`,
    );
  return [name, context];
};

const findEntry = (
  entries: ReadonlyMap<string, JsonObject>,
  context: JsonObject,
  field: 'cluster' | 'user',
  place: string,
): readonly [string, JsonObject] => {
  const name = textOf(memberOf(context, field)) ?? '';
  const entry = entries.get(name);
  // A context without a user is anonymous.
  if (entry === undefined && field === 'user' && name === '') return ['anonymous', {}];
  if (entry === undefined)
    throw new UserError(
      `the ${field} ${quoted(name, MAX_QUOTED)} of the ${place} does not exist: repair the kubeconfig`,
    );
  return [name, entry];
};

const serverOf = (cluster: JsonObject, place: string): URL => {
  const server = URL.parse(textOf(memberOf(cluster, 'server')) ?? '');
  if (server === null || !/^https?:$/.test(server.protocol))
    throw new UserError(`the cluster of the ${place} has no server with an https URL: repair the kubeconfig`);
  if (server.protocol === 'http:')
    throw new UserError(
      `the server of the ${place} has an http URL, over which credentials can be read: use https`,
    );
  return server;
};

const warningsOf = (cluster: JsonObject, place: string): readonly string[] =>
  memberOf(cluster, 'insecure-skip-tls-verify') === true
    ? [`the ${place} has insecure-skip-tls-verify: whoever is between may answer as the cluster`]
    : [];

/**
 * Reads the kubeconfig as kubectl does. Undefined: there is none. Rejects with `UserError` if it cannot be read, or does not
 * lead to a cluster.
 */
export const loadKubeconfig = async (options: KubeconfigOptions): Promise<Kubeconfig | undefined> => {
  const files = findKubeconfigFiles(options.file, options.env, options.home);
  const merged = await readKubeconfigFiles(files);
  if (merged === undefined) return undefined;
  const [name, context] = findContext(merged, options.context);
  const place = `context ${quoted(name, MAX_QUOTED)} of ${filesIn(merged)}`;
  const [clusterName, cluster] = findEntry(merged.clusters, context, 'cluster', place);
  const [userName, user] = findEntry(merged.users, context, 'user', place);
  const server = serverOf(cluster, place);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: clusterName, cluster: withProxy(cluster, server, options.env) }],
    users: [{ name: userName, user: withTokenFile(user) }],
    contexts: [{ name, context: { cluster: clusterName, user: userName } }],
    'current-context': name,
  };
  return {
    text: JSON.stringify(config),
    context: name,
    server: server.href.replace(/\/$/, ''),
    place,
    warnings: warningsOf(cluster, place),
  };
};
