import { type JsonObject, memberOf, textOf } from '../../base/index.ts';
import { ClusterFault, type ObjectVersion } from '../../kubernetes/index.ts';
import type { ScannedOwner, ScanResult } from '../scan-result.ts';
import { counted, firstOf, type PublishDependencies, type Published, sawEverything } from './publish-port.ts';
import { draftReport, OUR_LABEL, type ReportDraft } from './report-body.ts';
import { findReportKind, type ReportKind } from './report-group.ts';
import { isOurs, saysTheSame, toReportObject } from './report-object.ts';
import { takeTurns } from './take-turns.ts';
import { createWriteQueue, type WriteResult } from './write-queue.ts';

export interface ReportLimits {
  /** Reports fill etcd: those of a large cluster have brought others down. */
  readonly maxReports: number;
  /** Bounds memory: anyone who may write reports can label them as ours. */
  readonly maxRead: number;
}

const LIMITS: ReportLimits = { maxReports: 5_000, maxRead: 20_000 };

const RANKS = { refused: 0, unknown: 1, reported: 2, exempt: 3, verified: 4 } as const;

/** The number of problems that are spelled out. */
const MAX_SPELLED = 5;

interface Drafts {
  readonly byKey: ReadonlyMap<string, ReportDraft>;
  readonly problems: readonly string[];
}

const NO_DRAFTS: Drafts = { byKey: new Map(), problems: [] };
const NOTHING_DONE = '0 written, 0 deleted, 0 unchanged';

const keyOf = ({ namespace, name }: Pick<ReportDraft, 'namespace' | 'name'>): string =>
  `${namespace}/${name}`;

const rankOf = ({ status }: ScannedOwner): number => RANKS[status];

const draftAll = ({ images, owners }: ScanResult, limit: number): Drafts => {
  const messages = new Map(images.map(({ reference, message }) => [reference, message]));
  const drafts = owners.flatMap((owner) => {
    const draft = draftReport(owner, (image) => messages.get(image));
    return draft === undefined ? [] : [{ ...draft, rank: rankOf(owner) }];
  });
  // The first of two that claim one UID counts: the more serious one.
  const distinct = [...new Map(drafts.toReversed().map((draft) => [keyOf(draft), draft])).values()];
  const taken = takeTurns(distinct.toReversed(), ({ rank }) => rank, limit);
  const withoutUid = owners.filter(({ uid, findings }) => !uid && findings.length > 0).length;
  return {
    byKey: new Map(taken.map((draft) => [keyOf(draft), draft])),
    problems: [
      ...(withoutUid === 0
        ? []
        : [`${counted(withoutUid, 'owner')} without a UID got no report: nothing would delete it`]),
      ...(taken.length === distinct.length
        ? []
        : [
            `${counted(distinct.length - taken.length, 'report')} left out, the least serious ones: there are at most ${limit}`,
          ]),
    ],
  };
};

interface Found {
  /** Keys of reports that say the same already. */
  readonly same: ReadonlySet<string>;
  readonly changed: ReadonlyMap<string, JsonObject>;
  /** Reports of ours on owners without a finding. */
  readonly stale: readonly (ObjectVersion & { readonly namespace: string; readonly name: string })[];
  readonly problems: readonly string[];
}

/** Reads the reports with our label. A stranger's is nothing of ours, whatever its label. */
const readReports = async (
  kind: ReportKind,
  drafts: Drafts['byKey'],
  { cluster, signal }: PublishDependencies,
  maxRead: number,
): Promise<Found> => {
  const same = new Set<string>();
  const changed = new Map<string, JsonObject>();
  const stale: Found['stale'][number][] = [];
  const labelSelector = `${OUR_LABEL.name}=${OUR_LABEL.value}`;
  let read = 0;
  for await (const { items } of cluster.list(kind, { labelSelector }, signal)) {
    read += items.length;
    if (read > maxRead)
      return {
        same,
        changed,
        stale: [],
        problems: [`more than ${maxRead} reports have our label: none was deleted, and the rest not read`],
      };
    for (const object of items) {
      const metadata = memberOf(object, 'metadata');
      const [namespace, name, uid, version] = ['namespace', 'name', 'uid', 'resourceVersion'].map(
        (field) => textOf(memberOf(metadata, field)) ?? '',
      ) as [string, string, string, string];
      if (!isOurs(object)) continue;
      const key = keyOf({ namespace, name });
      const draft = drafts.get(key);
      if (draft === undefined) stale.push({ namespace, name, uid, version });
      else if (saysTheSame(object, draft)) same.add(key);
      else changed.set(key, object);
    }
  }
  return { same, changed, stale, problems: [] };
};

/** Creates a report. One of that name that is not ours stays as it is. */
const createOne = async (
  kind: ReportKind,
  draft: ReportDraft,
  { cluster, now, signal }: PublishDependencies,
): Promise<WriteResult> => {
  const { namespace, name } = draft;
  const body = toReportObject(kind, draft, Math.floor(now() / 1000));
  const outcome = await cluster.createObject({ ...kind, namespace }, body, signal);
  if (outcome === 'written') return 'written';
  // Its namespace is gone, and so is the owner.
  if (outcome === 'gone') return 'skipped';
  const other = await cluster.get({ ...kind, namespace, name }, signal);
  if (other === undefined) return 'skipped';
  return isOurs(other) ? 'conflict' : 'foreign';
};

const replaceOne = async (
  kind: ReportKind,
  draft: ReportDraft,
  before: JsonObject,
  { cluster, now, signal }: PublishDependencies,
): Promise<WriteResult> => {
  const { namespace, name } = draft;
  const body = toReportObject(kind, draft, Math.floor(now() / 1000), before);
  return cluster.replaceObject({ ...kind, namespace, name }, body, signal);
};

/** Writes the reports on owners with a finding, where they have changed, and deletes those that are stale. */
const sync = async (
  kind: ReportKind,
  drafts: Drafts,
  result: ScanResult,
  dependencies: PublishDependencies,
  limits: ReportLimits,
): Promise<Published> => {
  const found = await readReports(kind, drafts.byKey, dependencies, limits.maxRead);
  const queue = createWriteQueue();
  const mayDelete = sawEverything(result);
  if (mayDelete)
    for (const { namespace, name, ...before } of found.stale)
      queue.add(namespace, async () => {
        const resource = { ...kind, namespace, name };
        return (await dependencies.cluster.removeObject(resource, before, dependencies.signal)) === 'removed'
          ? 'removed'
          : 'conflict';
      });
  for (const [key, draft] of drafts.byKey) {
    if (found.same.has(key)) continue;
    const before = found.changed.get(key);
    queue.add(draft.namespace, () =>
      before === undefined
        ? createOne(kind, draft, dependencies)
        : replaceOne(kind, draft, before, dependencies),
    );
  }
  const { counts, failures, notTried } = await queue.run();
  return {
    failed: failures.length > 0,
    done: [
      `${kind.group} reports: ${counts.written} written, ${counts.removed} deleted, ${found.same.size} unchanged`,
    ],
    problems: [
      ...drafts.problems,
      ...found.problems,
      ...(found.stale.length > 0 && !mayDelete
        ? [`${counted(found.stale.length, 'report')} may be stale and stay: the scan did not see everything`]
        : []),
      ...(counts.foreign > 0
        ? [`${counted(counts.foreign, 'report')} of others have the name of ours and stay as they are`]
        : []),
      ...(counts.conflict > 0
        ? [`${counted(counts.conflict, 'report')} changed by another client: the next scan writes them`]
        : []),
      ...firstOf(failures, MAX_SPELLED),
      ...(notTried > 0 ? [`${counted(notTried, 'report')} not written after these failures`] : []),
    ],
  };
};

/** Writes reports of the kind that the cluster has. Never rejects. */
export const writeReports = async (
  result: ScanResult,
  dependencies: PublishDependencies,
  overrides: Partial<ReportLimits> = {},
): Promise<Published> => {
  const limits = { ...LIMITS, ...overrides };
  try {
    const { kind, others, problems } = await findReportKind(dependencies.cluster, dependencies.signal);
    if (kind === undefined) return { done: [], problems, failed: false };
    const parts = [await sync(kind, draftAll(result, limits.maxReports), result, dependencies, limits)];
    // Written before the preferred kind was installed.
    for (const other of others) parts.push(await sync(other, NO_DRAFTS, result, dependencies, limits));
    const [first, ...rest] = parts;
    return {
      done: [
        ...(first?.done ?? []),
        ...rest.flatMap(({ done }) => done.filter((line) => !line.includes(NOTHING_DONE))),
      ],
      problems: [...problems, ...parts.flatMap((part) => part.problems)],
      failed: parts.some(({ failed }) => failed),
    };
  } catch (error) {
    if (!(error instanceof ClusterFault)) throw error;
    return { done: [], problems: [`no reports: ${error.message}`], failed: true };
  }
};
