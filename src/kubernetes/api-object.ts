import { isJsonObject, type JsonObject } from '../base/index.ts';
import { ClusterFault, type RequestTarget } from './cluster-fault.ts';

/** Returns the object in a field, or an empty one if the field has none. */
export const objectAt = (value: JsonObject, field: string): JsonObject => {
  const member = value[field];
  return isJsonObject(member) ? member : {};
};

/** Returns the Kubernetes object of a response. Throws a fault if it is something else. */
export const readObject = (body: unknown, target: RequestTarget): JsonObject => {
  if (isJsonObject(body)) return body;
  throw new ClusterFault(
    { ...target, status: 200 },
    'the API server returned something other than a JSON object',
  );
};

/** Returns the resource version. Throws a fault if there is none: the object could not be updated safely. */
export const versionOf = (object: JsonObject, target: RequestTarget): string => {
  const version = objectAt(object, 'metadata')['resourceVersion'];
  if (typeof version === 'string' && version !== '') return version;
  throw new ClusterFault(
    { ...target, status: 200 },
    'the API server returned an object without a resourceVersion',
  );
};
