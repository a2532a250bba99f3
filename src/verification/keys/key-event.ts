/** An event about a key of the configuration, for the log and a metric. */
export interface KeyEvent {
  readonly code: /** A URL serves another key than before; the old key stays. */
    | 'key-url-changed'
    /** A file cannot be read or parsed; its last valid keys stay. */
    | 'key-file-invalid'
    /** An entry has no keys in the key ring. */
    | 'key-missing'
    /** The keys of an entry are in the key ring: for the first time, again, or replaced. */
    | 'key-loaded';
  readonly source: string;
  /** One line. */
  readonly detail: string;
}
