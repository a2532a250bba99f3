/**
 * The base class of errors that a user is meant to read: the message names the place and the remedy, and the command
 * line prints it without a stack.
 */
export class UserError extends Error {
  override readonly name: string = 'UserError';
}

/** The message of a thrown value; anything may be thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Writes an unexpected error to the log and returns the id of the incident. */
export type ReportError = (error: unknown) => string;
