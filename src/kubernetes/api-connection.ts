import {
  type RequestContext as Context,
  IsomorphicFetchHttpLibrary,
  KubeConfig,
  RequestContext,
} from '@kubernetes/client-node';

/*
 * The one file that loads @kubernetes/client-node: a third of a second, and of our memory. It knows how a cluster is
 * reached (kubeconfig, service account, credential programs); requests and answers are plain JSON of ours, because its
 * typed models drop the fields that they do not know.
 */

type Dispatcher = NonNullable<ReturnType<Context['getDispatcher']>>;

/** The client makes a dispatcher, and with it a TLS connection, for every request. Here one is kept for all. */
class PooledConfig extends KubeConfig {
  #kept: Dispatcher | undefined;
  #madeFor = '';

  override createDispatcherOptions(
    ...[cluster, options]: Parameters<KubeConfig['createDispatcherOptions']>
  ): ReturnType<KubeConfig['createDispatcherOptions']> {
    const made = super.createDispatcherOptions(cluster, options);
    const text = JSON.stringify(made);
    if (text === this.#madeFor) return { type: 'none' };
    this.#madeFor = text;
    return made;
  }

  /** Adds the credentials of this moment; the connections change only with what they are made of, as the CA is. */
  override async applySecurityAuthentication(context: Context): Promise<void> {
    await super.applySecurityAuthentication(context);
    const made = context.getDispatcher();
    if (made === undefined) {
      if (this.#kept !== undefined) context.setDispatcher(this.#kept);
      return;
    }
    const before = this.#kept;
    this.#kept = made;
    // Ends beside us, once the requests under way have their answers.
    void before?.close().catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.#kept?.destroy();
  }
}

/** One request, sent with the credentials of this moment. */
export interface RawRequest {
  readonly method: 'GET' | 'PUT' | 'PATCH' | 'POST';
  /** From the API server's root, with its query. */
  readonly path: string;
  readonly contentType: string;
  readonly body: string | undefined;
  readonly signal: AbortSignal;
}

export interface RawResponse {
  readonly status: number;
  /** Name in small letters. */
  header(name: string): string | undefined;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Sends requests to one API server. */
export interface ApiConnection {
  /** Rejects with whatever the client throws. */
  send(request: RawRequest): Promise<RawResponse>;
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

/** Reads how the API server is reached. Throws where a kubeconfig names none, or no pod's surroundings are there. */
export const createApiConnection = (kubeconfig: string | undefined): ApiConnection => {
  const config = load(kubeconfig);
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) throw new Error('the kubeconfig has no cluster for its current context');
  if (URL.parse(server) === null || server.includes('undefined'))
    throw new Error(
      'this process runs in no pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set',
    );
  const http = new IsomorphicFetchHttpLibrary();
  return {
    async send({ method, path, contentType, body, signal }) {
      const context = new RequestContext(`${server.replace(/\/$/, '')}${path}`, method);
      context.setHeaderParam('Accept', 'application/json');
      context.setHeaderParam('User-Agent', 'sailmark');
      if (body !== undefined) {
        context.setHeaderParam('Content-Type', contentType);
        context.setBody(body);
      }
      context.setSignal(signal);
      await config.applySecurityAuthentication(context);
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
