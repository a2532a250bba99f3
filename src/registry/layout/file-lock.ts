import { randomUUID } from 'node:crypto';
import { mkdir, rename, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The name begins with a dot, so that a directory with nothing else in it counts as empty. */
const LOCK = '.sailmark-lock';
const RETRY_INTERVAL_MS = 20;
/** Five seconds: work under the lock takes milliseconds, and a process that was killed never releases it. */
const MAX_TRIES = 250;

/** Creates the lock; false if it exists. `mkdir` is atomic on network file systems too. */
const tryLock = async (lock: string): Promise<boolean> => {
  try {
    await mkdir(lock);
    return true;
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 'EEXIST') return false;
    throw error;
  }
};

/** Identifies one acquisition of the lock. The clock is not compared with ours: another node's may differ. */
const acquisitionOf = (lock: string): Promise<string | undefined> =>
  stat(lock).then(
    ({ ino, mtimeMs }) => `${ino} ${mtimeMs}`,
    () => undefined,
  );

/** Removes an abandoned lock. It is renamed first: only one of several processes that break it succeeds. */
const breakLock = async (lock: string): Promise<void> => {
  const aside = `${lock}.${randomUUID()}`;
  await rename(lock, aside).then(
    () => rmdir(aside),
    () => undefined,
  );
};

const acquire = async (lock: string, maxTries: number): Promise<void> => {
  let lastSeen: string | undefined;
  for (let tries = 0; !(await tryLock(lock)); tries += 1) {
    const acquisition = await acquisitionOf(lock);
    if (acquisition !== lastSeen) tries = 0;
    lastSeen = acquisition;
    if (tries >= maxTries) await breakLock(lock);
    await sleep(RETRY_INTERVAL_MS);
  }
};

/**
 * Works with a file lock in a directory that other processes write too: replicas share a volume, and what one has read
 * must still be there when it writes. A lock that is not released is broken after `maxTries`; then an addition may be
 * lost, but no reader sees an incomplete file. Rejects if the directory cannot be written.
 */
export const withFileLock = async <Result>(
  directory: string,
  work: () => Promise<Result>,
  maxTries = MAX_TRIES,
): Promise<Result> => {
  const lock = join(directory, LOCK);
  await acquire(lock, maxTries);
  try {
    return await work();
  } finally {
    await rmdir(lock).catch(() => undefined);
  }
};
