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
const WARNING_LIMIT = 256;
const MOST_WARNINGS = 15;

/** An audit event has room for more, but it holds other annotations too. */
const ANNOTATION_LIMIT = 1000;

const SPOKEN = 'sailmark: ';

const warningsOf = ({ verdict, context, findings, failure }: ReviewResult): readonly string[] => {
  if (context.mode === 'audit') return [];
  if (failure !== undefined)
    return verdict === 'deny' ? [] : [`${SPOKEN}${oneLine(explain(failure), WARNING_LIMIT - SPOKEN.length)}`];
  const warned = findings
    .filter(({ effect }) => effect === 'warn')
    .toSorted((one, other) => rankOf(one.reason.code) - rankOf(other.reason.code));
  const warnings = warned
    .slice(0, MOST_WARNINGS)
    .map((finding) => `${SPOKEN}${explainBriefly(finding, WARNING_LIMIT - SPOKEN.length)}`);
  return warned.length > MOST_WARNINGS
    ? [...warnings, `${SPOKEN}+${warned.length - MOST_WARNINGS} more`]
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

const letThrough = (findings: readonly Finding[]): readonly string[] =>
  findings.flatMap(({ use, reason, letThrough: why }) =>
    why === undefined ? [] : [oneLine(`${oneLine(use.image, 200)} ${reason.code}: ${why}`, 500)],
  );

/** `verdict` to `key-id` are always there, empty where there is nothing to say; the last two where they apply. */
const annotationsOf = (outcome: ReviewResult): Readonly<Record<string, string>> => {
  const through = letThrough(outcome.findings);
  return {
    verdict: outcome.verdict,
    mode: outcome.context.mode,
    reason: listWithin(codesOf(outcome), ANNOTATION_LIMIT),
    images: listWithin(imagesOf(outcome), ANNOTATION_LIMIT),
    'key-id': listWithin(outcome.keyIds, ANNOTATION_LIMIT),
    ...(through.length === 0 ? {} : { 'let-through': listWithin(through, ANNOTATION_LIMIT, '; ') }),
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
