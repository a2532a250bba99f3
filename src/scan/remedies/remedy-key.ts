import { type ImageReference, parseImageReference } from '../../image/index.ts';
import { type Mirror, placeholderImage } from '../../istio/index.ts';
import type { Judgement, Reason, ReasonCode } from '../../policy/index.ts';
import type { JudgedUse } from '../judge/judge-object.ts';
import type { RemedyKind } from '../scan-result.ts';

/** A group of image uses that one thing settles. */
export interface RemedyKey {
  readonly kind: RemedyKind;
  /** A prefix, a mirror, a registry, a vendor: what the one thing is done to. Empty: there is nothing to tell apart. */
  readonly subject: string;
}

const EXEMPTIBLE: ReadonlySet<RemedyKind> = new Set<RemedyKind>([
  'declare-mirror',
  'copy-signatures',
  'use-signed-release',
  'replace-image',
  'add-key',
  'other',
]);

/** True if an exemption may stand in: not for a registry that does not respond, nor for a digest that can be named. */
export const isExemptible = (kind: RemedyKind): boolean => EXEMPTIBLE.has(kind);

type Use = Pick<JudgedUse, 'image' | 'judgement'>;

/** Returns the registry and the path before the last segment of a reference; undefined if it is not valid. */
export const prefixOf = ({ image, judgement }: Use): string | undefined => {
  const parsed = parseImageReference(image);
  const reference = judgement?.reference ?? (parsed.ok ? parsed.reference : undefined);
  const name = reference?.repository.name;
  return name?.slice(0, name.lastIndexOf('/'));
};

const registryOf = ({ judgement }: Use): string => judgement?.reference?.repository.registry ?? '';

const placeOf = (judgement: Judgement | undefined): string =>
  judgement?.class?.kind === 'istio' ? judgement.class.place : '';

/** Returns the mirror of the configuration that an image is on. */
export const mirrorOf = (judgement: Judgement | undefined, mirrors: readonly Mirror[]): Mirror | undefined =>
  mirrors.find(({ mirror }) => mirror === placeOf(judgement));

/** Returns the hub's name for an image of a mirror. */
export const hubNameOf = ({ repository: { name } }: ImageReference, { components = {} }: Mirror): string => {
  const segment = name.slice(name.lastIndexOf('/') + 1);
  return (Object.hasOwn(components, segment) ? components[segment] : undefined) ?? segment;
};

type KeyOf<Code extends ReasonCode> = (
  reason: Extract<Reason, { code: Code }>,
  use: Use,
  mirrors: readonly Mirror[],
) => RemedyKey;

const reachRegistry = ({ code }: Reason, use: Use): RemedyKey => ({
  kind: 'reach-registry',
  subject: `${registryOf(use)} ${code}`,
});

/** Reasons whose own sentence alone says what to do. */
const other = ({ code }: Reason): RemedyKey => ({ kind: 'other', subject: code });

/** The remedy of each reason; a code that is missing does not compile. */
const KEYS: { readonly [Code in ReasonCode]: KeyOf<Code> } = {
  'image-look-alike': ({ vendor }, use) =>
    vendor === undefined
      ? { kind: 'declare-mirror', subject: prefixOf(use) ?? '' }
      : { kind: 'replace-image', subject: vendor },
  'image-unrecognised': (reason, { image }) =>
    image === placeholderImage ? other(reason) : { kind: 'replace-image', subject: '' },
  'image-never-signed': ({ why }) => ({ kind: 'use-signed-release', subject: why }),
  'signature-missing': ({ unread }, { judgement }, mirrors) => {
    if (unread !== undefined) return { kind: 'other', subject: `signature-missing ${unread}` };
    const mirror = mirrorOf(judgement, mirrors);
    // Where the hub was read too, there is nothing to copy.
    return mirror === undefined || (mirror.signatures ?? 'mirror') !== 'mirror'
      ? { kind: 'use-signed-release', subject: '' }
      : { kind: 'copy-signatures', subject: mirror.mirror };
  },
  'image-not-pinned': ({ pin }, use) =>
    pin?.undetermined === undefined
      ? { kind: 'pin', subject: pin === undefined ? 'requireDigest' : 'pin' }
      : keyOfReason(pin.undetermined, use, []),
  'signer-untrusted': (_reason, { judgement }) => ({ kind: 'add-key', subject: placeOf(judgement) }),
  'key-ring-incomplete': () => ({ kind: 'add-key', subject: '' }),
  'registry-unavailable': reachRegistry,
  'registry-backend-unavailable': reachRegistry,
  'registry-refused': reachRegistry,
  'registry-rate-limited': reachRegistry,
  'registry-answer-invalid': reachRegistry,
  'deadline-exceeded': reachRegistry,
  'image-not-found': other,
  'image-revoked': other,
  'image-reference-invalid': other,
  'too-many-images': other,
  'component-mismatch': other,
  'signature-for-other-image': other,
  'signature-invalid': other,
  'transparency-log-unproven': other,
  'too-many-signatures': other,
  'request-budget-exceeded': other,
  'internal-error': other,
};

/** Returns the remedy of a reason. */
export const keyOfReason = (reason: Reason, use: Use, mirrors: readonly Mirror[]): RemedyKey =>
  // Each code has a function for its own member of the union, which TypeScript cannot follow through an index.
  (KEYS[reason.code] as KeyOf<ReasonCode>)(reason, use, mirrors);
