/** Where one entry of the configuration's `keys`, or one `--key`, is read from. */
export type KeyLocation =
  /** Built into the program. `pem` is one or more keys; `release` names it: `istio-release-1`. */
  | { readonly kind: 'built-in'; readonly name: string; readonly text: string }
  | { readonly kind: 'inline'; readonly name: string; readonly text: string }
  | { readonly kind: 'file'; readonly path: string }
  /** https only. `spkiSha256`: the pin, 64 hex digits; without it the first answer of this process counts. */
  | { readonly kind: 'url'; readonly url: string; readonly spkiSha256?: string };

export interface KeySpec {
  readonly location: KeyLocation;
  /** Names of hubs or mirrors this key may sign for, in normal form; undefined: all. */
  readonly for?: readonly string[];
  /** Which Istio releases it covers, for people: `1.12–1.31.0`. */
  readonly covers?: string;
}
