import type { CredentialSettings } from './credentials/find-credentials.ts';

/** The settings of one registry host. Every field but `host` has a default, which hosts without settings get. */
export interface RegistrySettings extends CredentialSettings {
  /** Host and port in normal form, as in `Repository.registry`. */
  readonly host: string;
  /** PEM certificates trusted in addition to the system's and the default's. */
  readonly ca?: string;
  /** The file that `ca` was read from, which is read again when it changes. */
  readonly caFile?: string;
  /** Hosts outside the registry's own registrable domain that a token realm may be on. */
  readonly tokenRealms?: readonly string[];
  /** Permits plain HTTP to this host. */
  readonly plainHttp?: boolean;
  /**
   * Host in normal form, with a path if it has one, that is contacted in place of this registry, as nodes with a mirror do:
   * `harbor.corp.example/hub`. The settings of that host apply.
   */
  readonly endpoint?: string;
}

/** The settings of every registry that leaves them out. */
export interface RegistryDefaults {
  /** PEM certificates trusted in addition to the system's, by every registry, token service, key URL and proxy. */
  readonly ca?: string;
  /** The file that `ca` was read from, which is read again when it changes. */
  readonly caFile?: string;
  /** The path of a docker `config.json`. */
  readonly dockerConfig?: string;
  /** The text of a docker `config.json`, which precedes the file of `dockerConfig`, unless a registry names another file. */
  readonly dockerAuthConfig?: string;
}

export interface RegistryLimits {
  /** Bytes. */
  readonly manifestBytes: number;
  /** Bytes. */
  readonly blobBytes: number;
  /** Bytes of a token service's response. */
  readonly tokenBytes: number;
  /** Redirects to follow. */
  readonly redirects: number;
  /** Pages to read of a list of referrers. */
  readonly referrerPages: number;
  /** Bytes to read of a list of referrers, in all its pages. */
  readonly signatureBytes: number;
  /** Bytes of one page of a list of referrers, and of the index under its fallback tag. */
  readonly signatureManifestBytes: number;
  /** Milliseconds for one request including its redirects, whatever the caller's deadline. */
  readonly requestTimeout: number;
  /** Concurrent requests to one registry. */
  readonly requestsPerRegistry: number;
}
