import { isJsonObject, type JsonObject, oneLine } from '../base/index.ts';
import type { AdmissionRequest } from './admission-review.ts';

/** The object that an Event is about, in the namespace of its review. */
export interface Regarding {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** `kubectl describe` looks Events up by it; undefined: the object has none yet. */
  readonly uid?: string;
}

/** What names an object and was not cut: a name that somebody shortened is another object's. */
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

/** At most one owner is the controller (ValidateOwnerReferences, k8s.io/apimachinery/pkg/api/validation). */
const controllerOf = ({ ownerReferences }: JsonObject): Regarding | undefined => {
  if (!Array.isArray(ownerReferences)) return undefined;
  const owner: unknown = ownerReferences.find(
    (one: unknown) => isJsonObject(one) && one['controller'] === true,
  );
  return isJsonObject(owner) ? regardingOf(owner, owner) : undefined;
};

/**
 * What an Event on a review is about: an object that is being created stands for its controller (a ReplicaSet, Job …),
 * so that a hundred replicas are one Event; without a controller, or once it exists, for itself. Undefined where
 * neither has a name, or where there is no namespace.
 */
export const findRegarding = ({ namespace, operation, object }: AdmissionRequest): Regarding | undefined => {
  if (namespace === '' || !isJsonObject(object)) return undefined;
  const metadata = object['metadata'];
  if (!isJsonObject(metadata)) return undefined;
  const controller = operation === 'CREATE' ? controllerOf(metadata) : undefined;
  return controller ?? regardingOf(metadata, object);
};
