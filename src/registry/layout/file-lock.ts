import { randomUUID } from 'node:crypto';
import { mkdir, rename, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Its name begins with a dot, so that a directory with nothing else in it counts as empty. */
const LOCK = '.sailmark-lock';
/** Milliseconds between two tries. */
const AGAIN = 20;
/** Tries, five seconds of them: what is done under the lock takes milliseconds, and who died with it gives it to nobody. */
const PATIENCE = 250;

/** Made by one alone, on a network's file system too. */
const take = async (lock: string): Promise<boolean> => {
  try {
    await mkdir(lock);
    return true;
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 'EEXIST') return false;
    throw error;
  }
};

/** What tells one taking of the lock from the next. By no clock: another node's may be anywhere. */
const takingOf = (lock: string): Promise<string | undefined> =>
  stat(lock).then(
    ({ ino, mtimeMs }) => `${ino} ${mtimeMs}`,
    () => undefined,
  );

/** Moved away first: of several who find it abandoned, one removes it. */
const breakOpen = async (lock: string): Promise<void> => {
  const aside = `${lock}.${randomUUID()}`;
  await rename(lock, aside).then(
    () => rmdir(aside),
    () => undefined,
  );
};

const untilTaken = async (lock: string, patience: number): Promise<void> => {
  let seen: string | undefined;
  for (let same = 0; !(await take(lock)); same += 1) {
    const taking = await takingOf(lock);
    if (taking !== seen) same = 0;
    seen = taking;
    if (same >= patience) await breakOpen(lock);
    await pause(AGAIN);
  }
};

/**
 * Works in a directory that other processes write as well: replicas share a volume, and what one has read must still be
 * there when it writes. A lock that nobody gives back is broken after `patience` tries; then an addition may be lost, and
 * nothing that is read is ever half. Rejects where the directory cannot be written.
 */
export const withFileLock = async <Done>(
  directory: string,
  work: () => Promise<Done>,
  patience = PATIENCE,
): Promise<Done> => {
  const lock = join(directory, LOCK);
  await untilTaken(lock, patience);
  try {
    return await work();
  } finally {
    await rmdir(lock).catch(() => undefined);
  }
};
