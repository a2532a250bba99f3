import type { SharedChanges, SharedContent, SharedObject } from '../../../src/registry/index.ts';

/** A shared object in memory, with optimistic concurrency as the API server has it. */
export interface MemoryObject extends SharedObject {
  readonly data: () => Readonly<Record<string, string>>;
  /** Every change that was accepted. */
  readonly changes: SharedChanges[];
  /** Replaces the content, as another client would. */
  set(data: Readonly<Record<string, string>>): void;
  /** Called before each change that is asked for. */
  beforeChange: () => void;
}

export const createMemoryObject = (data: Readonly<Record<string, string>> = {}): MemoryObject => {
  let [content, version] = [data, 1];
  let wake = Promise.withResolvers<void>();
  const current = (): SharedContent => ({ version: String(version), data: content });
  const put = (next: Readonly<Record<string, string>>): void => {
    content = next;
    version += 1;
    wake.resolve();
    wake = Promise.withResolvers();
  };
  const object: MemoryObject = {
    name: 'configmaps test/evidence',
    data: () => content,
    changes: [],
    set: put,
    beforeChange: () => undefined,
    read: async () => current(),
    async *watch(_, signal) {
      const ended = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => ended.resolve(), { once: true });
      for (;;) {
        await Promise.race([wake.promise, ended.promise]);
        if (signal.aborted) return;
        yield current();
      }
    },
    async change(from, changes) {
      object.beforeChange();
      if (from !== String(version)) return 'conflict';
      const entries = new Map<string, string | null>([
        ...Object.entries(content),
        ...Object.entries(changes),
      ]);
      put(Object.fromEntries([...entries].filter((entry): entry is [string, string] => entry[1] !== null)));
      object.changes.push(changes);
      return current();
    },
  };
  return object;
};
