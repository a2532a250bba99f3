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
  const [, host = authority, port = ''] = /^(.*?)(?::(\d+))?$/.exec(authority) ?? [];
  return { host, port, path: slash === -1 ? '' : text.slice(slash) };
};

/** Matches like Go's `path.Match`, restricted to the `*` and `?` that occur in hosts. */
const matchesLabel = (glob: string, label: string): boolean =>
  new RegExp(
    `^${glob
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  ).test(label);

const matchesHost = (glob: string, host: string): boolean => {
  const [globs, labels] = [glob.split('.'), host.split('.')];
  return (
    globs.length === labels.length &&
    globs.every((pattern, index) => matchesLabel(pattern, labels[index] ?? ''))
  );
};

/**
 * True if a pattern matches a repository, as the kubelet decides (kubernetes/kubernetes pkg/credentialprovider/keyring.go,
 * `URLsMatch`): hosts label by label, equal ports, the pattern's path a prefix, by characters.
 */
export const matchesImagePattern = (glob: ImagePattern, target: ImagePattern): boolean =>
  glob.port === target.port && matchesHost(glob.host, target.host) && target.path.startsWith(glob.path);
