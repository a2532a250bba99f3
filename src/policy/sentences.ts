import { oneLine, quoted } from '../base/index.ts';
import type { VendorSigning } from '../istio/index.ts';
import type { UndeterminedReason, UnreadForm } from '../verification/index.ts';
import type { Reason, ReasonCode } from './reason.ts';

/** The problem and what to do about it. The remedy is short and contains no text from an image or a registry. */
export interface Sentence {
  readonly cause: string;
  readonly remedy: string;
}

/** Characters; a longer detail would leave no room for the rest of a denial. */
const MAX_DETAIL_LENGTH = 200;

/** The nouns that each limit on a whole review counts. */
const COUNTED = {
  imageUsesPerReview: 'image uses',
  valuesPerReview: 'objects, lists, members and elements',
} as const;

type FaultReason = Extract<Reason, { readonly code: UndeterminedReason['code']; readonly detail: string }>;

/** What helps against a fault of a source, whatever its code suggests. */
const REMEDIES: Readonly<Record<NonNullable<FaultReason['remedy']>, string>> = {
  access:
    "check sailmark's credentials for this registry, and that the repository exists: one that does not is refused in the same way",
  'token-realm':
    'if this token service is the one of the registry, list its host in registries[].tokenRealms',
  'registry-setup': 'correct the setup of the registry, or of the proxy in front of it',
  certificate: 'have its certificate corrected, or trust the authority that issued it',
  tls: 'check the port; if the registry speaks plain HTTP, permit it with registries[].plainHTTP',
  address: 'reach the registry at another address; no setting permits this one',
  'host-name': 'check the name of the registry, and that DNS resolves it',
  'proxy-unreachable': 'check HTTPS_PROXY or HTTP_PROXY, and that the proxy that it names runs',
  proxy: 'check the proxy, and the user name and password in its URL',
};

const faultSentence = ({ detail, remedy }: FaultReason, otherwise: string): Sentence => ({
  cause: `could not be verified: ${oneLine(detail, MAX_DETAIL_LENGTH)}`,
  remedy: remedy === undefined ? otherwise : REMEDIES[remedy],
});

/** Signatures that are attached to an image, and not read. */
const UNREAD: Readonly<Record<UnreadForm, { readonly what: string; readonly remedy: string }>> = {
  'oci-1-1': {
    what: "one of cosign's experimental mode oci-1-1, which is not read",
    remedy: 'sign the image again without --registry-referrers-mode=oci-1-1',
  },
  'old-bundle': {
    what: 'a Sigstore bundle of version 0.1 or 0.2, which is not read',
    remedy: 'sign the image again with cosign 3, which writes version 0.3',
  },
  keyless: {
    what: 'one with a certificate (keyless), and only those by a key are read',
    remedy: 'sign the image with a key too',
  },
};

type Sentences = { readonly [Code in ReasonCode]: (reason: Extract<Reason, { code: Code }>) => Sentence };

const EXEMPT = 'exempt it, best by digest';

/** What to do about a vendor's build: its images are verified only with an ECDSA P-256 key of the vendor's own. */
const VENDOR_REMEDIES: { readonly [Signing in VendorSigning]: string } = {
  keyless: `use Istio's image, or ${EXEMPT}: the vendor signs with certificates, which are not verified here`,
  rsa: `use Istio's image, or ${EXEMPT}: the vendor signs with an RSA key, which is not verified here`,
  attestations: `use Istio's image, or ${EXEMPT}: the vendor signs attestations, which are not verified here`,
  copies: `use Istio's image, of which it is a copy, or ${EXEMPT}`,
  unknown: `use Istio's image, or ${EXEMPT}; if the vendor signs with an ECDSA P-256 key, list the registry path under hubs and that key, with "for", under keys`,
};

/** The sentence for each reason code; a missing code does not compile. */
const SENTENCES: Sentences = {
  'image-reference-invalid': ({ problem }) => ({
    cause: `not a valid image reference: ${oneLine(problem, MAX_DETAIL_LENGTH)}`,
    remedy: 'write it as registry/path:tag or registry/path@sha256:<64 hex digits>',
  }),
  'image-look-alike': ({ component, vendor, signing = 'unknown' }) => ({
    cause:
      vendor === undefined
        ? `named like Istio's ${oneLine(component, 40)}, but not on a configured hub or mirror`
        : `named like Istio's ${oneLine(component, 40)}, but built by ${oneLine(vendor, 60)} and not signed by Istio`,
    remedy:
      vendor === undefined
        ? "use Istio's image, list the registry under mirrors if it holds copies, or exempt it"
        : VENDOR_REMEDIES[signing],
  }),
  'image-unrecognised': ({ container, placeholder }) =>
    placeholder
      ? {
          cause: "Istio's injector did not replace the placeholder",
          remedy:
            'check that injection is enabled for this pod and that istiod responds, then create it again',
        }
      : {
          cause: `container name ${quoted(container, 40)} is Istio's, but the image is not on a configured hub or mirror`,
          remedy: "use Istio's image, list its registry under mirrors, or rename the container",
        },
  'image-not-pinned': ({ pin }) => {
    const remedy = 'reference it by digest: registry/path@sha256:<64 hex digits>';
    if (pin === undefined)
      return { cause: 'referenced by tag, but the configuration requires a digest', remedy };
    if (pin.undetermined === undefined)
      return {
        cause: 'referenced by tag, and the mutating webhook did not pin it to the verified digest',
        remedy: `try again; if it stays so, check the MutatingWebhookConfiguration, or ${remedy}`,
      };
    const why = sentenceOf(pin.undetermined);
    return {
      cause: `referenced by tag and not pinned: ${why.cause}`,
      remedy: `${why.remedy}; or ${remedy}`,
    };
  },
  'image-revoked': ({ digest, why }) => ({
    cause: `${digest} is revoked: ${oneLine(why, MAX_DETAIL_LENGTH)}`,
    remedy: 'use another version; no exemption lifts this',
  }),
  'too-many-images': ({ limit, limitName }) =>
    limitName === undefined
      ? {
          cause: `more than ${limit} different Istio images in one review, so this one was not verified`,
          remedy: 'use fewer images, or raise limits.imagesPerReview',
        }
      : {
          cause: `the review holds more than ${limit} ${COUNTED[limitName]}, so it was not read`,
          remedy: `use a smaller object, or raise limits.${limitName}`,
        },
  'image-not-found': () => ({
    cause: 'the registry has no such image',
    remedy: 'check the tag or digest, and that the mirror holds it',
  }),
  'signature-missing': ({ perhaps, unread }) => ({
    cause:
      unread === undefined ? 'no signature was found' : `no signature was found but ${UNREAD[unread].what}`,
    remedy: [
      unread === undefined
        ? 'use a released Istio image; copy its signatures along when mirroring (cosign copy)'
        : UNREAD[unread].remedy,
      ...(perhaps === undefined ? [] : [perhaps]),
    ].join('; '),
  }),
  'image-never-signed': ({ why }) => ({
    cause: `no signature was found, and none is expected: ${oneLine(why, MAX_DETAIL_LENGTH)}`,
    remedy: 'use a signed release of Istio, or exempt it',
  }),
  'signature-invalid': ({ detail }) => ({
    cause: `the signature is malformed: ${oneLine(detail, MAX_DETAIL_LENGTH)}`,
    remedy: "copy the image and its signatures from Istio's hub again (cosign copy)",
  }),
  'signature-for-other-image': ({ signed }) => ({
    cause: `the signature was made for another image, ${oneLine(signed, MAX_DETAIL_LENGTH)}`,
    remedy: 'use an image whose own digest is signed; this signature may have been copied from another image',
  }),
  'signer-untrusted': ({ detail }) => ({
    cause: `not signed by a trusted key: ${oneLine(detail, MAX_DETAIL_LENGTH)}`,
    remedy: "use Istio's own image, or add the signer's key to keys in the configuration",
  }),
  'component-mismatch': ({ asked, signed, starts }) => ({
    cause: `expected component ${oneLine(asked, 40)}, but ${
      starts === undefined
        ? `the image is signed as ${oneLine(signed, 40)}`
        : `its configuration starts ${oneLine(starts, 40)}: the image is ${oneLine(signed, 40)}`
    }`,
    remedy: 'use the image of this component: the mirror or the tag is wrong',
  }),
  'transparency-log-unproven': ({ detail }) => ({
    cause: `signed, but not proven to be in a pinned transparency log: ${oneLine(detail, MAX_DETAIL_LENGTH)}`,
    remedy: 'use a release that is logged (Istio 1.18 and later), or set transparencyLog: ignore',
  }),
  'too-many-signatures': ({ tried }) => ({
    cause: `none of the first ${tried} signatures is valid, and there are more, or larger ones, than are read`,
    remedy: "remove the signatures that are not Istio's from its repository",
  }),
  'registry-unavailable': (reason) => faultSentence(reason, 'try again when the registry responds'),
  'registry-backend-unavailable': (reason) =>
    faultSentence(
      reason,
      'try again when the host that the registry redirects to, or its token service, responds',
    ),
  'registry-refused': (reason) => faultSentence(reason, "check sailmark's credentials for this registry"),
  'registry-rate-limited': (reason) =>
    faultSentence(reason, 'try again later, or configure credentials or a mirror'),
  'registry-answer-invalid': (reason) =>
    faultSentence(reason, 'check the registry, and any proxy in front of it'),
  'request-budget-exceeded': ({ namespace }) => ({
    cause: `could not be verified: namespace ${quoted(namespace, 66)} asked for too many images that did not verify`,
    remedy:
      'try again in a minute, without images that are absent or unsigned; or raise limits.requestBudget',
  }),
  'deadline-exceeded': ({ asked }) => ({
    cause: `could not be verified in time: ${asked ? 'the registry did not respond' : 'no request was sent to the registry yet'}`,
    remedy: 'try again; results found meanwhile are remembered',
  }),
  'key-ring-incomplete': ({ missing }) => ({
    cause: `signed by an unknown key, while these configured keys are not loaded: ${oneLine(missing.join(', '), MAX_DETAIL_LENGTH)}`,
    remedy: 'fix the loading of these keys (sailmark keys shows their state), then try again',
  }),
  'internal-error': ({ incident }) => ({
    cause: `could not be judged because of an error inside sailmark: incident ${oneLine(incident, 60)}`,
    remedy: "find the incident in sailmark's log and report it",
  }),
};

/** Returns what to do about a reason: one short line without any text from an image or a registry. */
export const remedyOf = (reason: Reason): string => sentenceOf(reason).remedy;

/** Returns the cause and the remedy of a reason. */
export const sentenceOf = (reason: Reason): Sentence =>
  // Each code has a function for its own member of the union, which TypeScript cannot follow through an index.
  (SENTENCES[reason.code] as (reason: Reason) => Sentence)(reason);
