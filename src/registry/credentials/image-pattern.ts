import { createHostTest } from './host-glob.ts';

/** Host, port and path of a repository, or of a pattern for repositories. */
export interface ImagePattern {
  readonly host: string;
  readonly port: string;
  /** Begins with a slash; empty: the whole registry. */
  readonly path: string;
}

/** Parses `host:port/path`. */
export const parseImagePattern = (text: string): ImagePattern => {
  const slash = text.indexOf('/');
  const authority = slash === -1 ? text : text.slice(0, slash);
  const [, host = authority, port = ''] = /^(.*?)(?::(\d*))?$/.exec(authority) ?? [];
  return { host, port, path: slash === -1 ? '' : text.slice(slash) };
};

/**
 * Returns the test for the repositories that a pattern matches, as the kubelet decides (kubernetes/kubernetes
 * pkg/credentialprovider/keyring.go, `URLsMatch`): hosts label by label, equal ports, the pattern's path a prefix, by
 * characters.
 */
export const createImageTest = (glob: ImagePattern): ((target: ImagePattern) => boolean) => {
  const matchesHost = createHostTest(glob.host);
  return (target) =>
    glob.port === target.port && target.path.startsWith(glob.path) && matchesHost(target.host);
};
