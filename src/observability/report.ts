import { randomBytes } from 'node:crypto';
import { type ReportError } from '../base/index.ts';
import type { Log } from './log.ts';

export const createReportError =
  (log: Log): ReportError =>
  (error) => {
    const incident = randomBytes(6).toString('hex');
    const err = error instanceof Error ? error : new Error(String(error));
    log.error({ incident, err }, 'something that must not happen did; the image or review was not judged');
    return incident;
  };
