/** The location of one entry of the configuration's `keys`, or of one `--key`. */
export type KeyLocation =
  /** Built into the program. `text` has one or more keys; `name` is like `istio-release-1`. */
  | { readonly kind: 'built-in'; readonly name: string; readonly text: string }
  | { readonly kind: 'inline'; readonly name: string; readonly text: string }
  | { readonly kind: 'file'; readonly path: string }
  /** https only. `spkiSha256`: the pin, 64 hex digits; without it, the first response in this process counts. `offline`: it is never fetched. */
  | { readonly kind: 'url'; readonly url: string; readonly spkiSha256?: string; readonly offline?: true };

export interface KeySpec {
  readonly location: KeyLocation;
  /** Names of hubs or mirrors this key may sign for, in normal form; undefined: all. */
  readonly for?: readonly string[];
  /** The Istio releases that the key signed, for people: `1.12–1.31.0`. */
  readonly covers?: string;
}
