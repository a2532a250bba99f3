import type { ReasonCode } from './reason.ts';

/** The row of a reason in docs/reasons.md; `explain` and the rules of SARIF say the same. */
export interface ReasonRow {
  /** Markdown, the column "meaning"; its links are relative to docs/. */
  readonly meaning: string;
  /** Markdown, the column "what to do". */
  readonly remedy: string;
}

/** The table of docs/reasons.md; a missing code does not compile, and test/docs.test.ts compares the page with it. */
export const reasonTable: Readonly<Record<ReasonCode, ReasonRow>> = {
  'image-revoked': {
    meaning: 'the digest is on the configured list of revoked digests',
    remedy: 'use another version; no exemption lifts this',
  },
  'image-reference-invalid': {
    meaning: "not a valid image reference, and it could be Istio's",
    remedy: 'write `registry/path:tag` or `registry/path@sha256:…`',
  },
  'too-many-images': {
    meaning:
      'more different Istio images in one review than `imagesPerReview`, or a review larger than `imageUsesPerReview` or `valuesPerReview` allows, which is not read',
    remedy: 'use fewer, or raise the limit',
  },
  'image-look-alike': {
    meaning: "a distinctive Istio name from no known hub or mirror, or a vendor's build",
    remedy:
      "use Istio's image, or list the registry under `mirrors` if it holds copies; for a vendor's build see [Builds of vendors](#builds-of-vendors)",
  },
  'image-unrecognised': {
    meaning:
      "a container named as Istio's (`istio-proxy`, `istio-init`, `istio-validation`; `discovery` only together with an image or a pod that is named as Istio's) with an image that is on no hub or mirror, or `auto` left in a Pod",
    remedy: "use Istio's image, or check that injection works",
  },
  'component-mismatch': {
    meaning: 'a genuine image of another component: its signature names it, or its configuration starts it',
    remedy: 'check the mirror and the tag: one of them is wrong',
  },
  'signature-for-other-image': {
    meaning: 'a signature by a trusted key, over another digest',
    remedy: 'use an image whose own digest is signed',
  },
  'signature-invalid': {
    meaning: 'the signature, or what it signs, is malformed',
    remedy: 'copy the image and its signatures again',
  },
  'signer-untrusted': {
    meaning: 'signed, but by no key that is trusted for this hub or mirror',
    remedy: "use Istio's image, or add the signer's key",
  },
  'transparency-log-unproven': {
    meaning: 'the log is required, and no pinned log proves the signature',
    remedy: 'use a logged release (Istio 1.18 and later)',
  },
  'too-many-signatures': {
    meaning:
      'no signature that was read is valid, and there are more than `signatureCandidates`, or than [the limits on bytes](limits.md) let be read',
    remedy: 'remove foreign signatures',
  },
  'signature-missing': {
    meaning: 'no signature',
    remedy: 'use a release; copy signatures along when mirroring',
  },
  'image-never-signed': {
    meaning: 'no signature, and none is to be expected: a nightly build, or a release that was never signed',
    remedy: 'use a signed release, or exempt it',
  },
  'image-not-found': {
    meaning: 'the registry has no such image',
    remedy: 'check tag, digest and mirror',
  },
  'image-not-pinned': {
    meaning:
      'named by tag where a digest is required: by `requireDigest`, or by `pin`, and the mutating webhook did not pin it',
    remedy: 'try again, or name it by digest',
  },
  'internal-error': {
    meaning: 'an error inside sailmark',
    remedy: 'find the incident id in the log, and report it',
  },
  'registry-answer-invalid': {
    meaning: "the registry's response is unusable: wrong bytes, too long, compressed, a login page",
    remedy: 'check the registry, and any proxy in front of it',
  },
  'registry-refused': {
    meaning: 'the registry refuses access, or a token realm, redirect or address is not permitted',
    remedy:
      "what the refusal says: credentials, and that the repository exists (one that does not is refused in the same way); `tokenRealms`; the registry's setup; the proxy",
  },
  'key-ring-incomplete': {
    meaning: 'signed by an unknown key while keys of the configuration are missing',
    remedy: 'run `sailmark keys` to see which are missing',
  },
  'request-budget-exceeded': {
    meaning:
      'the namespace asked for too many images that are absent or did not verify (`requestBudget`); images that verified before are not held up, nor is another namespace; never an outage',
    remedy: 'try again in a minute, without such images, or raise the limit',
  },
  'deadline-exceeded': {
    meaning:
      "the review's time ran out before the registry had been silent for `registrySilence`; never an outage",
    remedy: 'try again; what was learned meanwhile is remembered',
  },
  'registry-backend-unavailable': {
    meaning:
      'another host that the registry redirects to, or its token service, does not respond; never an outage',
    remedy: 'try again when that host responds',
  },
  'registry-rate-limited': {
    meaning: 'the registry limits the rate of requests',
    remedy: 'try later, or configure credentials or a mirror',
  },
  'registry-unavailable': {
    meaning: 'the registry does not respond: no connection, 5xx, or silence for `registrySilence`',
    remedy:
      'try again when it does; where its certificate is not trusted or its name has no address, the refusal says so, and trying again does not help',
  },
};
