import { DAY_MS, listWithin, oneLine } from '../../base/index.ts';
import { parseImageReference } from '../../image/index.ts';
import { type Exemption, endOf, matchesImage } from '../../policy/index.ts';
import type { ConfiguredImage, Notice, ScannedImage } from '../scan-result.ts';
import { listReferences, sumPods } from './versions.ts';

/** The end of an exemption is announced so long before. */
const SOON_MS = 30 * DAY_MS;
const MAX_TEXT = 160;

/** An image and the namespaces in which it was seen; null: everywhere, as far as is known. */
interface Seen {
  readonly reference: string;
  readonly namespaces: ReadonlySet<string> | null;
  readonly pods: number;
}

const seenOf = (images: readonly ScannedImage[], preflight: readonly ConfiguredImage[]): readonly Seen[] => [
  ...images.map(({ reference, uses, omittedUses, pods }) => ({
    reference,
    pods,
    namespaces: omittedUses > 0 ? null : new Set(uses.map(({ namespace }) => namespace)),
  })),
  ...preflight.map(({ reference, namespaces }) => ({
    reference,
    pods: 0,
    namespaces: namespaces === null ? null : new Set(namespaces),
  })),
];

/** True if an exemption may cover an image: its digest is taken for what the tag stands for, so that none is called unused in error. */
const covers = ({ images, namespaces }: Exemption, seen: Seen): boolean => {
  const parsed = parseImageReference(seen.reference);
  if (!parsed.ok) return false;
  const { reference } = parsed;
  const isThere =
    seen.namespaces === null ||
    namespaces.includes('*') ||
    namespaces.some((namespace) => seen.namespaces?.has(namespace) === true);
  return isThere && images.some((pattern) => matchesImage(pattern, reference, reference.digest));
};

const describe = ({ images, owner }: Exemption): string =>
  `${listWithin(
    images.map((image) => oneLine(image, MAX_TEXT)),
    MAX_TEXT,
  )}, owner ${oneLine(owner, MAX_TEXT)}`;

interface ExemptionsInput {
  readonly exemptions: readonly Exemption[];
  readonly images: readonly ScannedImage[];
  readonly preflight: readonly ConfiguredImage[];
  /** True if every pod and template was read, and every image is listed: only then is one that covers nothing known. */
  readonly sawEverything: boolean;
  readonly now: number;
}

const textFor = (
  exemption: Exemption,
  number: number,
  isUsed: boolean,
  { sawEverything, now }: ExemptionsInput,
): Pick<Notice, 'kind' | 'severity' | 'message' | 'date'> | undefined => {
  const head = `Exemption ${number} (${describe(exemption)})`;
  const end = endOf(exemption);
  const date = exemption.expires;
  if (end <= now) {
    const remedy = isUsed ? 'renew it, or replace the images that it covered' : 'remove it';
    return {
      kind: 'exemption-expires',
      severity: isUsed ? 'warning' : 'info',
      date,
      message: `${head} ended after ${date}: ${remedy}`,
    };
  }
  if (!isUsed && sawEverything)
    return {
      kind: 'exemption-unused',
      severity: 'info',
      date: null,
      message: `${head} covers no image of Istio in the cluster: remove it`,
    };
  if (end - now > SOON_MS) return undefined;
  const remedy = isUsed ? 'renew it, or replace the images that it covers' : 'let it end, or renew it';
  return {
    kind: 'exemption-expires',
    severity: 'warning',
    date,
    message: `${head} ends after ${date}: ${remedy}`,
  };
};

/** Finds the exemptions that have ended, end within 30 days, or cover nothing in the cluster. */
export const exemptionNotices = (input: ExemptionsInput): readonly Notice[] => {
  const { exemptions, images, preflight } = input;
  const seen = seenOf(images, preflight);
  return exemptions.flatMap((exemption, index) => {
    const uses = seen.filter((each) => covers(exemption, each));
    const text = textFor(exemption, index + 1, uses.length > 0, input);
    return text === undefined
      ? []
      : [{ ...text, subject: String(index + 1), pods: sumPods(uses), images: listReferences(uses) }];
  });
};
