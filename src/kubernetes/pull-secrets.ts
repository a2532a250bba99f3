import { LRUCache } from 'lru-cache';
import type { PullSecrets } from '../registry/index.ts';
import type { Cluster } from './cluster.ts';

/** What is known of one pull secret. */
interface CachedSecret {
  readonly namespace: string;
  readonly name: string;
  /** Undefined: it is not there, or holds no registry credentials. */
  readonly text: string | undefined;
}

/** A first reading that failed is told to all who ask within this many milliseconds; then it is tried again. */
const FAILURE_HELD = 2_000;
/** Milliseconds for one reading; nobody's deadline is shorter than what all share. */
const READ_DEADLINE = 10_000;
/** The configuration names each Secret, so there are few. */
const MOST_SECRETS = 1_000;

/** `kubernetes.io/dockerconfigjson` and `kubernetes.io/dockercfg` (core/v1, SecretType). */
const KEYS = ['.dockerconfigjson', '.dockercfg'];

export interface CachedPullSecrets extends PullSecrets {
  stop(): void;
}

/** Does work every `interval` milliseconds, never twice at once. Returns what ends that. */
const repeat = (work: () => Promise<void>, interval: number): (() => void) => {
  let isUnderWay = false;
  const timer = setInterval(() => {
    if (isUnderWay) return;
    isUnderWay = true;
    void work().finally(() => {
      isUnderWay = false;
    });
  }, interval);
  timer.unref();
  return () => clearInterval(timer);
};

/**
 * Remembers pull secrets. The first question for one reads it, on behalf of all who ask meanwhile; from then on it is
 * read every `refresh` milliseconds, beside the questions: so it is there when the API is not.
 */
export const createPullSecrets = (
  readSecret: Cluster['readSecret'],
  refresh: number,
  now: () => number,
): CachedPullSecrets => {
  const held = new LRUCache<string, CachedSecret>({ max: MOST_SECRETS });
  const failed = new LRUCache<string, { readonly error: unknown; readonly at: number }>({
    max: MOST_SECRETS,
  });
  const underWay = new Map<string, Promise<CachedSecret>>();
  const end = new AbortController();

  const read = async (namespace: string, name: string): Promise<CachedSecret> => {
    const signal = AbortSignal.any([end.signal, AbortSignal.timeout(READ_DEADLINE)]);
    const data = (await readSecret(namespace, name, signal))?.data;
    const key = KEYS.find((known) => data?.[known] !== undefined);
    return { namespace, name, text: key === undefined ? undefined : data?.[key] };
  };

  const readFirst = (place: string, namespace: string, name: string): Promise<CachedSecret> => {
    const flight = read(namespace, name)
      .then((entry) => {
        held.set(place, entry);
        failed.delete(place);
        return entry;
      })
      .catch((error: unknown) => {
        failed.set(place, { error, at: now() });
        throw error;
      })
      .finally(() => underWay.delete(place));
    underWay.set(place, flight);
    return flight;
  };

  /** An API that does not answer changes nothing. */
  const refreshAll = async (): Promise<void> => {
    const known = [...held.values()];
    for (const { namespace, name } of known)
      await read(namespace, name).then(
        (next) => held.set(`${namespace}/${name}`, next),
        () => undefined,
      );
  };
  const stopRefreshing = repeat(refreshAll, refresh);

  return {
    async find(namespace, name) {
      const place = `${namespace}/${name}`;
      const entry = held.get(place);
      if (entry !== undefined) return entry.text;
      const failure = failed.get(place);
      if (failure !== undefined && Math.abs(now() - failure.at) < FAILURE_HELD) throw failure.error;
      return (await (underWay.get(place) ?? readFirst(place, namespace, name))).text;
    },
    stop() {
      stopRefreshing();
      end.abort();
    },
  };
};
