import { LRUCache } from 'lru-cache';
import type { PullSecrets } from '../registry/index.ts';
import type { Cluster } from './cluster.ts';

/** The result of reading one pull secret. */
interface CachedSecret {
  readonly namespace: string;
  readonly name: string;
  /** Undefined: the Secret does not exist, or has no registry credentials. */
  readonly text: string | undefined;
}

/** A failed first read is cached this long: further calls get its error, and none sends a request. */
const FAILURE_TTL_MS = 2_000;
/** The time for one read, which all callers share: it does not depend on the deadline of any of them. */
const READ_TIMEOUT_MS = 10_000;
/** Never reached: the configuration names each Secret. */
const MAX_SECRETS = 1_000;

/** `kubernetes.io/dockerconfigjson` and `kubernetes.io/dockercfg` (core/v1, SecretType). */
const KEYS = ['.dockerconfigjson', '.dockercfg'];

export interface CachedPullSecrets extends PullSecrets {
  stop(): void;
}

/** Does work every `interval` milliseconds, never twice at once. Returns the function that stops it. */
const repeat = (work: () => Promise<void>, interval: number): (() => void) => {
  let isRunning = false;
  const timer = setInterval(() => {
    if (isRunning) return;
    isRunning = true;
    void work().finally(() => {
      isRunning = false;
    });
  }, interval);
  timer.unref();
  return () => clearInterval(timer);
};

/**
 * Caches pull secrets. The first call for one reads it, and calls in the meantime share that read; from then on it is
 * refreshed in the background every `refresh` milliseconds, so that it is available while the API is not.
 */
export const createPullSecrets = (
  readSecret: Cluster['readSecret'],
  refresh: number,
  now: () => number,
): CachedPullSecrets => {
  const cached = new LRUCache<string, CachedSecret>({ max: MAX_SECRETS });
  const failed = new LRUCache<string, { readonly error: unknown; readonly at: number }>({
    max: MAX_SECRETS,
  });
  const inFlight = new Map<string, Promise<CachedSecret>>();
  const stopping = new AbortController();

  const read = async (namespace: string, name: string): Promise<CachedSecret> => {
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(READ_TIMEOUT_MS)]);
    const data = (await readSecret(namespace, name, signal))?.data;
    const texts = KEYS.map((key) => data?.[key]).filter((text) => text !== undefined);
    // An empty one hides none beside it (kubernetes/kubernetes pkg/credentialprovider/secrets).
    return { namespace, name, text: texts.find((text) => text.trim() !== '') ?? texts[0] };
  };

  const readFirst = (id: string, namespace: string, name: string): Promise<CachedSecret> => {
    const firstRead = read(namespace, name)
      .then((secret) => {
        cached.set(id, secret);
        failed.delete(id);
        return secret;
      })
      .catch((error: unknown) => {
        failed.set(id, { error, at: now() });
        throw error;
      })
      .finally(() => inFlight.delete(id));
    inFlight.set(id, firstRead);
    return firstRead;
  };

  /** A read that fails changes nothing: the cached Secret stays. */
  const refreshAll = async (): Promise<void> => {
    const secrets = [...cached.values()];
    for (const { namespace, name } of secrets)
      await read(namespace, name).then(
        (next) => cached.set(`${namespace}/${name}`, next),
        () => undefined,
      );
  };
  const stopRefreshing = repeat(refreshAll, refresh);

  return {
    async find(namespace, name) {
      const id = `${namespace}/${name}`;
      const secret = cached.get(id);
      if (secret !== undefined) return secret.text;
      const failure = failed.get(id);
      if (failure !== undefined && Math.abs(now() - failure.at) < FAILURE_TTL_MS) throw failure.error;
      return (await (inFlight.get(id) ?? readFirst(id, namespace, name))).text;
    },
    stop() {
      stopRefreshing();
      stopping.abort();
    },
  };
};
