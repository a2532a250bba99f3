import { scanToHtml, scanToJunit, scanToSarif, toJson, toText } from '../../report/index.ts';
import type { ScanResult } from '../../scan/index.ts';
import { parseChoice } from '../command-line/arguments.ts';
import type { Flag, Flags, Io } from '../command-line/command.ts';
import { createPaint, isTerminal } from '../shared/terminal.ts';

const OUTPUTS = ['text', 'json', 'html', 'sarif', 'junit'] as const;

export type ScanOutput = (typeof OUTPUTS)[number];

export const outputFlag: Flag = {
  name: 'output',
  short: 'o',
  value: OUTPUTS.join('|'),
  help: 'human-readable text (default), json: the document with everything in it, html: a page that needs no other file, or sarif or junit for CI',
};

/** Reads `--output`. Throws `UsageError`. */
export const parseOutput = (flags: Flags): ScanOutput => parseChoice(flags, outputFlag.name, OUTPUTS);

/** Columns of what is no terminal, and of a terminal that does not say. */
const DEFAULT_COLUMNS = 80;
/** A report for a narrower terminal says nothing. */
const MIN_COLUMNS = 40;

const columnsOf = ({ stdout, env }: Io): number =>
  isTerminal(stdout, env) ? Math.max(stdout.columns ?? DEFAULT_COLUMNS, MIN_COLUMNS) : DEFAULT_COLUMNS;

type Write = (result: ScanResult, io: Io) => string | Promise<string>;

const WRITERS: Readonly<Record<ScanOutput, Write>> = {
  text: (result, io) => toText(result, { columns: columnsOf(io), paint: createPaint(io) }),
  json: toJson,
  html: scanToHtml,
  sarif: scanToSarif,
  junit: scanToJunit,
};

/** Prints the report of a scan. */
export const printScan = async (result: ScanResult, output: ScanOutput, io: Io): Promise<void> => {
  io.stdout.write(await WRITERS[output](result, io));
};
