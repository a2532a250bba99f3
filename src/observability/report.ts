import { randomBytes } from 'node:crypto';
import { type ReportError, UserError } from '../base/index.ts';
import type { Log } from './log.ts';

/**
 * Creates the function that logs an internal error and returns the id under which the log has it. An error that a user is
 * meant to read is no internal one, and is logged as it is.
 */
export const createReportError =
  (log: Log): ReportError =>
  (error) => {
    const incident = randomBytes(6).toString('hex');
    if (error instanceof UserError) {
      log.error({ incident }, error.message);
      return incident;
    }
    const err = error instanceof Error ? error : new Error(String(error));
    log.error({ incident, err }, 'internal error; the image or review was not judged');
    return incident;
  };
