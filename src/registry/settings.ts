import type { CredentialSettings } from './credentials/find-credentials.ts';

/** What the configuration says of one registry host; every field has a default, so an unnamed host has all of them. */
export interface RegistrySettings extends CredentialSettings {
  /** Host and port in normal form, as in {@link ImageReference.registry}. */
  readonly host: string;
  /** PEM certificates trusted beside the system's. */
  readonly ca?: string;
  /** Hosts beside the registry's own registrable domain that a token realm may be on. */
  readonly tokenRealms?: readonly string[];
  /** Plain HTTP, for this host alone. */
  readonly plainHttp?: boolean;
  /**
   * Host in normal form, and a path if it has one, where this registry is read instead, as nodes do that have a mirror:
   * `harbor.corp.example/hub`. How that host is asked, its own settings say.
   */
  readonly endpoint?: string;
}

export interface RegistryLimits {
  /** Bytes. */
  readonly manifestBytes: number;
  /** Bytes. */
  readonly blobBytes: number;
  /** Bytes, for token answers and error bodies. */
  readonly tokenBytes: number;
  readonly redirects: number;
  /** Pages of a list of referrers that are read. */
  readonly referrerPages: number;
  /** Milliseconds for one question, its redirects included, whatever the caller's deadline. */
  readonly requestTimeout: number;
  /** Requests under way at once to one registry. */
  readonly requestsPerRegistry: number;
}
