import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface Load {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

const run = promisify(execFile);
const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 };

const figure = (text: string, pattern: RegExp): RegExpExecArray => {
  const found = pattern.exec(text);
  if (found === null) throw new Error(`wrk printed no ${pattern.source}:\n${text}`);
  return found;
};

const milliseconds = (text: string, percentile: number): number => {
  const [, value, unit] = figure(text, new RegExp(`${percentile}%\\s+([\\d.]+)(us|ms|s)`));
  return Number(value) * (UNITS[unit as string] as number);
};

/** Loads a URL with wrk on its own core; any answer but 2xx is an error. */
export const load = async (
  url: string,
  script: string,
  options: { readonly core: number; readonly connections: number; readonly seconds: number },
): Promise<Load> => {
  const { core, connections, seconds } = options;
  const wrk = ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '-s', script, url];
  const { stdout } = await run('taskset', ['-c', String(core), ...wrk]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`not every review was answered:\n${stdout}`);
  return {
    perSecond: Number(figure(stdout, /Requests\/sec:\s+([\d.]+)/)[1]),
    p50: milliseconds(stdout, 50),
    p99: milliseconds(stdout, 99),
  };
};
