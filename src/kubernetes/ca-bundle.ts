import { isJsonObject, type JsonObject } from '../base/index.ts';
import { objectAt, readObject, versionOf } from './api-object.ts';
import type { CallApi } from './call-api.ts';
import type { Cluster } from './cluster.ts';
import type { Resource } from './resource.ts';

/** One step of a JSON patch (RFC 6902). */
interface Operation {
  readonly op: 'test' | 'add';
  readonly path: string;
  readonly value: string;
}

/** The number of tries while others write the object at the same time. */
const MAX_TRIES = 8;

/** Sets the bundle of one entry; tests its name first, because another entry may have moved to this index. */
const patchEntry = (entry: unknown, index: number, bundle: string): readonly Operation[] => {
  if (!isJsonObject(entry) || typeof entry['name'] !== 'string') return [];
  if (objectAt(entry, 'clientConfig')['caBundle'] === bundle) return [];
  return [
    { op: 'test', path: `/webhooks/${index}/name`, value: entry['name'] },
    { op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value: bundle },
  ];
};

const patchFor = (configuration: JsonObject, pem: string): readonly Operation[] => {
  const { webhooks } = configuration;
  const bundle = Buffer.from(pem, 'utf8').toString('base64');
  return Array.isArray(webhooks) ? webhooks.flatMap((entry, index) => patchEntry(entry, index, bundle)) : [];
};

/** Creates the function that sets caBundles, with the verbs `get` and `patch` on each object. */
export const createSetCaBundle =
  (callApi: CallApi): Cluster['setCaBundle'] =>
  async ({ kind, name }, pem, signal) => {
    const resource: Resource = {
      group: 'admissionregistration.k8s.io',
      plural: `${kind}webhookconfigurations`,
      name,
    };
    const tryOnce = async (isLast: boolean): Promise<'written' | 'unchanged' | 'absent' | 'conflict'> => {
      const getRequest = { method: 'GET', resource, accept: kind === 'mutating' ? [404] : [] } as const;
      const current = await callApi(getRequest, signal);
      if (current.status === 404) return 'absent';
      const before = readObject(current.body, getRequest);
      const changes = patchFor(before, typeof pem === 'string' ? pem : await pem());
      if (changes.length === 0) return 'unchanged';
      const isSameVersion = {
        op: 'test',
        path: '/metadata/resourceVersion',
        value: versionOf(before, getRequest),
      };
      const { status } = await callApi(
        {
          method: 'PATCH',
          resource,
          body: [isSameVersion, ...changes],
          contentType: 'application/json-patch+json',
          // A failed `test` is 422, as is a bundle that the API server rejects; the last try reports which.
          accept: isLast ? [] : [409, 422],
        },
        signal,
      );
      return status === 409 || status === 422 ? 'conflict' : 'written';
    };
    for (let tries = 1; ; tries += 1) {
      const outcome = await tryOnce(tries === MAX_TRIES);
      if (outcome !== 'conflict') return outcome;
    }
  };
