import { type JsonObject, memberOf, textOf } from '../../base/index.ts';
import type { Cluster, ServedResources } from '../../kubernetes/index.ts';
import { type CoverageRecorder, createReadList } from '../collect/index.ts';

/** An object that was asked for by its name. */
export type NamedObject = { readonly object: JsonObject | undefined } | { readonly isUnread: true };

/** Reads the few objects that say what Istio will inject. Never a Secret, and of ConfigMaps only those that are named. */
export interface PreflightReader {
  /** Reads a ConfigMap by its name; `object` is undefined if there is none. */
  readonly configMap: (namespace: string, name: string) => Promise<NamedObject>;
  /** Lists a kind; undefined if it may not be listed or the API server failed. */
  readonly list: (
    group: string,
    version: string,
    plural: string,
  ) => Promise<readonly JsonObject[] | undefined>;
  /** Lists a kind of custom resources; empty if it is not served. */
  readonly listCustom: (group: string, plural: string) => Promise<readonly JsonObject[]>;
}

export interface ReaderOptions {
  readonly cluster: Pick<Cluster, 'list' | 'get'>;
  readonly served: ServedResources;
  readonly coverage: CoverageRecorder;
  readonly signal: AbortSignal;
}

/** Bounds memory: a cluster has a handful of each kind. */
const MAX_OBJECTS = 2_000;

/** Gives an object of a list its type, which the API server leaves out of lists. */
const withType = (object: JsonObject, apiVersion: string, kind: string): JsonObject =>
  textOf(memberOf(object, 'kind')) === undefined ? { ...object, apiVersion, kind } : object;

/** Creates a reader; everything that it was not allowed to read is in the coverage. Nothing of it rejects. */
export const createPreflightReader = ({
  cluster,
  served,
  coverage,
  signal,
}: ReaderOptions): PreflightReader => {
  const list: PreflightReader['list'] = async (group, version, plural) => {
    const found: JsonObject[] = [];
    let failed = false;
    const observed: CoverageRecorder = {
      ...coverage,
      addFault: (right, error) => {
        failed = true;
        coverage.addFault(right, error);
      },
    };
    const readList = createReadList({ cluster, coverage: observed, signal });
    for await (const object of readList({ group, version, plural })) {
      if (found.length === MAX_OBJECTS) {
        coverage.addCut(`Only the first ${MAX_OBJECTS} ${plural} were read.`);
        break;
      }
      found.push(object);
    }
    return failed || signal.aborted ? undefined : found;
  };
  return {
    list,
    async listCustom(group, plural) {
      const kind = served.find(group, plural);
      if (kind === undefined) return [];
      const objects = (await list(group, kind.version, plural)) ?? [];
      return objects.map((object) => withType(object, `${group}/${kind.version}`, kind.kind));
    },
    async configMap(namespace, name) {
      const resource = { group: '', plural: 'configmaps', namespace, name };
      try {
        const object = await cluster.get(resource, signal);
        coverage.addRead('configmaps', object === undefined ? 0 : 1, 1);
        return { object: object && withType(object, 'v1', 'ConfigMap') };
      } catch (error) {
        if (!signal.aborted)
          coverage.addFault({ group: '', resource: 'configmaps', verb: 'get', namespace, name }, error);
        return { isUnread: true };
      }
    },
  };
};
