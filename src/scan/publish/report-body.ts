import { createHash } from 'node:crypto';
import { type JsonObject, oneLine } from '../../base/index.ts';
import { type Effect, groupOf, type ReasonCode, rankOf } from '../../policy/index.ts';
import type { ScannedOwner } from '../scan-result.ts';

/** One finding in a report (the types of openreports.io/v1alpha1 and wgpolicyk8s.io/v1alpha2 agree here). */
interface ReportResult extends JsonObject {
  readonly source: string;
  readonly policy: string;
  readonly category: string;
  readonly rule: ReasonCode;
  readonly severity: 'critical' | 'high' | 'medium' | 'low';
  readonly result: 'fail' | 'error' | 'warn' | 'skip';
  readonly scored: boolean;
  readonly message: string;
  readonly properties: Readonly<Record<string, string>>;
}

/** A report on one owner, before it becomes an object of one API group. */
export interface ReportDraft {
  readonly namespace: string;
  readonly name: string;
  readonly owner: Pick<ScannedOwner, 'apiVersion' | 'kind' | 'name'> & { readonly uid: string };
  readonly results: readonly ReportResult[];
}

export const SOURCE = 'sailmark';
/** A report of ours has this label, and the name that follows from its owner's UID. */
export const OUR_LABEL = { name: 'app.kubernetes.io/managed-by', value: SOURCE } as const;

/** The policy, as a reader of reports groups results: there is one. */
const POLICY = 'istio-images-are-signed';
const CATEGORY = 'Software Supply Chain Security';

/** A pod may have thousands of containers; a report is about one owner. */
const MAX_RESULTS = 50;
const MAX_MESSAGE_LENGTH = 1_024;
const MAX_IMAGE_LENGTH = 512;
const MAX_PATH_LENGTH = 256;

/** UIDs are opaque: one that cannot stand in a name is replaced by its hash. */
const PLAIN_UID = /^[0-9a-z](?:[0-9a-z-]{0,62}[0-9a-z])?$/;

/** Returns the name of the report on an owner: a DNS subdomain of at most 73 characters. */
export const reportNameOf = (uid: string): string =>
  `${SOURCE}-${PLAIN_UID.test(uid) ? uid : createHash('sha256').update(uid).digest('hex')}`;

const resultOf = (code: ReasonCode, effect: Effect | null): ReportResult['result'] => {
  if (effect === 'exempt') return 'skip';
  if (effect !== 'deny') return 'warn';
  return groupOf(code) === 'undetermined' ? 'error' : 'fail';
};

const SEVERITIES = { fail: 'high', error: 'medium', warn: 'medium', skip: 'low' } as const;

const severityOf = (code: ReasonCode, result: ReportResult['result']): ReportResult['severity'] =>
  code === 'image-revoked' && result !== 'skip' ? 'critical' : SEVERITIES[result];

const toResult = (
  { image, path, code, effect }: ScannedOwner['findings'][number],
  message: string,
): ReportResult => {
  const result = resultOf(code, effect);
  return {
    source: SOURCE,
    policy: POLICY,
    category: CATEGORY,
    rule: code,
    severity: severityOf(code, result),
    result,
    scored: result !== 'skip',
    message: oneLine(message, MAX_MESSAGE_LENGTH),
    properties: {
      image: oneLine(image, MAX_IMAGE_LENGTH),
      path: oneLine(path, MAX_PATH_LENGTH),
      effect: effect ?? 'none',
    },
  };
};

type Finding = ScannedOwner['findings'][number];

/**
 * Returns the findings, each once: a template and its pods name the same image. Their order does not follow that of the pods,
 * which would be a change of the report.
 */
const distinct = (findings: readonly Finding[]): readonly Finding[] => {
  const sorted = findings.toSorted(
    (a, b) =>
      rankOf(a.code) - rankOf(b.code) ||
      (a.image < b.image ? -1 : Number(a.image > b.image)) ||
      (a.path < b.path ? -1 : 1),
  );
  const byKey = new Map(
    sorted.toReversed().map((finding) => [[finding.code, finding.effect, finding.image].join('\n'), finding]),
  );
  return [...byKey.values()].toReversed();
};

/**
 * Drafts the report on an owner; undefined if it has no UID, by which the garbage collector could delete its report.
 * `messageOf`: the sentence on an image. Owners without a finding get no report: reports on all that is well have filled
 * etcds, and the totals are in the kept result.
 */
export const draftReport = (
  owner: ScannedOwner,
  messageOf: (image: string) => string | undefined,
): ReportDraft | undefined => {
  const { apiVersion, kind, name, namespace, uid, findings, message } = owner;
  if (uid === null || uid === '' || findings.length === 0) return undefined;
  return {
    namespace,
    name: reportNameOf(uid),
    owner: { apiVersion, kind, name, uid },
    results: distinct(findings)
      .slice(0, MAX_RESULTS)
      .map((finding) => toResult(finding, messageOf(finding.image) ?? message)),
  };
};
