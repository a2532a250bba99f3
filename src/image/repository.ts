/** A repository in Docker's normal form: the host is in lower case, `docker.io` and `library/` are written out. */
export interface Repository {
  /** Host and port: `docker.io`, `registry.corp.example:5000`, `[::1]:5000`. */
  readonly registry: string;
  /** Path below the registry: `istio/proxyv2`. */
  readonly path: string;
  /** `registry/path`. */
  readonly name: string;
}

/** Registry and path must be in normal form; neither is checked. */
export const createRepository = (registry: string, path: string): Repository => ({
  registry,
  path,
  name: `${registry}/${path}`,
});

/** Returns the registry that a name in normal form begins with; the name may be the registry alone. */
export function registryFromName(name: string): string {
  const slash = name.indexOf('/');
  return slash === -1 ? name : name.slice(0, slash);
}

/** Returns the repository with this name, `registry/path`, which must be in normal form; it is not checked. */
export function repositoryFromName(name: string): Repository {
  const registry = registryFromName(name);
  return { registry, path: name.slice(registry.length + 1), name };
}
