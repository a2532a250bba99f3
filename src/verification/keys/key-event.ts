/** Something an operator should know about a key of the configuration, for the log and a metric. */
export interface KeyEvent {
  readonly code: /** What a URL serves is another key than before; the old one stays. */
    | 'key-url-changed'
    /** A file does not parse or cannot be read; its last good keys stay. */
    | 'key-file-invalid'
    /** An entry has no keys in the ring now. */
    | 'key-missing'
    /** An entry's keys are in the ring: for the first time, again, or new ones. */
    | 'key-loaded';
  readonly source: string;
  /** One line. */
  readonly detail: string;
}
