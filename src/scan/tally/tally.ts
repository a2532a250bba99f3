import type { ReasonCode } from '../../policy/index.ts';
import type { JudgedObject, NamespaceRules } from '../judge/judge-object.ts';
import { createShares } from '../judge/shares.ts';
import { statuses } from '../judge/status.ts';
import type { ScannedImage, ScannedOwner, ScanStatus, ScanSummary } from '../scan-result.ts';
import { createImageTally, type TalliedImage } from './image-tally.ts';
import { createOwnerTally, type Owner, ownerName } from './owner-tally.ts';
import { defaultTallyLimits, type TallyLimits } from './tally-limits.ts';
import { createVersionTally, type VersionTally } from './version-tally.ts';

type Counts = Record<ScanStatus, number>;

/** An object as it was collected, without its content. */
export interface TalliedObject {
  readonly isPod: boolean;
  readonly namespace: string;
  readonly name: string;
  readonly owner: Owner;
}

/** The counts of a summary that pods alone decide. */
export type PodSummary = Pick<ScanSummary, 'pods' | 'denied' | 'namespaces'>;

/** Adds up what admission would answer, and keeps none of the objects. */
export interface Tally {
  add(object: TalliedObject, rules: NamespaceRules, judged: JudgedObject): void;
  /** Adds an object that could not be judged, because it is none that Kubernetes knows. */
  addMalformed(object: TalliedObject): void;
  images(): readonly TalliedImage[];
  owners(): readonly ScannedOwner[];
  versions: VersionTally['versions'];
  pods(): PodSummary;
  /** The parts that limits left out, one sentence each. */
  cut(): readonly string[];
}

const noCounts = (): Counts => ({ refused: 0, unknown: 0, reported: 0, exempt: 0, verified: 0 });

const sentence = (count: number, text: string): readonly string[] =>
  count === 0 ? [] : [`${text}: ${count}.`];

export const createTally = (limits: TallyLimits = defaultTallyLimits): Tally => {
  const images = createImageTally(limits, createShares(limits.images));
  const owners = createOwnerTally(limits, createShares(limits.owners));
  const versions = createVersionTally();
  const namespaces = new Set<string>();
  const pods = { ...noCounts(), all: 0, other: 0 };
  let [denied, malformed] = [0, 0];
  const addPod = ({ status, denied: isDenied, uses }: JudgedObject): void => {
    pods.all += 1;
    if (status === undefined) pods.other += 1;
    else pods[status] += 1;
    if (isDenied) denied += 1;
    versions.add(uses);
  };
  return {
    add(object, rules, judged) {
      const { isPod, namespace, name, owner } = object;
      namespaces.add(namespace);
      images.add({ namespace, owner: ownerName(owner), isPod }, judged.uses);
      owners.add(owner, rules, isPod ? name : undefined, judged);
      if (isPod) addPod(judged);
    },
    addMalformed({ isPod, namespace }) {
      namespaces.add(namespace);
      malformed += 1;
      if (!isPod) return;
      pods.all += 1;
      pods.unknown += 1;
    },
    images: images.images,
    owners: owners.owners,
    versions: versions.versions,
    pods: () => ({ pods: { ...pods }, denied, namespaces: namespaces.size }),
    cut: () => [
      ...sentence(images.omitted(), `Uses of images beyond the first ${limits.images}, which are not listed`),
      ...sentence(
        owners.omitted(),
        `Objects with findings whose owners are beyond the first ${limits.owners}, which are not listed`,
      ),
      ...sentence(malformed, "Objects of another shape than Kubernetes' own, which were not judged"),
    ],
  };
};

/** Counts images and owners as the result lists them. */
export const countListed = (
  images: readonly ScannedImage[],
  owners: readonly ScannedOwner[],
): Pick<ScanSummary, 'images' | 'ownersRefused' | 'reasons'> => {
  const counts = noCounts();
  const reasons: Partial<Record<ReasonCode, number>> = {};
  for (const { status, reason } of images) {
    counts[status] += 1;
    if (reason !== null) reasons[reason] = (reasons[reason] ?? 0) + 1;
  }
  return {
    images: Object.fromEntries(statuses.map((status) => [status, counts[status]])) as Counts,
    reasons,
    ownersRefused: owners.filter(({ status }) => status === 'refused').length,
  };
};
