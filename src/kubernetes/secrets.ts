import { type JsonObject } from '../base/index.ts';
import type { CallApi } from './api.ts';
import type { Cluster, SecretData } from './cluster.ts';
import { objectAt, readObject, versionOf } from './object.ts';
import type { Resource } from './resource.ts';

const decode = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');

const decodeData = (secret: JsonObject): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(objectAt(secret, 'data')).flatMap(([key, value]) =>
      typeof value === 'string' ? [[key, decode(value)]] : [],
    ),
  );

/** Values that nobody changed stay as they are, byte for byte: some may be no text. */
const encodeData = (data: SecretData['data'], before: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(data).map(([key, text]) => {
      const held = before[key];
      const isSame = typeof held === 'string' && decode(held) === text;
      return [key, isSame ? held : Buffer.from(text, 'utf8').toString('base64')];
    }),
  );

const secretNamed = (namespace: string, name: string): Resource => ({
  group: '',
  plural: 'secrets',
  namespace,
  name,
});

/** Reads and replaces Secrets, with the verbs `get` and `update` alone. */
export const createSecrets = (ask: CallApi): Pick<Cluster, 'readSecret' | 'replaceSecret'> => {
  const read = async (resource: Resource, signal: AbortSignal): Promise<JsonObject | undefined> => {
    const question = { method: 'GET', resource, accept: [404] } as const;
    const { status, body } = await ask(question, signal);
    return status === 404 ? undefined : readObject(body, question);
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
      // An update writes the whole object, so what is not ours of it is read first: labels, annotations, type.
      const before = await read(resource, signal);
      if (before === undefined || versionOf(before, { method: 'GET', resource }) !== version)
        return 'conflict';
      const body = { ...before, data: encodeData(data, objectAt(before, 'data')) };
      const { status } = await ask({ method: 'PUT', resource, body, accept: [404, 409] }, signal);
      return status === 404 || status === 409 ? 'conflict' : 'written';
    },
  };
};
