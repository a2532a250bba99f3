import { isDeepStrictEqual } from 'node:util';
import { isJsonObject, type JsonObject, listMemberOf, memberOf, textOf } from '../../base/index.ts';
import { OUR_LABEL, type ReportDraft, reportNameOf, SOURCE } from './report-body.ts';
import type { ReportKind } from './report-group.ts';

const RESULTS = ['pass', 'fail', 'warn', 'error', 'skip'] as const;

/** The compared content: what we write, except for times. */
interface Content {
  readonly owners: unknown;
  readonly scope: unknown;
  readonly summary: unknown;
  readonly results: unknown;
}

const contentOf = ({ owner, namespace, results }: ReportDraft): Content => ({
  // No `blockOwnerDeletion`: it would take the right to set the owner's finalizers.
  owners: [owner],
  scope: { ...owner, namespace },
  summary: Object.fromEntries(
    RESULTS.map((name) => [name, results.filter(({ result }) => result === name).length]),
  ),
  results,
});

const withoutTime = (result: unknown): unknown => {
  if (!isJsonObject(result)) return result;
  const { timestamp: _, ...rest } = result;
  return rest;
};

const metadataOf = (object: JsonObject): unknown => memberOf(object, 'metadata');

const ownersOf = (object: JsonObject): readonly unknown[] =>
  listMemberOf(metadataOf(object), 'ownerReferences') ?? [];

/** Returns true for an object that has our label, one owner, and the name that follows from that owner's UID. */
export const isOurs = (object: JsonObject): boolean => {
  const metadata = metadataOf(object);
  const [owner, ...others] = ownersOf(object);
  const uid = textOf(memberOf(owner, 'uid'));
  return (
    memberOf(memberOf(metadata, 'labels'), OUR_LABEL.name) === OUR_LABEL.value &&
    uid !== undefined &&
    others.length === 0 &&
    memberOf(metadata, 'name') === reportNameOf(uid)
  );
};

/** Returns true if a report in the cluster says what the draft says, whenever it was written. */
export const saysTheSame = (object: JsonObject, draft: ReportDraft): boolean => {
  const found: Content = {
    owners: ownersOf(object),
    scope: memberOf(object, 'scope'),
    summary: memberOf(object, 'summary'),
    results: (listMemberOf(object, 'results') ?? []).map(withoutTime),
  };
  return isDeepStrictEqual(found, contentOf(draft));
};

/** Returns the object of a report; `seconds` since the epoch. `before`: the object that it replaces. */
export const toReportObject = (
  { group, version, kind }: ReportKind,
  draft: ReportDraft,
  seconds: number,
  before?: JsonObject,
): JsonObject => {
  const { owners, scope, summary, results } = contentOf(draft);
  const metadata = before === undefined ? {} : (metadataOf(before) as JsonObject);
  const labels = memberOf(metadata, 'labels');
  return {
    apiVersion: `${group}/${version}`,
    kind,
    metadata: {
      ...metadata,
      name: draft.name,
      namespace: draft.namespace,
      labels: { ...(isJsonObject(labels) && labels), [OUR_LABEL.name]: OUR_LABEL.value },
      ownerReferences: owners,
    },
    // The older group has no such member and drops it; its results name the source.
    source: SOURCE,
    scope,
    summary,
    results: (results as readonly JsonObject[]).map((result) => ({
      ...result,
      timestamp: { seconds, nanos: 0 },
    })),
  };
};
