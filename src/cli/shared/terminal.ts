import { styleText } from 'node:util';
import type { Io } from '../command-line/command.ts';

export type Paint = (text: string, colour: 'green' | 'red' | 'yellow') => string;

/** Whether a stream is a terminal that understands more than lines. */
export const isTerminal = ({ isTTY }: Io['stdout'], env: Io['env']): boolean =>
  isTTY === true && env['TERM'] !== 'dumb';

/** Colours for standard output: only on a terminal, and not where `NO_COLOR` has a value (no-color.org). */
export const createPaint = ({ stdout, env }: Io): Paint =>
  isTerminal(stdout, env) && (env['NO_COLOR'] ?? '') === ''
    ? (text, colour) => styleText(colour, text, { validateStream: false })
    : (text) => text;
