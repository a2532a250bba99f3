import { randomBytes } from 'node:crypto';
import type { Log } from './log.ts';

/** Keeps an unexpected error where it can be found, and returns the incident id to find it by. */
export type Report = (error: unknown) => string;

export const createReport =
  (log: Log): Report =>
  (error) => {
    const incident = randomBytes(6).toString('hex');
    const err = error instanceof Error ? error : new Error(String(error));
    log.error({ incident, err }, 'something that must not happen did; the image or review was not judged');
    return incident;
  };
