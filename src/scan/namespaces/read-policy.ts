import { isJsonObject, type JsonObject, memberOf, textOf } from '../../base/index.ts';
import type { Cluster } from '../../kubernetes/index.ts';
import type { Mode, PinScope } from '../../policy/index.ts';
import { type CoverageRecorder, createReadList, type ReadList } from '../collect/index.ts';
import {
  type InstalledWebhook,
  isOfSailmark,
  nameOfConfiguration,
  readInstalledWebhook,
} from './installed-webhook.ts';
import { createNamespacePolicy, type NamespacePolicy } from './namespace-policy.ts';
import type { Labels } from './selector.ts';

export interface ReadPolicyOptions {
  readonly cluster: Pick<Cluster, 'list' | 'get'>;
  readonly coverage: CoverageRecorder;
  /** The mode that the release is to have. */
  readonly mode: Mode;
  /** Where the configuration pins; undefined: as the installed webhook, or else as the chart. */
  readonly pin?: PinScope | undefined;
  /** The namespaces to read; undefined: all. */
  readonly namespaces?: readonly string[] | undefined;
  readonly signal: AbortSignal;
}

const GROUP = 'admissionregistration.k8s.io';
/** The mutating configuration is called after the validating one (the chart's `pinName`). */
const pinNameOf = (name: string): string => `zz-${name}`;

const labelsOf = (object: JsonObject): Labels => {
  const labels = memberOf(memberOf(object, 'metadata'), 'labels');
  return isJsonObject(labels)
    ? Object.fromEntries(
        Object.entries(labels).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
      )
    : {};
};

const readAll = async (readList: ReadList, group: string, plural: string): Promise<readonly JsonObject[]> => {
  const found: JsonObject[] = [];
  for await (const object of readList({ group, version: 'v1', plural })) found.push(object);
  return found;
};

/** Reads the labels of the namespaces, by `get` if they are named: a Role may allow no more. */
const readNamespaces = async (
  { cluster, coverage, namespaces, signal }: ReadPolicyOptions,
  readList: ReadList,
): Promise<ReadonlyMap<string, Labels>> => {
  const labels = new Map<string, Labels>();
  if (namespaces === undefined) {
    for await (const object of readList({ group: '', version: 'v1', plural: 'namespaces' }))
      labels.set(textOf(memberOf(memberOf(object, 'metadata'), 'name')) ?? '', labelsOf(object));
    return labels;
  }
  for (const name of namespaces) {
    const read = cluster.get({ group: '', plural: 'namespaces', name }, signal);
    const object = await read.catch((error: unknown) => {
      if (!signal.aborted) coverage.addFault({ group: '', resource: 'namespaces', verb: 'get', name }, error);
      return 'unread' as const;
    });
    if (object === 'unread') continue;
    coverage.addRead('namespaces', object === undefined ? 0 : 1, 1);
    if (object === undefined)
      coverage.addNotSeen({
        resource: 'namespaces',
        why: `there is no namespace ${name}`,
        remedy: 'Name a namespace of the cluster with --namespace',
      });
    else labels.set(name, labelsOf(object));
  }
  return labels;
};

/** Finds the webhook of sailmark; of several, the first by name. */
const findWebhook = async (
  coverage: CoverageRecorder,
  readList: ReadList,
): Promise<{ readonly webhook?: InstalledWebhook; readonly mutating?: readonly JsonObject[] }> => {
  const configurations = await readAll(readList, GROUP, 'validatingwebhookconfigurations');
  const [validating, ...others] = configurations
    .filter(isOfSailmark)
    .toSorted((one, other) => (nameOfConfiguration(one) < nameOfConfiguration(other) ? -1 : 1));
  if (validating === undefined) return {};
  const name = nameOfConfiguration(validating);
  for (const other of others)
    coverage.addNotSeen({
      resource: `validatingwebhookconfigurations.${GROUP}`,
      why: `${nameOfConfiguration(other)} is a webhook of sailmark too; namespaces are judged by ${name}`,
      remedy: 'Keep one release of sailmark',
    });
  const faults = coverage.result().notSeen.length;
  const mutating = await readAll(readList, GROUP, 'mutatingwebhookconfigurations');
  const isUnread = coverage.result().notSeen.length > faults;
  const pins = mutating.find((configuration) => nameOfConfiguration(configuration) === pinNameOf(name));
  return { webhook: readInstalledWebhook(validating, isUnread ? 'unread' : pins), mutating };
};

/**
 * Reads how each namespace would be judged: from the webhook configuration that is installed, and the labels of namespaces.
 * The coverage says which objects it was not allowed to read, and the chart's defaults count instead. Never rejects.
 */
export const readNamespacePolicy = async (options: ReadPolicyOptions): Promise<NamespacePolicy> => {
  const { cluster, coverage, mode, pin, signal } = options;
  const readList = createReadList({ cluster, coverage, signal });
  const { webhook, mutating = [] } = await findWebhook(coverage, readList);
  const policy = createNamespacePolicy({ mode, pin }, webhook, await readNamespaces(options, readList));
  // None may mean that they could not be read.
  return mutating.length === 0 ? policy : { ...policy, mutatingWebhooks: mutating };
};
