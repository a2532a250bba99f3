import { isJsonObject, type JsonObject, oneLine } from '../base/index.ts';
import type { AdmissionRequest } from './admission-review.ts';

/** The object that an Event is about, in the namespace of its review. */
export interface Regarding {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** `kubectl describe` finds Events by it; undefined if the object has none yet. */
  readonly uid?: string;
}

/** Returns a name that is one line of at most 253 characters: a shortened name would be another object's. */
const nameAt = (from: JsonObject, field: string): string | undefined => {
  const name = from[field];
  return typeof name === 'string' && name !== '' && oneLine(name, 253) === name ? name : undefined;
};

const regardingOf = (named: JsonObject, typed: JsonObject): Regarding | undefined => {
  const apiVersion = nameAt(typed, 'apiVersion');
  const kind = nameAt(typed, 'kind');
  const name = nameAt(named, 'name');
  const uid = nameAt(named, 'uid');
  if (apiVersion === undefined || kind === undefined || name === undefined) return undefined;
  return { apiVersion, kind, name, ...(uid === undefined ? {} : { uid }) };
};

/** Finds the controller among the owners: at most one (ValidateOwnerReferences, k8s.io/apimachinery/pkg/api/validation). */
const controllerOf = ({ ownerReferences }: JsonObject): Regarding | undefined => {
  if (!Array.isArray(ownerReferences)) return undefined;
  const owner: unknown = ownerReferences.find(
    (reference: unknown) => isJsonObject(reference) && reference['controller'] === true,
  );
  return isJsonObject(owner) ? regardingOf(owner, owner) : undefined;
};

/**
 * Finds the object that Events on a review are about: for an object that is being created its controller (a ReplicaSet,
 * a Job …), so that a hundred replicas are one Event; otherwise the object itself. Undefined if it has no name or no
 * namespace.
 */
export const findRegarding = ({ namespace, operation, object }: AdmissionRequest): Regarding | undefined => {
  if (namespace === '' || !isJsonObject(object)) return undefined;
  const metadata = object['metadata'];
  if (!isJsonObject(metadata)) return undefined;
  const controller = operation === 'CREATE' ? controllerOf(metadata) : undefined;
  return controller ?? regardingOf(metadata, object);
};
