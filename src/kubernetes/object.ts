import { isJsonObject, type JsonObject } from '../base/index.ts';
import { ClusterFault, type RequestTarget } from './cluster-fault.ts';

/** What is there of an object below `value`; empty where there is none. */
export const objectAt = (value: JsonObject, field: string): JsonObject => {
  const found = value[field];
  return isJsonObject(found) ? found : {};
};

/** A Kubernetes object, as an answer holds it. Throws a fault where the answer is something else. */
export const readObject = (body: unknown, asked: RequestTarget): JsonObject => {
  if (isJsonObject(body)) return body;
  throw new ClusterFault({ ...asked, status: 200 }, 'the API server answers with what is no object');
};

/** Throws a fault where an object has no version: nothing could be written to it safely. */
export const versionOf = (object: JsonObject, asked: RequestTarget): string => {
  const version = objectAt(object, 'metadata')['resourceVersion'];
  if (typeof version === 'string' && version !== '') return version;
  throw new ClusterFault({ ...asked, status: 200 }, 'the API server answers with an object of no version');
};
