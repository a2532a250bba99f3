import { stat } from 'node:fs/promises';
import { messageOf, type ReportError, readTextFile, UserError } from '../../base/index.ts';
import { certificatesProblem } from './certificates.ts';

/** Certificate authorities. */
export interface Authorities {
  /** PEM certificates. */
  readonly ca: string;
  /** The file that they were read from, which is read again when it changes; undefined: they never change. */
  readonly caFile?: string | undefined;
}

/**
 * Follows the file of authorities, even if it is a link that is changed to another file, as the kubelet does with a
 * ConfigMap. While it cannot be read, the certificates last read stay trusted; each problem is reported once.
 */
export const createAuthorityFile = (
  { ca, caFile }: Authorities,
  report: ReportError,
): (() => Promise<string>) => {
  let text = ca;
  let lastVersion = '';
  let lastProblem = '';
  const note = (problem: string): void => {
    if (problem !== lastProblem && problem !== '')
      report(new UserError(`${caFile}: ${problem}; the certificates last read from it stay trusted`));
    lastProblem = problem;
  };
  const readIfChanged = async (path: string): Promise<void> => {
    const { mtimeMs, size, ino } = await stat(path);
    const version = `${mtimeMs} ${size} ${ino}`;
    if (version === lastVersion) return;
    const next = await readTextFile(path);
    const problem = certificatesProblem(next);
    if (problem === undefined) text = next;
    note(problem ?? '');
    lastVersion = version;
  };
  return async () => {
    if (caFile !== undefined) await readIfChanged(caFile).catch((error: unknown) => note(messageOf(error)));
    return text;
  };
};
