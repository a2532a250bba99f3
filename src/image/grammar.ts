/*
 * The productions of distribution/reference (`regexp.go`). In each, what may repeat and what must follow it have no
 * character in common, so a match never goes back: linear in the length of the text.
 */

const LABEL = '[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*';
const DOMAIN = `${LABEL}(?:\\.${LABEL})*`;
const IPV6 = '\\[[a-fA-F0-9:]+\\]';
const HOST = new RegExp(`^(?:${DOMAIN}|${IPV6})(?::[0-9]+)?$`);

const SEGMENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const PATH_SEGMENT = new RegExp(`^${SEGMENT}$`);
const PATH = new RegExp(`^${SEGMENT}(?:/${SEGMENT})*$`);

const TAG = /^\w[\w.-]{0,127}$/;

/** Characters (`reference.go`, `RepositoryNameTotalLengthMax`): the path, without the host. */
const LONGEST_PATH = 255;

/** Why a text is no `host[:port]`, or undefined. */
export const hostProblem = (host: string): string | undefined =>
  HOST.test(host) ? undefined : 'what stands before its first "/" is neither a host nor a lower-case name';

/** Why a text is no path of a repository, or undefined. */
export function pathProblem(path: string): string | undefined {
  if (path.length > LONGEST_PATH) return `its path is longer than ${LONGEST_PATH} characters`;
  if (PATH.test(path)) return undefined;
  if (PATH.test(path.toLowerCase())) return 'its path has capital letters';
  return 'its path is not lower-case names, joined by single "/"';
}

/** True if a text is one segment of a repository's path (`path-component`). */
export const isPathSegment = (text: string): boolean => PATH_SEGMENT.test(text);

/** Why a text is no tag, or undefined. */
export const tagProblem = (tag: string): string | undefined =>
  TAG.test(tag)
    ? undefined
    : 'its tag is not 1 to 128 letters, digits, "_", "." and "-", the first a letter, a digit or "_"';
