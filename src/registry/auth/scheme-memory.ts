import { LRUCache } from 'lru-cache';
import type { Resource } from '../registry-request.ts';
import { type AuthScheme, keyOfScheme } from './auth-scheme.ts';

/** The scheme that a repository last required of requests of one kind; undefined if none. */
interface Remembered {
  readonly scheme: AuthScheme | undefined;
  readonly since: number;
}

/**
 * How each repository wants to be asked, by kind of resource. It saves requests that would be refused, and decides nothing:
 * where it leads to no response, the resource is asked without a header.
 */
export interface SchemeMemory {
  find(asked: Resource): Remembered | undefined;
  /** Records a challenge. */
  add(asked: Resource, scheme: AuthScheme): void;
  /** Records that a header that meets the scheme was accepted: one of several that the challenge allows. */
  addAccepted(asked: Resource, scheme: AuthScheme): void;
  /** Records that a request without a header was accepted. */
  addAnonymous(asked: Resource): void;
  /** Forgets what was learned long ago: it led to a refusal. */
  expire(asked: Resource): void;
}

/** The time after which a repository that refuses is asked again from the beginning. */
const MAX_AGE_MS = 300_000;
/** Four for each repository: it and its kinds. Bounds memory; who fills the table makes us send a request more. */
const MAX_ENTRIES = 4_000;

const kindKeyOf = ({ path, resource }: Resource): string => `${path} ${resource.split('/', 1)[0]}`;

export const createSchemeMemory = (now: () => number): SchemeMemory => {
  const memory = new LRUCache<string, Remembered>({ max: MAX_ENTRIES });
  return {
    find: (asked) => memory.get(kindKeyOf(asked)) ?? memory.get(asked.path),
    add(asked, scheme) {
      const remembered = { scheme, since: now() };
      memory.set(kindKeyOf(asked), remembered);
      memory.set(asked.path, remembered);
    },
    addAccepted(asked, scheme) {
      const remembered = this.find(asked)?.scheme;
      if (remembered === undefined || keyOfScheme(remembered) !== keyOfScheme(scheme))
        this.add(asked, scheme);
    },
    addAnonymous(asked) {
      // A repository without any challenge takes no room.
      if (memory.has(asked.path)) memory.set(kindKeyOf(asked), { scheme: undefined, since: now() });
    },
    expire(asked) {
      for (const key of [kindKeyOf(asked), asked.path]) {
        const remembered = memory.get(key);
        if (remembered !== undefined && Math.abs(now() - remembered.since) >= MAX_AGE_MS) memory.delete(key);
      }
    },
  };
};
