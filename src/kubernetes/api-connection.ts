import {
  type RequestContext as Context,
  IsomorphicFetchHttpLibrary,
  KubeConfig,
  RequestContext,
} from '@kubernetes/client-node';

/*
 * The only file that loads @kubernetes/client-node, which takes a third of a second, and a third of the memory. The
 * library is used to reach a cluster (kubeconfig, service account, credential programs); requests and responses are
 * plain JSON, because its typed models drop the fields that they do not know.
 */

type Dispatcher = NonNullable<ReturnType<Context['getDispatcher']>>;

/** Shares one dispatcher between all requests; the library creates one, and a TLS connection with it, for each. */
class PooledConfig extends KubeConfig {
  #dispatcher: Dispatcher | undefined;
  #dispatcherOptions = '';

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

const load = (kubeconfig: string | undefined): PooledConfig => {
  const config = new PooledConfig();
  if (kubeconfig === undefined) config.loadFromCluster();
  else config.loadFromString(kubeconfig);
  return config;
};

/** Reads how to reach the API server. Throws if the kubeconfig has no cluster, or without one if this is not a pod. */
export const createApiConnection = (kubeconfig: string | undefined, userAgent: string): ApiConnection => {
  const config = load(kubeconfig);
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) throw new Error('the kubeconfig has no cluster for its current context');
  if (URL.parse(server) === null || server.includes('undefined'))
    throw new Error(
      'this process does not run in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set',
    );
  let count = 0;
  const http = new IsomorphicFetchHttpLibrary();
  return {
    requestCount: () => count,
    async send({ method, path, mediaType, contentType, body, signal }) {
      const context = new RequestContext(`${server.replace(/\/$/, '')}${path}`, method);
      context.setHeaderParam('Accept', mediaType);
      context.setHeaderParam('User-Agent', userAgent);
      if (body !== undefined) {
        context.setHeaderParam('Content-Type', contentType);
        context.setBody(body);
      }
      context.setSignal(signal);
      await config.applySecurityAuthentication(context);
      signal.throwIfAborted();
      count += 1;
      const response = await http.send(context).toPromise();
      return {
        status: response.httpStatusCode,
        header: (name) => response.headers[name],
        chunks: chunksOf(response.body.stream()),
      };
    },
    close: () => config.close(),
  };
};
