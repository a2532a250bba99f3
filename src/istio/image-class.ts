/** Hubs and mirrors a configuration adds to what is built in; names in normal form (`docker.io/istio`). */
export interface Places {
  /** The hubs that count: built-in ones and those of the configuration, or the latter alone. */
  readonly hubs: readonly string[];
  readonly mirrors: readonly { readonly mirror: string; readonly of: string }[];
}

/** What an image is to us, by its repository and tag alone. */
export type ImageClass =
  /** On a hub or mirror, directly below it, and not a sample: judged. */
  | {
      readonly kind: 'istio';
      /** The hub or mirror, in normal form; a hub by its first name, whichever of its names the image has. */
      readonly place: string;
      /** That hub or mirror, and a hub's aliases: what a key's `for` is compared with. */
      readonly places: readonly string[];
      /** The known component the last path segment names; undefined: none, judged all the same. */
      readonly component: string | undefined;
      /** Why no signature is expected, where the tables know: a nightly hub, an era, a release that never was. */
      readonly neverSigned: string | undefined;
    }
  /** A distinctive Istio name that comes from no known hub or mirror; `vendor` names a known vendor's build. */
  | { readonly kind: 'look-alike'; readonly component: string; readonly vendor: string | undefined }
  | { readonly kind: 'not-ours' };
