import { listWithin, oneLine } from '../base/index.ts';
import { explain, explainBriefly, explainRefusal, type Finding, rankOf } from '../policy/index.ts';
import { API_VERSION } from './admission-review.ts';
import type { ReviewResult } from './review-result.ts';

/** AdmissionReview with a response (k8s.io/api/admission/v1/types.go); never with a patch: we validate. */
export interface AdmissionResponse {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: 'AdmissionReview';
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly status?: { readonly code: 403; readonly reason: 'Forbidden'; readonly message: string };
    readonly warnings?: readonly string[];
    readonly auditAnnotations: Readonly<Record<string, string>>;
  };
}

/** The API server cuts warnings to 256 characters each once they pass 4096 in all. */
const MAX_WARNING_LENGTH = 256;
const MAX_WARNINGS = 15;

/** An audit event has room for more, but it holds other annotations too. */
const MAX_ANNOTATION_LENGTH = 1000;

const WARNING_PREFIX = 'sailmark: ';

const warningsOf = ({ verdict, context, findings, failure }: ReviewResult): readonly string[] => {
  if (context.mode === 'audit') return [];
  if (failure !== undefined)
    return verdict === 'deny'
      ? []
      : [`${WARNING_PREFIX}${oneLine(explain(failure), MAX_WARNING_LENGTH - WARNING_PREFIX.length)}`];
  const warned = findings
    .filter(({ effect }) => effect === 'warn')
    .toSorted((one, other) => rankOf(one.reason.code) - rankOf(other.reason.code));
  const warnings = warned
    .slice(0, MAX_WARNINGS)
    .map(
      (finding) => `${WARNING_PREFIX}${explainBriefly(finding, MAX_WARNING_LENGTH - WARNING_PREFIX.length)}`,
    );
  return warned.length > MAX_WARNINGS
    ? [...warnings, `${WARNING_PREFIX}+${warned.length - MAX_WARNINGS} more`]
    : warnings;
};

const messageOf = ({ findings, failure }: ReviewResult): string =>
  failure === undefined ? (explainRefusal(findings) ?? '') : explain(failure);

const codesOf = ({ findings, failure }: ReviewResult): readonly string[] => [
  ...new Set([
    ...(failure === undefined ? [] : [failure.code]),
    ...findings.map(({ reason }) => reason.code),
  ]),
];

/** The image as written, and the digest that its tag was found to stand for. */
const imagesOf = ({ judged }: ReviewResult): readonly string[] =>
  judged.map(({ image, reference, verification }) => {
    const digest = reference?.digest === undefined ? verification?.digest : undefined;
    return `${oneLine(image, 300)}${digest === undefined ? '' : `@${digest}`}`;
  });

const allowancesOf = (findings: readonly Finding[]): readonly string[] =>
  findings.flatMap(({ use, reason, allowedBecause: why }) =>
    why === undefined ? [] : [oneLine(`${oneLine(use.image, 200)} ${reason.code}: ${why}`, 500)],
  );

/** `verdict` to `key-id` are always there, empty where there is nothing to say; the last two where they apply. */
const annotationsOf = (outcome: ReviewResult): Readonly<Record<string, string>> => {
  const through = allowancesOf(outcome.findings);
  return {
    verdict: outcome.verdict,
    mode: outcome.context.mode,
    reason: listWithin(codesOf(outcome), MAX_ANNOTATION_LENGTH),
    images: listWithin(imagesOf(outcome), MAX_ANNOTATION_LENGTH),
    'key-id': listWithin(outcome.keyIds, MAX_ANNOTATION_LENGTH),
    ...(through.length === 0 ? {} : { 'let-through': listWithin(through, MAX_ANNOTATION_LENGTH, '; ') }),
    ...(outcome.skipped === undefined ? {} : { skipped: outcome.skipped }),
  };
};

/** The answer in Kubernetes' words. A denial is one line; a warning is never longer than the API server leaves it. */
export const toAdmissionResponse = (outcome: ReviewResult): AdmissionResponse => {
  const denied = outcome.verdict === 'deny';
  const warnings = warningsOf(outcome);
  return {
    apiVersion: API_VERSION,
    kind: 'AdmissionReview',
    response: {
      uid: outcome.request.uid,
      allowed: !denied,
      ...(denied ? { status: { code: 403, reason: 'Forbidden', message: messageOf(outcome) } } : {}),
      ...(warnings.length === 0 ? {} : { warnings }),
      auditAnnotations: annotationsOf(outcome),
    },
  };
};
