/*
 * The productions of distribution/reference (`regexp.go`). In each, a repeated part and what may follow it have no
 * character in common, so a match never backtracks: it is linear in the length of the text.
 */

const LABEL = '[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*';
const DOMAIN = `${LABEL}(?:\\.${LABEL})*`;
const IPV6 = '\\[[a-fA-F0-9:]+\\]';
const HOST = new RegExp(`^(?:${DOMAIN}|${IPV6})(?::[0-9]+)?$`);

const SEGMENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const PATH_SEGMENT = new RegExp(`^${SEGMENT}$`);
const PATH = new RegExp(`^${SEGMENT}(?:/${SEGMENT})*$`);

const TAG = /^\w[\w.-]{0,127}$/;

/** Limits the path, which a host that only a path segment allows is part of (`reference.go`, `RepositoryNameTotalLengthMax`). */
const MAX_PATH_CHARACTERS = 255;

/**
 * Returns why `host[:port]` and path are not the name of a repository, or undefined if they are. A host without a port
 * may also be a path segment: distribution takes `my_registry.example/istio` for a path, container runtimes pull it
 * from the host `my_registry.example`.
 */
export function nameProblem(host: string, path: string): string | undefined {
  if (HOST.test(host)) return pathProblem(path, path.length);
  return PATH_SEGMENT.test(host)
    ? pathProblem(path, host.length + 1 + path.length)
    : 'the part before the first "/" is neither a host nor a lower-case name';
}

function pathProblem(path: string, counted: number): string | undefined {
  if (counted > MAX_PATH_CHARACTERS) return `the path is longer than ${MAX_PATH_CHARACTERS} characters`;
  if (PATH.test(path)) return undefined;
  if (PATH.test(path.toLowerCase())) return 'the path contains capital letters';
  return 'the path must be lower-case names separated by single "/"';
}

/** True if a text is one segment of a repository's path (`path-component`). */
export const isPathSegment = (text: string): boolean => PATH_SEGMENT.test(text);

/** Returns why a text is not a tag, or undefined if it is one. */
export const tagProblem = (tag: string): string | undefined =>
  TAG.test(tag)
    ? undefined
    : 'the tag must be 1 to 128 letters, digits, "_", "." or "-", starting with a letter, a digit or "_"';
