import type { JsonObject } from '../../base/index.ts';
import type { Digest } from '../../image/index.ts';
import type { Mirror } from '../../istio/index.ts';
import type { Judgement, Reason } from '../../policy/index.ts';
import { parseImageId } from '../drift/image-id.ts';
import { findRunningContainers } from '../drift/running-containers.ts';
import type { JudgedUse } from '../judge/judge-object.ts';
import { createShares } from '../judge/shares.ts';
import { boundedText } from '../tally/tally-limits.ts';
import { isExemptible, keyOfReason, type RemedyKey } from './remedy-key.ts';

/** An image of a group. */
export interface GroupedImage {
  /** As written, bounded. */
  readonly reference: string;
  readonly reason: Reason;
  readonly judgement: Judgement | undefined;
  readonly namespaces: Set<string>;
  /** The digest of a manifest that a node runs for it, of an image that admission does not resolve. */
  running: Digest | undefined;
}

/** Image uses that one thing settles. */
export interface RemedyGroup extends RemedyKey {
  readonly images: Map<string, GroupedImage>;
  /** `shop Deployment/cart`. */
  readonly owners: Set<string>;
  pods: number;
  /** Images that are counted in `pods`, and not listed. */
  omitted: number;
}

/** A pod or a template, as remedies need it. */
export interface RemediedObject {
  readonly object: JsonObject;
  readonly isPod: boolean;
  readonly namespace: string;
  /** `Deployment/cart`. */
  readonly owner: string;
}

/** Groups what has a finding by what settles it, as objects come. */
export interface RemedyTally {
  add(object: RemediedObject, uses: readonly JudgedUse[]): void;
  groups(): readonly RemedyGroup[];
  /** Pods in a group that an exemption may stand in for. */
  exemptiblePods(): number;
}

/** Groups, and images of all groups: their subjects are chosen by the authors of pods, whose namespaces share them. */
const MAX_GROUPS = 1000;
const MAX_IMAGES = 20_000;
const MAX_OWNERS = 1000;
const MAX_NAMESPACES = 100;

/** The group of what is beyond the number of groups. */
const REST: RemedyKey = { kind: 'other', subject: 'rest' };

const addWithin = (set: Set<string>, text: string, max: number): void => {
  if (set.size < max) set.add(text);
};

/** Creates the function that finds the digest which the node of a pod reports for a container. Reads the pod once. */
const createRunningDigests = ({ object, isPod }: RemediedObject) => {
  let imageIds: ReadonlyMap<string, string> | undefined;
  return (container: string): Digest | undefined => {
    if (!isPod) return undefined;
    imageIds ??= new Map(findRunningContainers(object).map((each) => [each.container, each.imageId]));
    const id = parseImageId(imageIds.get(container) ?? '');
    return id?.kind === 'manifest' ? id.digest : undefined;
  };
};

/** In an order that does not depend on which image was verified first. */
const sortedGroup = (group: RemedyGroup): RemedyGroup => ({
  ...group,
  images: new Map([...group.images].toSorted(([one], [other]) => (one < other ? -1 : 1))),
  owners: new Set([...group.owners].toSorted()),
});

export const createRemedyTally = (mirrors: readonly Mirror[]): RemedyTally => {
  const groups = new Map<string, RemedyGroup>();
  let exemptiblePods = 0;
  const [groupShares, imageShares] = [createShares(MAX_GROUPS), createShares(MAX_IMAGES)];
  const openGroup = (key: RemedyKey): RemedyGroup => {
    const id = JSON.stringify([key.kind, key.subject]);
    const group = groups.get(id) ?? { ...key, images: new Map(), owners: new Set(), pods: 0, omitted: 0 };
    groups.set(id, group);
    return group;
  };
  const groupOf = ({ kind, subject }: RemedyKey, namespace: string): RemedyGroup => {
    const key = { kind, subject: boundedText(subject) };
    const isKnown = groups.has(JSON.stringify([key.kind, key.subject]));
    return openGroup(isKnown || groupShares.take(namespace) ? key : REST);
  };
  const addImage = (
    group: RemedyGroup,
    use: JudgedUse & { readonly reason: Reason },
    namespace: string,
    runningDigest: (container: string) => Digest | undefined,
  ): void => {
    const reference = boundedText(use.image);
    const known = group.images.get(reference);
    if (known === undefined && !imageShares.take(namespace)) {
      group.omitted += 1;
      return;
    }
    const { reason, judgement } = use;
    const image = known ?? {
      reference,
      reason,
      judgement,
      namespaces: new Set<string>(),
      running: undefined,
    };
    group.images.set(reference, image);
    addWithin(image.namespaces, namespace, MAX_NAMESPACES);
    if (group.kind === 'declare-mirror') image.running ??= runningDigest(use.container);
  };
  return {
    add(from, uses) {
      const ofObject = new Set<RemedyGroup>();
      const runningDigest = createRunningDigests(from);
      for (const use of uses) {
        const { reason, effect } = use;
        if (reason === null || effect === null || effect === 'exempt') continue;
        const group = groupOf(keyOfReason(reason, use, mirrors), from.namespace);
        addImage(group, { ...use, reason }, from.namespace, runningDigest);
        ofObject.add(group);
      }
      for (const group of ofObject) {
        addWithin(group.owners, `${from.namespace} ${from.owner}`, MAX_OWNERS);
        if (from.isPod) group.pods += 1;
      }
      if (from.isPod && [...ofObject].some(({ kind }) => isExemptible(kind))) exemptiblePods += 1;
    },
    exemptiblePods: () => exemptiblePods,
    groups: () => [...groups.values()].map(sortedGroup),
  };
};
