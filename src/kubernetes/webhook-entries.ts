import { isJsonObject, type JsonObject } from '../base/index.ts';
import { objectAt, readObject, versionOf } from './api-object.ts';
import type { CallApi } from './call-api.ts';
import type { RequestTarget } from './cluster-fault.ts';
import type { Resource } from './resource.ts';
import type { WatchApi } from './watch-api.ts';

/** One entry of a webhook configuration. */
export interface WebhookEntry {
  readonly name: string;
  /** PEM; undefined: the API server trusts the CAs of its own system. */
  readonly caBundle: string | undefined;
  /** The host that the API server expects in the certificate; undefined if the entry names none. */
  readonly host: string | undefined;
  /** The requests that are sent; none: the entry does nothing. */
  readonly rules: readonly unknown[];
}

/** A ValidatingWebhookConfiguration, as far as it decides when its entries are in force. */
export interface WebhookEntries {
  readonly version: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly entries: readonly WebhookEntry[];
}

/** A ValidatingWebhookConfiguration, read, watched and written. Every function rejects with a `ClusterFault`. */
export interface WebhookObject {
  readonly name: string;
  /** Undefined: it does not exist. */
  read(signal: AbortSignal): Promise<WebhookEntries | undefined>;
  /**
   * Yields the object after each change since a version, undefined after its deletion. Without a version: as it is, and
   * after each change, also if it does not exist yet. Ends when the API server ends the watch.
   */
  watch(version: string | undefined, signal: AbortSignal): AsyncIterable<WebhookEntries | undefined>;
  /**
   * Replaces the rules of the entries named, and nothing else. Rejects if the object was changed or deleted since it was read.
   */
  setRules(
    before: WebhookEntries,
    rules: ReadonlyMap<string, readonly unknown[]>,
    signal: AbortSignal,
  ): Promise<void>;
  /** Resolves if `setRules` is permitted, or the object does not exist. Changes nothing. */
  checkPermission(signal: AbortSignal): Promise<void>;
}

const hostOf = (clientConfig: JsonObject): string | undefined => {
  const { url } = clientConfig;
  if (typeof url === 'string') return URL.parse(url)?.hostname.replace(/^\[|\]$/g, '');
  const { name, namespace } = objectAt(clientConfig, 'service');
  return typeof name === 'string' && typeof namespace === 'string' ? `${name}.${namespace}.svc` : undefined;
};

const entryOf = (entry: JsonObject, name: string): WebhookEntry => {
  const clientConfig = objectAt(entry, 'clientConfig');
  const { caBundle } = clientConfig;
  return {
    name,
    caBundle:
      typeof caBundle === 'string' && caBundle !== ''
        ? Buffer.from(caBundle, 'base64').toString('utf8')
        : undefined,
    host: hostOf(clientConfig),
    rules: Array.isArray(entry['rules']) ? entry['rules'] : [],
  };
};

const entriesOf = (object: JsonObject, target: RequestTarget): WebhookEntries => {
  const { webhooks } = object;
  return {
    version: versionOf(object, target),
    annotations: Object.fromEntries(
      Object.entries(objectAt(objectAt(object, 'metadata'), 'annotations')).filter(
        (entry): entry is [string, string] => typeof entry[1] === 'string',
      ),
    ),
    // An entry keeps its index, by which a patch finds it: the API server requires a name of each.
    entries: (Array.isArray(webhooks) ? webhooks : []).map((entry: unknown) =>
      isJsonObject(entry) && typeof entry['name'] === 'string'
        ? entryOf(entry, entry['name'])
        : entryOf({}, ''),
    ),
  };
};

/** A JSON patch (RFC 6902): the version and the name of each entry are tested first. */
const patchOf = (
  before: WebhookEntries,
  rules: ReadonlyMap<string, readonly unknown[]>,
): readonly object[] => [
  { op: 'test', path: '/metadata/resourceVersion', value: before.version },
  ...before.entries.flatMap(({ name }, index) => {
    const value = rules.get(name);
    if (value === undefined) return [];
    return [
      { op: 'test', path: `/webhooks/${index}/name`, value: name },
      { op: 'add', path: `/webhooks/${index}/rules`, value },
    ];
  }),
];

/** Creates the function that opens a ValidatingWebhookConfiguration, with the verbs `get`, `watch` and `patch` on it. */
export const createWebhookObjects =
  (callApi: CallApi, watchApi: WatchApi) =>
  (name: string): WebhookObject => {
    const resource: Resource & { readonly name: string } = {
      group: 'admissionregistration.k8s.io',
      plural: 'validatingwebhookconfigurations',
      name,
    };
    const patch = { method: 'PATCH', resource, contentType: 'application/json-patch+json' } as const;
    return {
      name,
      async read(signal) {
        const request = { method: 'GET', resource, accept: [404] } as const;
        const { status, body } = await callApi(request, signal);
        return status === 404 ? undefined : entriesOf(readObject(body, request), request);
      },
      async *watch(version, signal) {
        // Version 0: any state that the API server has in memory, then every change.
        for await (const { type, object } of watchApi(resource, version ?? '0', signal))
          yield type === 'DELETED' ? undefined : entriesOf(object, { method: 'WATCH', resource });
      },
      async setRules(before, rules, signal) {
        await callApi({ ...patch, body: patchOf(before, rules) }, signal);
      },
      async checkPermission(signal) {
        await callApi({ ...patch, query: { dryRun: 'All' }, body: [], accept: [404] }, signal);
      },
    };
  };
