/** The texts of a shared object by key, and its version, which changes with every write. */
export interface SharedContent {
  readonly version: string;
  readonly data: Readonly<Record<string, string>>;
}

/** Keys to set; null removes one. */
export type SharedChanges = Readonly<Record<string, string | null>>;

/** One object that all replicas read and write: a ConfigMap of the release. Its functions end with their signal. */
export interface SharedObject {
  /** The object's kind and name, for messages. */
  readonly name: string;
  /** Undefined: it does not exist. */
  read(signal: AbortSignal): Promise<SharedContent | undefined>;
  /**
   * Yields the content after each change since `version`, undefined once the object is deleted. Ends when the server ends
   * the connection, as it does every few minutes.
   */
  watch(version: string, signal: AbortSignal): AsyncIterable<SharedContent | undefined>;
  /** Changes keys, and leaves all others. 'conflict': the object was changed or deleted since `version` was read. */
  change(version: string, changes: SharedChanges, signal: AbortSignal): Promise<SharedContent | 'conflict'>;
}
