import { type JsonObject } from '../base/index.ts';
import { objectAt, readObject, versionOf } from './api-object.ts';
import type { CallApi } from './call-api.ts';
import { describeResource, type Resource } from './resource.ts';

/** The texts and the bytes of a ConfigMap, by their keys. */
export interface KeptFiles {
  readonly version: string;
  readonly texts: Readonly<Record<string, string>>;
  readonly bytes: Readonly<Record<string, Uint8Array>>;
}

/** The new value of each key that is named; null removes it. Other keys stay. */
export interface KeptChanges {
  readonly texts: Readonly<Record<string, string>>;
  readonly bytes: Readonly<Record<string, Uint8Array | null>>;
}

/** A ConfigMap that holds files. Every function rejects with a `ClusterFault`. */
export interface KeptObject {
  /** The object's kind and name, for messages. */
  readonly name: string;
  /** Undefined: it does not exist. */
  read(signal: AbortSignal): Promise<KeptFiles | undefined>;
  /** 'conflict': the object was changed or deleted since `version` was read. */
  change(version: string, changes: KeptChanges, signal: AbortSignal): Promise<'written' | 'conflict'>;
}

const textEntries = (value: JsonObject): readonly (readonly [string, string])[] =>
  Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');

const base64 = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString('base64');

/** Creates the function that opens a ConfigMap for files, with the verbs `get` and `patch` on it. */
export const createKeptObjects =
  (callApi: CallApi) =>
  (namespace: string, name: string): KeptObject => {
    const resource: Resource = { group: '', plural: 'configmaps', namespace, name };
    return {
      name: describeResource(resource),
      async read(signal) {
        const request = { method: 'GET', resource, accept: [404] } as const;
        const { status, body } = await callApi(request, signal);
        if (status === 404) return undefined;
        const found = readObject(body, request);
        return {
          version: versionOf(found, request),
          texts: Object.fromEntries(textEntries(objectAt(found, 'data'))),
          bytes: Object.fromEntries(
            textEntries(objectAt(found, 'binaryData')).map(([key, text]) => [
              key,
              Buffer.from(text, 'base64'),
            ]),
          ),
        };
      },
      async change(version, { texts, bytes }, signal) {
        const binaryData = Object.fromEntries(
          Object.entries(bytes).map(([key, value]) => [key, base64(value)]),
        );
        const { status } = await callApi(
          {
            method: 'PATCH',
            resource,
            body: { metadata: { resourceVersion: version }, data: texts, binaryData },
            contentType: 'application/merge-patch+json',
            accept: [404, 409],
          },
          signal,
        );
        return status === 404 || status === 409 ? 'conflict' : 'written';
      },
    };
  };
