/**
 * The base class of errors that a user is meant to read. The message names the place and the remedy; the command line
 * prints it without the stack.
 */
export class UserError extends Error {
  override readonly name: string = 'UserError';
}

/** Returns the message of a thrown value, which may not be an `Error`. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Logs an unexpected error and returns the id of the incident. */
export type ReportError = (error: unknown) => string;
