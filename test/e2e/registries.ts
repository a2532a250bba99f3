import { createTls } from '../support/tls.ts';
import { startDockerRegistry } from './docker-registry.ts';
import { startReferrersRegistry } from './referrers-registry.ts';
import { startTokenAuthProxy } from './token-auth-proxy.ts';
import { startTokenService } from './token-service.ts';
import { createWorkspace, type Workspace } from './workspace.ts';

/** Registries of other projects, on loopback, over TLS with a private CA, and a workspace with access to them. */
export interface Registries {
  /** Debian's docker-registry, which has no referrers API; basic auth. */
  readonly docker: string;
  /** go-containerregistry's, which has the referrers API; token auth. */
  readonly referrers: string;
  /** The same registry without the proxy in front of it: plain HTTP, no authentication. */
  readonly referrersWithoutAuth: string;
  readonly workspace: Workspace;
  stop(): Promise<void>;
}

/** Starts them all. */
export const startRegistries = async (): Promise<Registries> => {
  await using started = new AsyncDisposableStack();
  const tls = createTls();
  const docker = await startDockerRegistry(tls, { kind: 'basic' });
  started.defer(() => docker.stop());
  const tokens = await startTokenService(tls);
  started.defer(() => tokens.close());
  const upstream = await startReferrersRegistry();
  started.defer(() => upstream.stop());
  const proxy = await startTokenAuthProxy(tls, tokens, upstream.host);
  started.defer(() => proxy.close());
  const workspace = await createWorkspace(tls, [docker.host, proxy.host]);
  started.defer(() => workspace.remove());
  const running = started.move();
  return {
    docker: docker.host,
    referrers: proxy.host,
    referrersWithoutAuth: upstream.host,
    workspace,
    stop: () => running.disposeAsync(),
  };
};
