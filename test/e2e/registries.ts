import { createTls } from '../support/tls.ts';
import { startDockerRegistry } from './docker-registry.ts';
import { startGate } from './gate.ts';
import { createGround, type Ground } from './ground.ts';
import { startReferrersRegistry } from './referrers-registry.ts';
import { startTokenService } from './token-service.ts';

/** Registries that nobody here wrote, on loopback, over TLS with a private CA, and a ground that knows them. */
export interface Registries {
  /** Debian's, which has no referrers API; basic auth. */
  readonly docker: string;
  /** go-containerregistry's, which has it; token auth. */
  readonly referrers: string;
  /** The same one without its gate: plain HTTP, open to anybody. */
  readonly open: string;
  readonly ground: Ground;
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
  const gate = await startGate(tls, tokens, upstream.host);
  started.defer(() => gate.close());
  const ground = await createGround(tls, [docker.host, gate.host]);
  started.defer(() => ground.remove());
  const running = started.move();
  return {
    docker: docker.host,
    referrers: gate.host,
    open: upstream.host,
    ground,
    stop: () => running.disposeAsync(),
  };
};
