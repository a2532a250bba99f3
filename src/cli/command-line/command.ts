import { UserError } from '../../base/index.ts';

/** The parts of the process that a command may use. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * Takes over SIGTERM and SIGINT: the signal is aborted when one arrives, with its name as the reason. They terminate
   * a command that never calls this at once.
   */
  readonly takeShutdownSignal: () => AbortSignal;
}

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** One flag, for both the parser and the help, so that they cannot differ. */
export interface Flag {
  /** Without dashes: `registry-config`. */
  readonly name: string;
  /** One letter: `f`. */
  readonly short?: string;
  /** The placeholder of its value in the help; undefined if the flag takes no value. */
  readonly value?: string;
  readonly repeatable?: boolean;
  readonly help: string;
}

/** The flags of one command line. */
export interface Flags {
  has(name: string): boolean;
  /** The last value of the flag, or undefined. */
  text(name: string): string | undefined;
  /** Every value of a repeatable flag. */
  list(name: string): readonly string[];
}

export interface Command {
  /** After `sailmark`: `verify [flags] IMAGE…`. */
  readonly usage: string;
  /** Paragraphs, separated by line breaks. */
  readonly description: string;
  readonly flags: readonly Flag[];
  readonly examples: readonly string[];
  /** The exit codes other than 0 and 1: `[10, 'no signature']`. */
  readonly exitCodes?: readonly (readonly [number, string])[];
  /** The maximum number of arguments besides flags. */
  readonly maxOperands: number;
  /** The operands to choose from, which a shell completes; undefined if they are free. */
  readonly operands?: readonly string[];
  /** Resolves to the exit code. If it rejects, the error is printed and the exit code is 1. */
  run(flags: Flags, operands: readonly string[], io: Io): Promise<number>;
}

/** A command cannot do its work. The message names the place and the remedy. */
export class CommandError extends UserError {
  override readonly name: string = 'CommandError';
}

/** The command line is invalid. */
export class UsageError extends CommandError {
  override readonly name = 'UsageError';
}
