import type { JsonObject } from '../base/index.ts';
import type { SharedContent, SharedObject } from '../registry/index.ts';
import { objectAt, readObject, versionOf } from './api-object.ts';
import type { CallApi } from './call-api.ts';
import type { Cluster } from './cluster.ts';
import type { RequestTarget } from './cluster-fault.ts';
import { describeResource, type Resource } from './resource.ts';
import type { WatchApi } from './watch-api.ts';

const contentOf = (configMap: JsonObject, target: RequestTarget): SharedContent => ({
  version: versionOf(configMap, target),
  data: Object.fromEntries(
    Object.entries(objectAt(configMap, 'data')).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  ),
});

/** Creates the function that opens ConfigMaps, with the verbs `get`, `watch` and `patch` on each. */
export const createConfigMaps =
  (callApi: CallApi, watchApi: WatchApi): Cluster['configMap'] =>
  (namespace, name): SharedObject => {
    const resource: Resource & { readonly name: string } = {
      group: '',
      plural: 'configmaps',
      namespace,
      name,
    };
    return {
      name: describeResource(resource),
      async read(signal) {
        const request = { method: 'GET', resource, accept: [404] } as const;
        const { status, body } = await callApi(request, signal);
        return status === 404 ? undefined : contentOf(readObject(body, request), request);
      },
      async *watch(version, signal) {
        for await (const { type, object } of watchApi(resource, version, signal))
          yield type === 'DELETED' ? undefined : contentOf(object, { method: 'WATCH', resource });
      },
      async change(version, changes, signal) {
        // The API server compares the version in a patch, too: a patch for another version is a conflict.
        const request = {
          method: 'PATCH',
          resource,
          body: { metadata: { resourceVersion: version }, data: changes },
          contentType: 'application/merge-patch+json',
          accept: [404, 409],
        } as const;
        const { status, body } = await callApi(request, signal);
        return status === 404 || status === 409 ? 'conflict' : contentOf(readObject(body, request), request);
      },
    };
  };
