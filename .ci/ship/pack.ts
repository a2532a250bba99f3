import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Bytes: more than an unpacked archive, which is Node.js and a few megabytes. */
const MAX_ARCHIVE = 512 * 1024 * 1024;

/** Options of `pack`. */
interface PackOptions {
  /** The directory that `entry` is in. */
  readonly directory: string;
  /** The one entry of the archive at its top, a directory. */
  readonly entry: string;
  /** The time of every file: seconds since the epoch. */
  readonly epoch: number;
}

/**
 * Writes a directory as a gzipped tar archive whose bytes depend on nothing but names, contents, executable bits and the given time.
 * Needs GNU tar.
 */
export const pack = (file: string, { directory, entry, epoch }: PackOptions): void => {
  const sameForAll =
    '--format=ustar --sort=name --numeric-owner --owner=0 --group=0 --mode=u=rwX,go=rX'.split(' ');
  const archive = execFileSync(
    'tar',
    ['--create', ...sameForAll, `--mtime=@${epoch}`, '--directory', directory, entry],
    { maxBuffer: MAX_ARCHIVE, env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' } },
  );
  // Node.js writes neither a name nor a time into the header.
  writeFileSync(file, gzipSync(archive));
};

/** Returns the path of a directory with a name of its own below the directory of a release, for what is packed from there. */
export const stageOf = (outDirectory: string, name: string): string => join(outDirectory, `.${name}.stage`);
