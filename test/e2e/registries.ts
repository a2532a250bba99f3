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
  const tls = createTls();
  const docker = await startDockerRegistry(tls, { kind: 'basic' });
  const tokens = await startTokenService(tls);
  const upstream = await startReferrersRegistry();
  const gate = await startGate(tls, tokens, upstream.host);
  const ground = await createGround(tls, [docker.host, gate.host]);
  return {
    docker: docker.host,
    referrers: gate.host,
    open: upstream.host,
    ground,
    async stop() {
      await Promise.all([docker.stop(), upstream.stop(), gate.close(), tokens.close()]);
      await ground.remove();
    },
  };
};
