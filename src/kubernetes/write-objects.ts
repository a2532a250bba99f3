import { type JsonObject, listMemberOf, memberOf } from '../base/index.ts';
import { readObject } from './api-object.ts';
import type { CallApi } from './call-api.ts';
import { ClusterFault } from './cluster-fault.ts';
import type { Resource } from './resource.ts';

/** An object of a version, as it was read: a write for it is refused if the object was changed or replaced since. */
export interface ObjectVersion {
  readonly uid: string;
  readonly version: string;
}

/** Reads and writes single objects of any kind. Every function rejects with a `ClusterFault`. */
export interface ObjectWriter {
  /**
   * 'served': the API server has this resource in this version; 'other-version': in other versions only; 'absent': it
   * does not know the group, or the group has no such resource.
   */
  findApi(resource: Resource, signal: AbortSignal): Promise<'served' | 'other-version' | 'absent'>;
  /** 'exists': there is an object of this name; 'gone': its namespace is not there any more, or being deleted. */
  createObject(
    collection: Resource,
    body: JsonObject,
    signal: AbortSignal,
  ): Promise<'written' | 'exists' | 'gone'>;
  /** Replaces the object; the body holds the version that it replaces. 'conflict': it was changed or deleted since. */
  replaceObject(resource: Resource, body: JsonObject, signal: AbortSignal): Promise<'written' | 'conflict'>;
  /** 'conflict': it was changed or replaced since it was read. One that is gone already counts as removed. */
  removeObject(
    resource: Resource,
    before: ObjectVersion,
    signal: AbortSignal,
  ): Promise<'removed' | 'conflict'>;
}

const names = (list: readonly unknown[] | undefined, member: string): readonly unknown[] =>
  (list ?? []).map((item) => memberOf(item, member));

/**
 * Returns true for the refusal to create anything in a namespace that is being deleted, which has the status of a missing
 * permission (NamespaceLifecycle, k8s.io/apiserver).
 */
export const isTerminating = (error: unknown): boolean =>
  error instanceof ClusterFault &&
  error.status === 403 &&
  error.message.includes('because it is being terminated');

/** Creates the functions that read and write objects, with the verb that each is named for. */
export const createObjectWriter = (callApi: CallApi): ObjectWriter => {
  const discover = async (path: string, signal: AbortSignal): Promise<JsonObject | undefined> => {
    const request = { method: 'GET', resource: { group: '', plural: path }, accept: [404] } as const;
    const { status, body } = await callApi(request, signal);
    return status === 404 ? undefined : readObject(body, request);
  };
  return {
    async findApi({ group, version = 'v1', plural }, signal) {
      const found = await discover(`/apis/${group}`, signal);
      if (found === undefined) return 'absent';
      if (!names(listMemberOf(found, 'versions'), 'version').includes(version)) return 'other-version';
      const resources = await discover(`/apis/${group}/${version}`, signal);
      return names(listMemberOf(resources, 'resources'), 'name').includes(plural) ? 'served' : 'absent';
    },
    async createObject(collection, body, signal) {
      const request = { method: 'POST', resource: collection, body, accept: [404, 409] } as const;
      try {
        const { status } = await callApi(request, signal);
        if (status === 404) return 'gone';
        return status === 409 ? 'exists' : 'written';
      } catch (error) {
        if (isTerminating(error)) return 'gone';
        throw error;
      }
    },
    async replaceObject(resource, body, signal) {
      const { status } = await callApi({ method: 'PUT', resource, body, accept: [404, 409] }, signal);
      return status === 404 || status === 409 ? 'conflict' : 'written';
    },
    async removeObject(resource, { uid, version }, signal) {
      // Without the preconditions an object that someone else made in its place would be deleted (meta/v1 DeleteOptions).
      const body = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        preconditions: { uid, resourceVersion: version },
      };
      const { status } = await callApi({ method: 'DELETE', resource, body, accept: [404, 409] }, signal);
      return status === 409 ? 'conflict' : 'removed';
    },
  };
};
