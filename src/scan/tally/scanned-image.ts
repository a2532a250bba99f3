import { parseImageReference } from '../../image/index.ts';
import { parseRelease } from '../../istio/index.ts';
import type { KeyRing, ValidSignature } from '../../verification/index.ts';
import { rankOfStatus } from '../judge/status.ts';
import type { ScannedImage, ScannedUse } from '../scan-result.ts';
import { shellCommand } from '../shell.ts';
import type { TalliedImage } from './image-tally.ts';

export interface ImageContext {
  readonly ring: KeyRing;
  /** The arguments of the scan that matter to a verification: `--config`, `sailmark.yaml`. */
  readonly flags: readonly string[];
}

const signaturesOf = ({ judgement, status }: TalliedImage): readonly ValidSignature[] =>
  judgement?.verification?.outcome === 'verified' && status === 'verified'
    ? judgement.verification.signatures
    : [];

const signersOf = (signatures: readonly ValidSignature[], { keys }: KeyRing): ScannedImage['signedBy'] =>
  [...new Set(signatures.map(({ keyId }) => keyId))].map((keyId) => ({
    keyId,
    source: keys.get(keyId)?.source ?? '',
  }));

const formatOf = ([first]: readonly ValidSignature[]): ScannedImage['format'] => first?.format ?? null;

const placeOf = ({ judgement }: TalliedImage): Pick<ScannedImage, 'hub' | 'component'> => {
  const imageClass = judgement?.class;
  if (imageClass?.kind === 'istio') return { hub: imageClass.place, component: imageClass.component ?? null };
  return { hub: null, component: imageClass?.kind === 'look-alike' ? imageClass.component : null };
};

const releaseOf = (reference: string): string | null => {
  const parsed = parseImageReference(reference);
  return (parsed.ok && parseRelease(parsed.reference.tag ?? '')?.release) || null;
};

/** Returns the digest that an image names, or resolves to. */
const digestOf = ({ judgement }: TalliedImage): string | null =>
  judgement?.reference?.digest ?? judgement?.verification?.digest ?? null;

const placeOfUse = ({ namespace, owner, container }: ScannedUse): string =>
  [namespace, owner, container].join('\n');

const byPods = (one: ScannedUse, other: ScannedUse): number =>
  other.pods - one.pods || (placeOfUse(one) < placeOfUse(other) ? -1 : 1);

/** Returns a tallied image as the result lists it. */
export const scannedImageOf = (image: TalliedImage, { ring, flags }: ImageContext): ScannedImage => {
  const { reference, status, reason, pods, omittedUses } = image;
  const signatures = signaturesOf(image);
  const signedBy = signersOf(signatures, ring);
  const signers = signedBy.map(({ source, keyId }) => source || keyId).join(', ');
  return {
    reference,
    status,
    ...placeOf(image),
    istioVersion: releaseOf(reference),
    digest: digestOf(image),
    reason: reason?.code ?? null,
    message: status === 'verified' ? `signed by ${signers}` : image.message,
    signedBy,
    format: formatOf(signatures),
    command: shellCommand(['sailmark', 'verify', ...flags], reference) ?? '',
    pods,
    uses: [...image.uses.values()].toSorted(byPods),
    omittedUses,
  };
};

/** The most serious first, then the most used. */
export const bySeriousness = (one: ScannedImage, other: ScannedImage): number =>
  rankOfStatus(one.status) - rankOfStatus(other.status) ||
  other.pods - one.pods ||
  (one.reference < other.reference ? -1 : 1);
