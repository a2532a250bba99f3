import { styleText } from 'node:util';
import type { Io } from '../command-line/command.ts';

export type Paint = (text: string, style: 'green' | 'red' | 'yellow' | 'bold') => string;

/** True if a stream is a terminal that understands control sequences. */
export const isTerminal = ({ isTTY }: Io['stdout'], env: Io['env']): boolean =>
  isTTY === true && env['TERM'] !== 'dumb';

/** Creates colours and bold text for standard output: only on a terminal, and not if `NO_COLOR` has a value (no-color.org). */
export const createPaint = ({ stdout, env }: Io): Paint =>
  isTerminal(stdout, env) && (env['NO_COLOR'] ?? '') === ''
    ? (text, style) => styleText(style, text, { validateStream: false })
    : (text) => text;
