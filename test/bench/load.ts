import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface Load {
  /** Requests per second. */
  readonly perSecond: number;
  /** Latency percentiles in milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

const run = promisify(execFile);
/** Milliseconds in each unit of wrk. */
const MS_PER_UNIT: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 };

const findFigure = (text: string, pattern: RegExp): RegExpExecArray => {
  const match = pattern.exec(text);
  if (match === null) throw new Error(`${pattern.source} not found in the output of wrk:\n${text}`);
  return match;
};

const findLatencyMs = (text: string, percentile: number): number => {
  const [, value, unit] = findFigure(text, new RegExp(`${percentile}%\\s+([\\d.]+)(us|ms|s)`));
  return Number(value) * (MS_PER_UNIT[unit as string] as number);
};

/** Loads a URL with wrk on its own core. Rejects if any response is not 2xx. */
export const load = async (
  url: string,
  script: string,
  options: { readonly core: number; readonly connections: number; readonly seconds: number },
): Promise<Load> => {
  const { core, connections, seconds } = options;
  const wrk = ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '-s', script, url];
  const { stdout } = await run('taskset', ['-c', String(core), ...wrk]);
  if (/Non-2xx|Socket errors/.test(stdout))
    throw new Error(`not every review got a 2xx response:\n${stdout}`);
  return {
    perSecond: Number(findFigure(stdout, /Requests\/sec:\s+([\d.]+)/)[1]),
    p50: findLatencyMs(stdout, 50),
    p99: findLatencyMs(stdout, 99),
  };
};
