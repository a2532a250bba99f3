import { UserError } from '../../base/index.ts';
/** What a command may touch of the process. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * Takes SIGTERM and SIGINT over: aborted when one comes, its name being the reason. A command that never asks is
   * ended by them at once.
   */
  readonly takeShutdownSignal: () => AbortSignal;
}

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** One flag: what parsing accepts and what the help says, so that they cannot differ. */
export interface Flag {
  /** Without its dashes: `registry-config`. */
  readonly name: string;
  /** One letter: `f`. */
  readonly short?: string;
  /** What stands for its value in the help; undefined: it takes none. */
  readonly value?: string;
  readonly repeatable?: boolean;
  readonly help: string;
}

/** Flags as they were given. */
export interface Flags {
  has(name: string): boolean;
  /** The last value given, or undefined. */
  text(name: string): string | undefined;
  list(name: string): readonly string[];
}

export interface Command {
  /** After `sailmark`: `verify [flags] IMAGE…`. */
  readonly usage: string;
  /** Paragraphs. */
  readonly description: string;
  readonly flags: readonly Flag[];
  readonly examples: readonly string[];
  /** Of exit codes other than 0 and 1: `[10, 'no signature']`. */
  readonly exitCodes?: readonly (readonly [number, string])[];
  /** How many arguments it takes besides flags, at most. */
  readonly maxOperands: number;
  /** Gives the exit code. Where it rejects, the error is printed and the exit code is 1. */
  run(flags: Flags, operands: readonly string[], io: Io): Promise<number>;
}

/** A command cannot do what it was asked. The message says where and what to do; nobody needs the stack. */
export class CommandError extends UserError {
  override readonly name: string = 'CommandError';
}

/** The command line itself is wrong. */
export class UsageError extends CommandError {
  override readonly name = 'UsageError';
}
