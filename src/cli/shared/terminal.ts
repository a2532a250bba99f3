import { styleText } from 'node:util';
import type { Io } from '../command-line/command.ts';

export type Paint = (text: string, colour: 'green' | 'red' | 'yellow') => string;

/** True if a stream is a terminal that understands control sequences. */
export const isTerminal = ({ isTTY }: Io['stdout'], env: Io['env']): boolean =>
  isTTY === true && env['TERM'] !== 'dumb';

/** Creates colours for standard output: only on a terminal, and not if `NO_COLOR` has a value (no-color.org). */
export const createPaint = ({ stdout, env }: Io): Paint =>
  isTerminal(stdout, env) && (env['NO_COLOR'] ?? '') === ''
    ? (text, colour) => styleText(colour, text, { validateStream: false })
    : (text) => text;
