import {
  type RequestContext as Context,
  IsomorphicFetchHttpLibrary,
  KubeConfig,
  RequestContext,
} from '@kubernetes/client-node';
import { isJsonObject, type JsonObject } from '../base/index.ts';
import { createExecCredentials, type ExecCredentials } from './kubeconfig/index.ts';

/*
 * The only file that loads @kubernetes/client-node, which takes a third of a second, and a third of the memory. The
 * library is used to reach a cluster (kubeconfig, service account); requests and responses are
 * plain JSON, because its typed models drop the fields that they do not know.
 */

type Dispatcher = NonNullable<ReturnType<Context['getDispatcher']>>;

type Env = Readonly<Record<string, string | undefined>>;

const toBase64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

/** The description of the cluster for a credential program (client.authentication.k8s.io, Cluster). */
const clusterInfoOf = (cluster: ReturnType<KubeConfig['getCurrentCluster']>): JsonObject => ({
  server: cluster?.server,
  'certificate-authority-data': cluster?.caData,
  'insecure-skip-tls-verify': cluster?.skipTLSVerify,
  'tls-server-name': cluster?.tlsServerName,
  'proxy-url': cluster?.proxyUrl,
});

/** Shares one dispatcher between all requests; the library creates one, and a TLS connection with it, for each. */
class PooledConfig extends KubeConfig {
  #dispatcher: Dispatcher | undefined;
  #dispatcherOptions = '';
  #exec: ExecCredentials | undefined;

  /** Takes the credential program away from the library, which neither bounds it nor quotes its error. */
  takeExec(env: Env): void {
    const [user, cluster] = [this.getCurrentUser(), this.getCurrentCluster()];
    const exec: unknown = user?.exec;
    if (user === null || !isJsonObject(exec)) return;
    this.#exec = createExecCredentials(exec, clusterInfoOf(cluster), env);
    this.users = [{ ...user, exec: undefined }];
  }

  /** Gets what the next request is to authenticate with. */
  async renewCredential(signal: AbortSignal): Promise<void> {
    const [user] = this.users;
    if (this.#exec === undefined || user === undefined) return;
    const { token, certificate, key } = await this.#exec.get(signal);
    this.users = [
      {
        ...user,
        ...(token === undefined ? {} : { token }),
        ...(certificate === undefined || key === undefined
          ? {}
          : { certData: toBase64(certificate), keyData: toBase64(key) }),
      },
    ];
  }

  /** The API server refused the credential. True: there may be another one. */
  forgetCredential(): boolean {
    this.#exec?.forget();
    return this.#exec !== undefined;
  }

  override createDispatcherOptions(
    ...[cluster, options]: Parameters<KubeConfig['createDispatcherOptions']>
  ): ReturnType<KubeConfig['createDispatcherOptions']> {
    const created = super.createDispatcherOptions(cluster, options);
    const text = JSON.stringify(created);
    if (text === this.#dispatcherOptions) return { type: 'none' };
    this.#dispatcherOptions = text;
    return created;
  }

  /** Adds the current credentials. The connections are replaced only if their options changed, such as the CA. */
  override async applySecurityAuthentication(context: Context): Promise<void> {
    await super.applySecurityAuthentication(context);
    const created = context.getDispatcher();
    if (created === undefined) {
      if (this.#dispatcher !== undefined) context.setDispatcher(this.#dispatcher);
      return;
    }
    const previous = this.#dispatcher;
    this.#dispatcher = created;
    // Closes in the background, once the requests in progress have their responses.
    void previous?.close().catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.#dispatcher?.destroy();
  }
}

/** One request, sent with the current credentials. */
export interface RawRequest {
  readonly method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';
  /** From the API server's root, with the query. */
  readonly path: string;
  /** The header `Accept`. */
  readonly mediaType: string;
  readonly contentType: string;
  readonly body: string | undefined;
  readonly signal: AbortSignal;
}

export interface RawResponse {
  readonly status: number;
  /** `name` is lower case. */
  header(name: string): string | undefined;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Sends requests to one API server. */
export interface ApiConnection {
  /** Rejects with the error of the client. */
  send(request: RawRequest): Promise<RawResponse>;
  /** Returns the number of requests that were sent. */
  requestCount(): number;
  close(): Promise<void>;
}

async function* chunksOf(stream: ReadableStream<Uint8Array> | null): AsyncIterable<Uint8Array> {
  if (stream !== null) yield* stream;
}

export interface ConnectionOptions {
  /** Undefined: this process is a pod. */
  readonly kubeconfig: string | undefined;
  readonly userAgent: string;
  /** The environment of a credential program. */
  readonly env: Env;
}

const load = (kubeconfig: string | undefined, env: Env): PooledConfig => {
  const config = new PooledConfig();
  if (kubeconfig === undefined) config.loadFromCluster();
  else config.loadFromString(kubeconfig);
  config.takeExec(env);
  return config;
};

const UNAUTHORIZED = 401;

const contextOf = (
  { method, path, mediaType, contentType, body, signal }: RawRequest,
  server: string,
  userAgent: string,
): RequestContext => {
  const context = new RequestContext(`${server.replace(/\/$/, '')}${path}`, method);
  context.setHeaderParam('Accept', mediaType);
  context.setHeaderParam('User-Agent', userAgent);
  if (body !== undefined) {
    context.setHeaderParam('Content-Type', contentType);
    context.setBody(body);
  }
  context.setSignal(signal);
  return context;
};

/** Reads how to reach the API server. Throws if the kubeconfig has no cluster, or without one if this is not a pod. */
export const createApiConnection = ({ kubeconfig, userAgent, env }: ConnectionOptions): ApiConnection => {
  const config = load(kubeconfig, env);
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) throw new Error('the kubeconfig has no cluster for its current context');
  if (URL.parse(server) === null || server.includes('undefined'))
    throw new Error(
      'this process does not run in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set',
    );
  let count = 0;
  const http = new IsomorphicFetchHttpLibrary();
  const exchange = async (request: RawRequest): Promise<RawResponse> => {
    const context = contextOf(request, server, userAgent);
    await config.renewCredential(request.signal);
    await config.applySecurityAuthentication(context);
    request.signal.throwIfAborted();
    count += 1;
    const response = await http.send(context).toPromise();
    return {
      status: response.httpStatusCode,
      header: (name) => response.headers[name],
      chunks: chunksOf(response.body.stream()),
    };
  };
  return {
    requestCount: () => count,
    async send(request) {
      const response = await exchange(request);
      if (response.status !== UNAUTHORIZED || !config.forgetCredential()) return response;
      for await (const _ of response.chunks);
      return exchange(request);
    },
    close: () => config.close(),
  };
};
