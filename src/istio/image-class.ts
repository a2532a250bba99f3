import type { Repository } from '../image/index.ts';
import type { VendorSigning } from './vendors.ts';

/** The hubs and mirrors of a configuration; names in normal form (`docker.io/istio`). */
export interface Places {
  /** The hubs that count: built-in ones and those of the configuration, or the latter alone. */
  readonly hubs: readonly string[];
  readonly mirrors: readonly Mirror[];
}

/** A private copy of a hub. */
export interface Mirror {
  /** Registry and path in normal form. */
  readonly mirror: string;
  /** The hub. */
  readonly of: string;
  /** Maps names used on this mirror to components: `mesh-a` to `proxyv2`. */
  readonly components?: Readonly<Record<string, string>>;
  /** The place of signatures: `mirror` (default), `hub`, `mirror-then-hub`, or one repository for all images. */
  readonly signatures?: string;
}

/** The class of an image, by its repository and tag alone. */
export type ImageClass =
  /** On a hub or mirror, directly below it, and not a sample on a built-in hub: verified. */
  | {
      readonly kind: 'istio';
      /** The hub or mirror, in normal form; a hub by its first name, whichever of its names the image has. */
      readonly place: string;
      /** That hub or mirror, and a hub's aliases. A key's `for` is compared with them. */
      readonly places: readonly string[];
      /**
       * The known component that the last path segment names. Undefined if it names none: the image is verified
       * anyway.
       */
      readonly component: string | undefined;
      /** Returns the known component that a signed `docker-reference` names, with the names of this mirror. */
      readonly componentOf: (signedReference: string) => string | undefined;
      /** Returns the known component whose image starts with this word of its configuration. */
      readonly componentOfStart: (word: string) => string | undefined;
      /** True if its tag is that of a release that is signed by bundles, which name no component. */
      readonly isLikelyBundled: boolean;
      /** The repositories that may hold its signatures, in order. */
      readonly signaturesAt: readonly Repository[];
      /**
       * The reason why no signature is expected, if the tables have one: a nightly hub, a signing era, an unsigned
       * release.
       */
      readonly neverSigned: string | undefined;
      /** The reason why a signature may legitimately be missing, for a reference by digest alone. */
      readonly unsignedHint?: string;
    }
  /** A distinctive Istio name that comes from no known hub or mirror; `vendor` names a known vendor's build. */
  | {
      readonly kind: 'look-alike';
      readonly component: string;
      readonly vendor: string | undefined;
      /** How that vendor signs. */
      readonly signing?: VendorSigning;
    }
  | { readonly kind: 'other' };
