import { type JsonObject, listMemberOf, memberOf, textOf } from '../../base/index.ts';
import type { ServedResources } from '../../kubernetes/index.ts';
import type { CollectedObject } from './collected.ts';
import { templateKinds } from './kinds.ts';
import { createOwners, type FoundOwner, type ObjectKind, type Owners } from './owners.ts';
import { createReadList, type ListReaderOptions, type ListTarget, type ReadList } from './read-list.ts';

export interface CollectOptions extends ListReaderOptions {
  /** The namespaces to read; undefined: the whole cluster. */
  readonly namespaces?: readonly string[] | undefined;
  readonly served: ServedResources;
}

/** A kind in the version that is served. */
interface ReadKind extends ListTarget, ObjectKind {
  readonly isNamespaced: boolean;
}

const PODS: ReadKind = {
  group: '',
  version: 'v1',
  plural: 'pods',
  apiVersion: 'v1',
  kind: 'Pod',
  isNamespaced: true,
};
const NOT_ENDED = 'status.phase!=Succeeded,status.phase!=Failed';
const ENDED: ReadonlySet<unknown> = new Set(['Succeeded', 'Failed']);
const ENDED_JOB: ReadonlySet<unknown> = new Set(['Complete', 'Failed']);

const readKindsOf = (served: ServedResources): readonly ReadKind[] =>
  templateKinds.flatMap(({ group, plural, kind, isBuiltIn }): readonly ReadKind[] => {
    const found = isBuiltIn ? undefined : served.find(group, plural);
    if (!isBuiltIn && found === undefined) return [];
    const version = found?.version ?? 'v1';
    const apiVersion = group === '' ? version : `${group}/${version}`;
    return [{ group, version, plural, apiVersion, kind, isNamespaced: found?.isNamespaced ?? true }];
  });

/** The collections of a kind to read. Of what belongs to the cluster, nothing is in a namespace. */
const targetsOf = (
  { group, version, plural, isNamespaced }: ReadKind,
  namespaces: readonly string[] | undefined,
): readonly ListTarget[] => {
  if (namespaces === undefined) return [{ group, version, plural }];
  return isNamespaced ? namespaces.map((namespace) => ({ group, version, plural, namespace })) : [];
};

const isEndedJob = (object: JsonObject): boolean =>
  (listMemberOf(memberOf(object, 'status'), 'conditions') ?? []).some(
    (condition) => ENDED_JOB.has(memberOf(condition, 'type')) && memberOf(condition, 'status') === 'True',
  );

/** The kinds of which a controller keeps old ones without a pod, by the kinds of the controller. */
const KEPT_BY: ReadonlyMap<string, readonly string[]> = new Map([
  ['ReplicaSet', ['Deployment', 'Rollout']],
  ['ReplicationController', ['DeploymentConfig']],
  ['Deployment', ['Revision']],
]);

/**
 * True for a template from which no pod is made any more: that of an ended Job, or an old ReplicaSet that its controller
 * keeps for a rollback. Whoever creates an object may name any controller, so one alone takes nothing out of the scan.
 */
const isHistory = (
  object: JsonObject,
  { kind }: ObjectKind,
  { isKnown, controller }: FoundOwner,
): boolean => {
  if (kind === 'Job') return isEndedJob(object);
  if (kind === 'Revision') return isKnown && controller === 'Configuration';
  return (
    KEPT_BY.get(kind)?.includes(controller) === true && memberOf(memberOf(object, 'spec'), 'replicas') === 0
  );
};

const collectedOf = (
  object: JsonObject,
  { group, plural, apiVersion, kind }: ReadKind,
  { owner }: FoundOwner,
): CollectedObject => {
  const metadata = memberOf(object, 'metadata');
  return {
    object: { ...object, apiVersion, kind },
    group,
    plural,
    isPod: kind === 'Pod',
    namespace: textOf(memberOf(metadata, 'namespace')) ?? '',
    name: textOf(memberOf(metadata, 'name')) ?? '',
    owner,
  };
};

async function* readTemplates(
  kind: ReadKind,
  owners: Owners,
  objects: AsyncIterable<JsonObject>,
): AsyncIterable<CollectedObject> {
  for await (const object of objects) {
    const found = owners.add(object, kind);
    if (!isHistory(object, kind, found)) yield collectedOf(object, kind, found);
  }
}

async function* readPods(
  owners: Owners,
  namespaces: readonly string[] | undefined,
  readList: ReadList,
): AsyncIterable<CollectedObject> {
  for (const target of targetsOf(PODS, namespaces))
    for await (const object of readList(target, { fieldSelector: NOT_ENDED }))
      if (!ENDED.has(memberOf(memberOf(object, 'status'), 'phase')))
        yield collectedOf(object, PODS, owners.find(object, PODS));
}

/**
 * Yields every object with a pod template from which pods are made, then every pod that has not ended, each with its
 * outermost owner. What an object controls is yielded too: its template may be another one. Holds a page of objects in memory, and a few hundred bytes for each controller. What could not be read is
 * said by the coverage; it never rejects, and ends early with the signal.
 */
export async function* collect(options: CollectOptions): AsyncIterable<CollectedObject> {
  const { namespaces, served } = options;
  const owners = createOwners();
  const readList = createReadList(options);
  for (const kind of readKindsOf(served))
    for (const target of targetsOf(kind, namespaces)) yield* readTemplates(kind, owners, readList(target));
  yield* readPods(owners, namespaces, readList);
}
