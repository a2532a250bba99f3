import { type JsonObject } from '../base/index.ts';
import { objectAt, readObject, versionOf } from './api-object.ts';
import type { CallApi } from './call-api.ts';
import type { Cluster, SecretData } from './cluster.ts';
import type { Resource } from './resource.ts';

const decode = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');

const decodeData = (secret: JsonObject): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(objectAt(secret, 'data')).flatMap(([key, value]) =>
      typeof value === 'string' ? [[key, decode(value)]] : [],
    ),
  );

/** Values that are unchanged stay the same byte for byte: some may not be text. */
const encodeData = (data: SecretData['data'], before: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(data).map(([key, text]) => {
      const previous = before[key];
      const isSame = typeof previous === 'string' && decode(previous) === text;
      return [key, isSame ? previous : Buffer.from(text, 'utf8').toString('base64')];
    }),
  );

const secretNamed = (namespace: string, name: string): Resource => ({
  group: '',
  plural: 'secrets',
  namespace,
  name,
});

/** Creates the functions that read and replace Secrets, with the verbs `get` and `update` only. */
export const createSecrets = (callApi: CallApi): Pick<Cluster, 'readSecret' | 'replaceSecret'> => {
  const read = async (resource: Resource, signal: AbortSignal): Promise<JsonObject | undefined> => {
    const request = { method: 'GET', resource, accept: [404] } as const;
    const { status, body } = await callApi(request, signal);
    return status === 404 ? undefined : readObject(body, request);
  };
  return {
    async readSecret(namespace, name, signal) {
      const resource = secretNamed(namespace, name);
      const secret = await read(resource, signal);
      if (secret === undefined) return undefined;
      return { version: versionOf(secret, { method: 'GET', resource }), data: decodeData(secret) };
    },
    async replaceSecret(namespace, name, { version, data }, signal) {
      const resource = secretNamed(namespace, name);
      // An update replaces the whole object, so it is read first: labels, annotations and type must stay.
      const before = await read(resource, signal);
      if (before === undefined || versionOf(before, { method: 'GET', resource }) !== version)
        return 'conflict';
      const body = { ...before, data: encodeData(data, objectAt(before, 'data')) };
      const { status } = await callApi({ method: 'PUT', resource, body, accept: [404, 409] }, signal);
      return status === 404 || status === 409 ? 'conflict' : 'written';
    },
  };
};
