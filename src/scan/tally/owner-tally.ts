import { findingsOf, type JudgedObject, type NamespaceRules } from '../judge/judge-object.ts';
import type { Shares } from '../judge/shares.ts';
import { rankOfStatus } from '../judge/status.ts';
import type { ScannedOwner } from '../scan-result.ts';
import { boundedText, type TallyLimits } from './tally-limits.ts';

/** A controller, or an object that has none. */
export interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string | null;
}

/** Returns how results name an owner: `Deployment/httpbin`. */
export const ownerName = ({ kind, name }: Pick<Owner, 'kind' | 'name'>): string =>
  boundedText(`${kind}/${name}`);

type Mutable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

interface TalliedOwner extends Mutable<Omit<ScannedOwner, 'podNames' | 'refusedPods' | 'findings'>> {
  readonly podNames: string[];
  readonly refusedPods: string[];
  readonly findings: Map<string, ScannedOwner['findings'][number]>;
}

/** Collects the owners whose pods or template have a finding. */
export interface OwnerTally {
  /** `pod` is the name of a pod; undefined: the object is a template. */
  add(owner: Owner, rules: NamespaceRules, pod: string | undefined, judged: JudgedObject): void;
  /** The most serious first. */
  owners(): readonly ScannedOwner[];
  /** The number of objects whose owners are not listed. */
  omitted(): number;
}

const bySeriousness = (one: ScannedOwner, other: ScannedOwner): number =>
  rankOfStatus(one.status) - rankOfStatus(other.status) ||
  other.pods - one.pods ||
  one.namespace.localeCompare(other.namespace) ||
  one.name.localeCompare(other.name);

const createOwner = (owner: Owner, rules: NamespaceRules, judged: JudgedObject): TalliedOwner => ({
  apiVersion: boundedText(owner.apiVersion),
  kind: boundedText(owner.kind),
  namespace: boundedText(owner.namespace),
  name: boundedText(owner.name),
  uid: owner.uid === null ? null : boundedText(owner.uid),
  status: judged.status ?? 'verified',
  mode: rules.mode,
  critical: rules.critical,
  pods: 0,
  podNames: [],
  refusedPods: [],
  message: judged.message,
  findings: new Map(),
});

/** `shares` bounds the owners, by namespace. */
export const createOwnerTally = (limits: TallyLimits, shares: Shares): OwnerTally => {
  const owners = new Map<string, TalliedOwner>();
  let names = 0;
  const ownerOf = (owner: Owner, rules: NamespaceRules, judged: JudgedObject): TalliedOwner | undefined => {
    const key = JSON.stringify([owner.apiVersion, owner.kind, owner.namespace, owner.name]);
    const known = owners.get(key);
    if (known !== undefined || !shares.take(owner.namespace)) return known;
    const created = createOwner(owner, rules, judged);
    owners.set(key, created);
    return created;
  };
  const addName = (list: string[], pod: string): void => {
    if (list.length >= limits.podNamesPerOwner || names >= limits.podNames) return;
    names += 1;
    list.push(boundedText(pod));
  };
  return {
    add(owner, rules, pod, judged) {
      if (judged.status === undefined || judged.status === 'verified') return;
      const tallied = ownerOf(owner, rules, judged);
      if (tallied === undefined) return;
      if (rankOfStatus(judged.status) < rankOfStatus(tallied.status)) {
        tallied.status = judged.status;
        tallied.message = judged.message;
      }
      if (pod !== undefined) {
        tallied.pods += 1;
        addName(tallied.podNames, pod);
        if (judged.denied) addName(tallied.refusedPods, pod);
      }
      const serious = findingsOf(judged).toSorted(
        (one, other) => rankOfStatus(one.status) - rankOfStatus(other.status),
      );
      for (const { image, path, reason, effect } of serious) {
        if (reason === null) continue;
        const finding = { image: boundedText(image), path: boundedText(path), code: reason.code, effect };
        const key = JSON.stringify(finding);
        if (tallied.findings.size < limits.findingsPerOwner || tallied.findings.has(key))
          tallied.findings.set(key, finding);
      }
    },
    owners: () =>
      [...owners.values()]
        .map((owner) => ({
          ...owner,
          podNames: owner.podNames.toSorted(),
          refusedPods: owner.refusedPods.toSorted(),
          findings: [...owner.findings.values()],
        }))
        .toSorted(bySeriousness),
    omitted: shares.refused,
  };
};
