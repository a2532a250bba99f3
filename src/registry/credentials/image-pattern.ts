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

/**
 * Matches like Go's `path.Match`, restricted to the `*` and `?` that occur in hosts. A mismatch is retried with a longer
 * match of the last `*` only, so the steps are at most the product of the lengths: a regular expression would try every
 * combination of all `*`, and whoever writes a pull secret chooses the glob.
 */
const matchesLabel = (glob: string, label: string): boolean => {
  let [at, matched] = [0, 0];
  let star: { readonly at: number; matched: number } | undefined;
  while (matched < label.length) {
    if (glob[at] === '*') {
      star = { at, matched };
      at += 1;
    } else if (glob[at] === '?' || glob[at] === label[matched]) {
      at += 1;
      matched += 1;
    } else if (star === undefined) return false;
    else {
      star.matched += 1;
      [at, matched] = [star.at + 1, star.matched];
    }
  }
  while (glob[at] === '*') at += 1;
  return at === glob.length;
};

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
