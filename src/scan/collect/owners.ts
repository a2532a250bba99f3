import { type JsonObject, listMemberOf, memberOf, textOf } from '../../base/index.ts';
import type { ObjectOwner } from './collected.ts';

/** An object's owner, and if that was read itself. */
export interface FoundOwner {
  readonly owner: ObjectOwner;
  /** Another object that was read controls it. */
  readonly isKnown: boolean;
  /** The kind of its controller, as the object names it; empty: it has none. */
  readonly controller: string;
}

/** The kind of an object, as its list says. */
export interface ObjectKind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Resolves controllers: pod to ReplicaSet to Deployment. Controllers must be added before what they control. */
export interface Owners {
  find(object: JsonObject, kind: ObjectKind): FoundOwner;
  /** Finds the owner of an object, and remembers it for the objects that this one controls. */
  add(object: JsonObject, kind: ObjectKind): FoundOwner;
}

/** Bounds memory: some 300 bytes each. Beyond it, objects are named by their own `ownerReferences`. */
const MAX_OWNERS = 500_000;

const textIn = (value: unknown, name: string): string => textOf(memberOf(value, name)) ?? '';

const metadataOf = (object: JsonObject): unknown => memberOf(object, 'metadata');

const selfOf = (object: JsonObject, { apiVersion, kind }: ObjectKind): ObjectOwner => {
  const metadata = metadataOf(object);
  const uid = textOf(memberOf(metadata, 'uid')) ?? null;
  return {
    apiVersion,
    kind,
    namespace: textIn(metadata, 'namespace'),
    name: textIn(metadata, 'name'),
    uid,
  };
};

/** Returns the reference with `controller: true`. A node controls the mirror pods of static pods, which nobody else owns. */
const controllerOf = (object: JsonObject): unknown =>
  (listMemberOf(metadataOf(object), 'ownerReferences') ?? []).find(
    (reference) => memberOf(reference, 'controller') === true && textIn(reference, 'kind') !== 'Node',
  );

/** Creates a table of owners that knows none yet: one entry for each object that was added, by its uid. */
export const createOwners = (): Owners => {
  const byUid = new Map<string, ObjectOwner>();
  const find: Owners['find'] = (object, kind) => {
    const self = selfOf(object, kind);
    const controller = controllerOf(object);
    if (controller === undefined) return { owner: self, isKnown: false, controller: '' };
    const uid = textIn(controller, 'uid');
    const known = byUid.get(uid);
    // Anyone may write any reference; an owner in another namespace is none (Kubernetes, "Owners and dependents"). None of
    // the kinds that belong to the cluster controls an object of a namespace.
    if (known?.namespace === self.namespace)
      return { owner: known, isKnown: true, controller: textIn(controller, 'kind') };
    const owner = {
      apiVersion: textIn(controller, 'apiVersion'),
      kind: textIn(controller, 'kind'),
      namespace: self.namespace,
      name: textIn(controller, 'name'),
      uid: uid === '' ? null : uid,
    };
    return { owner, isKnown: false, controller: owner.kind };
  };
  return {
    find,
    add(object, kind) {
      const found = find(object, kind);
      const uid = textIn(metadataOf(object), 'uid');
      if (uid !== '' && byUid.size < MAX_OWNERS) byUid.set(uid, found.owner);
      return found;
    },
  };
};
