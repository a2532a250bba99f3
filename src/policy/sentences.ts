import { oneLine, quoted } from '../base/index.ts';
import type { Reason, ReasonCode } from './reason.ts';

/** What is the matter, and what to do about it. The remedy is short and holds no text that somebody else chose. */
export interface Sentence {
  readonly cause: string;
  readonly remedy: string;
}

/** A longer detail would leave no room for the rest of a denial. */
const DETAIL = 200;

type Sentences = { readonly [Code in ReasonCode]: (reason: Extract<Reason, { code: Code }>) => Sentence };

/** One entry a code, or it does not compile. */
const SENTENCES: Sentences = {
  'image-reference-invalid': ({ problem }) => ({
    cause: `not a valid image reference: ${oneLine(problem, DETAIL)}`,
    remedy: 'write it as registry/path:tag or registry/path@sha256:<64 hex digits>',
  }),
  'image-look-alike': ({ component, vendor }) => ({
    cause:
      vendor === undefined
        ? `named as Istio's ${oneLine(component, 40)}, but on no known hub or mirror`
        : `named as Istio's ${oneLine(component, 40)}, but built by ${oneLine(vendor, 60)} and not signed by Istio`,
    remedy: "use Istio's image, list the registry under mirrors if it holds copies, or exempt it",
  }),
  'image-unrecognised': ({ container, placeholder }) =>
    placeholder
      ? {
          cause: "Istio's injector did not replace the placeholder",
          remedy: 'check that injection is on for this pod and that istiod answers, then create it again',
        }
      : {
          cause: `the container's name, ${quoted(container, 40)}, is Istio's, but the image is on no hub or mirror`,
          remedy: "use Istio's image, list its registry under mirrors, or rename the container",
        },
  'image-not-pinned': () => ({
    cause: 'named by tag, and the configuration requires a digest',
    remedy: 'name it by digest: registry/path@sha256:<64 hex digits>',
  }),
  'image-revoked': ({ digest, why }) => ({
    cause: `${digest} is revoked: ${oneLine(why, DETAIL)}`,
    remedy: 'use another version; no exemption lifts this',
  }),
  'too-many-images': ({ limit }) => ({
    cause: `more than ${limit} different Istio images in one review, so this one was not verified`,
    remedy: 'use fewer images, or raise limits.imagesPerReview',
  }),
  'image-not-found': () => ({
    cause: 'the registry has no such image',
    remedy: 'check the tag or digest, and that the mirror holds it',
  }),
  'signature-missing': ({ perhaps }) => ({
    cause: 'no signature was found',
    remedy: `use a released Istio image; copy its signatures along when mirroring (cosign copy)${perhaps === undefined ? '' : `; ${perhaps}`}`,
  }),
  'image-never-signed': ({ why }) => ({
    cause: `no signature was found, and none is to be expected: ${oneLine(why, DETAIL)}`,
    remedy: 'use a signed release of Istio, or exempt it',
  }),
  'signature-invalid': ({ detail }) => ({
    cause: `what stands where its signature should is none: ${oneLine(detail, DETAIL)}`,
    remedy: "copy the image and its signatures from Istio's hub again (cosign copy)",
  }),
  'signature-for-other-image': ({ signed }) => ({
    cause: `its signature was made for another image, ${oneLine(signed, DETAIL)}`,
    remedy: 'use an image whose own digest is signed; the signature may have been copied to it',
  }),
  'signer-untrusted': ({ detail }) => ({
    cause: `signed by no key that is trusted for it: ${oneLine(detail, DETAIL)}`,
    remedy: "use Istio's own image, or add the signer's key to keys in the configuration",
  }),
  'component-mismatch': ({ asked, signed }) => ({
    cause: `asked for as ${oneLine(asked, 40)}, but signed as ${oneLine(signed, 40)}`,
    remedy: 'use the image that was signed under this name; the mirror or the tag is wrong',
  }),
  'transparency-log-unproven': ({ detail }) => ({
    cause: `signed, but no pinned transparency log proves it: ${oneLine(detail, DETAIL)}`,
    remedy: 'use a release that is logged (Istio 1.18 and later), or set transparencyLog: ignore',
  }),
  'too-many-signatures': ({ tried }) => ({
    cause: `none of its first ${tried} signatures is valid, and there are more`,
    remedy: "remove the signatures that are not Istio's from its repository",
  }),
  'registry-unavailable': ({ detail }) => ({
    cause: `could not be verified: ${oneLine(detail, DETAIL)}`,
    remedy: 'try again when the registry answers',
  }),
  'registry-refused': ({ detail }) => ({
    cause: `could not be verified: ${oneLine(detail, DETAIL)}`,
    remedy: "check sailmark's credentials for this registry",
  }),
  'registry-rate-limited': ({ detail }) => ({
    cause: `could not be verified: ${oneLine(detail, DETAIL)}`,
    remedy: 'try again later, or configure credentials or a mirror',
  }),
  'registry-answer-invalid': ({ detail }) => ({
    cause: `could not be verified: ${oneLine(detail, DETAIL)}`,
    remedy: 'check the registry, and any proxy before it',
  }),
  'deadline-exceeded': ({ asked }) => ({
    cause: `could not be verified in time: ${asked ? 'the registry has not answered' : 'its registry was not asked yet'}`,
    remedy: 'try again; what was learned meanwhile is remembered',
  }),
  'key-ring-incomplete': ({ missing }) => ({
    cause: `signed by a key unknown to us while keys are missing: ${oneLine(missing.join(', '), DETAIL)}`,
    remedy: 'make these keys loadable (sailmark keys shows their state), then try again',
  }),
  'internal-error': ({ incident }) => ({
    cause: `could not be judged, for an error inside sailmark: incident ${oneLine(incident, 60)}`,
    remedy: "find the incident in sailmark's log and report it",
  }),
};

/** The cause and the remedy of a reason. */
export const sentenceOf = (reason: Reason): Sentence =>
  // The table gives each code the function of its own member, which TypeScript cannot follow through an index.
  (SENTENCES[reason.code] as (reason: Reason) => Sentence)(reason);
