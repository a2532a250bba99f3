import { type JsonObject, memberOf, textOf } from '../base/index.ts';
import { readObject } from './api-object.ts';
import type { CallApi } from './call-api.ts';
import type { Cluster } from './cluster.ts';
import { createDiscover } from './discovery.ts';
import { createListObjects } from './list-objects.ts';

const readObjectNamed =
  (callApi: CallApi): Cluster['get'] =>
  async (resource, signal): Promise<JsonObject | undefined> => {
    const request = { method: 'GET', resource, accept: [404] } as const;
    const { status, body } = await callApi(request, signal);
    return status === 404 ? undefined : readObject(body, request);
  };

/** Creates the functions that read any object of the cluster, with the verbs `list` and `get` on what they are asked for. */
export const createReadApi = (
  callApi: CallApi,
): Pick<Cluster, 'list' | 'get' | 'discover' | 'serverVersion'> => ({
  list: createListObjects(callApi),
  get: readObjectNamed(callApi),
  discover: createDiscover(callApi),
  async serverVersion(signal) {
    const { body } = await callApi({ method: 'GET', resource: { group: '', plural: '/version' } }, signal);
    return textOf(memberOf(body, 'gitVersion'));
  },
});
