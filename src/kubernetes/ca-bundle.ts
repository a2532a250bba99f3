import { isJsonObject, type JsonObject } from '../base/index.ts';
import type { CallApi } from './api.ts';
import type { Cluster } from './cluster.ts';
import { objectAt, readObject, versionOf } from './object.ts';
import type { Resource } from './resource.ts';

/** One step of a JSON patch (RFC 6902). */
interface Operation {
  readonly op: 'test' | 'add';
  readonly path: string;
  readonly value: string;
}

/** How often the object is read again because somebody wrote it in between. */
const TRIES = 8;

/** Sets the bundle of one entry; tests its name first, since a place in a list is nobody's. */
const patchEntry = (entry: unknown, place: number, bundle: string): readonly Operation[] => {
  if (!isJsonObject(entry) || typeof entry['name'] !== 'string') return [];
  if (objectAt(entry, 'clientConfig')['caBundle'] === bundle) return [];
  return [
    { op: 'test', path: `/webhooks/${place}/name`, value: entry['name'] },
    { op: 'add', path: `/webhooks/${place}/clientConfig/caBundle`, value: bundle },
  ];
};

const patchFor = (configuration: JsonObject, pem: string): readonly Operation[] => {
  const { webhooks } = configuration;
  const bundle = Buffer.from(pem, 'utf8').toString('base64');
  return Array.isArray(webhooks) ? webhooks.flatMap((entry, place) => patchEntry(entry, place, bundle)) : [];
};

/** Sets caBundles, with the verbs `get` and `patch` on the one object. */
export const createSetCaBundle =
  (ask: CallApi): Cluster['setCaBundle'] =>
  async (name, pem, signal) => {
    const resource: Resource = {
      group: 'admissionregistration.k8s.io',
      plural: 'validatingwebhookconfigurations',
      name,
    };
    const tryOnce = async (isLast: boolean): Promise<'written' | 'unchanged' | 'overtaken'> => {
      const asked = { method: 'GET', resource } as const;
      const before = readObject((await ask(asked, signal)).body, asked);
      const changes = patchFor(before, typeof pem === 'string' ? pem : await pem());
      if (changes.length === 0) return 'unchanged';
      const isSameVersion = {
        op: 'test',
        path: '/metadata/resourceVersion',
        value: versionOf(before, asked),
      };
      const { status } = await ask(
        {
          method: 'PATCH',
          resource,
          body: [isSameVersion, ...changes],
          contentType: 'application/json-patch+json',
          // A test that fails is 422, as is a bundle that the API server does not take; the last try tells them apart.
          accept: isLast ? [] : [409, 422],
        },
        signal,
      );
      return status === 409 || status === 422 ? 'overtaken' : 'written';
    };
    for (let tries = 1; ; tries += 1) {
      const outcome = await tryOnce(tries === TRIES);
      if (outcome !== 'overtaken') return outcome;
    }
  };
