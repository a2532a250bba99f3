import { listWithin, oneLine } from '../base/index.ts';
import { explain, explainBriefly, explainRefusal, type Finding, rankOf } from '../policy/index.ts';
import { API_VERSION } from './admission-review.ts';
import type { ReviewResult } from './review-result.ts';

/** An AdmissionReview with a response (k8s.io/api/admission/v1/types.go). */
export interface AdmissionResponse {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: 'AdmissionReview';
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly status?: { readonly code: 403; readonly reason: 'Forbidden'; readonly message: string };
    /** A JSON patch (RFC 6902) in base64, of the mutating webhook only. */
    readonly patchType?: 'JSONPatch';
    readonly patch?: string;
    readonly warnings?: readonly string[];
    readonly auditAnnotations: Readonly<Record<string, string>>;
  };
}

/** The API server truncates warnings to 256 characters each once they exceed 4096 characters in all. */
const MAX_WARNING_LENGTH = 256;
const MAX_WARNINGS = 15;

/** Characters; an audit event has room for more, but it contains other annotations too. */
export const MAX_ANNOTATION_LENGTH = 1000;

const WARNING_PREFIX = 'sailmark: ';

/** Returns one warning of a text that is not about an image. */
export const warningOf = (text: string): string =>
  `${WARNING_PREFIX}${oneLine(text, MAX_WARNING_LENGTH - WARNING_PREFIX.length)}`;

/** Returns the warnings of the findings that warn, the most serious first. */
export const findingWarnings = (findings: readonly Finding[]): readonly string[] => {
  const warned = findings
    .filter(({ effect }) => effect === 'warn')
    .toSorted((left, right) => rankOf(left.reason.code) - rankOf(right.reason.code));
  const warnings = warned.slice(0, MAX_WARNINGS).map((finding) => {
    const prefix =
      finding.refusesPods === true ? `${WARNING_PREFIX}its pods would be refused: ` : WARNING_PREFIX;
    return `${prefix}${explainBriefly(finding, MAX_WARNING_LENGTH - prefix.length)}`;
  });
  return warned.length > MAX_WARNINGS
    ? [...warnings, `${WARNING_PREFIX}+${warned.length - MAX_WARNINGS} more`]
    : warnings;
};

/** The webhook for workloads has less time than that for pods, in which the same image may well be verified. */
const isInTime = ({ reason }: Finding): boolean => reason.code !== 'deadline-exceeded';

const warningsOf = ({ verdict, context, findings, failure }: ReviewResult): readonly string[] => {
  if (context.mode === 'audit') return [];
  if (failure === undefined)
    return findingWarnings(context.workloads === true ? findings.filter(isInTime) : findings);
  return verdict === 'deny' ? [] : [warningOf(explain(failure))];
};

const messageOf = ({ findings, failure }: ReviewResult): string =>
  failure === undefined ? (explainRefusal(findings) ?? '') : explain(failure);

const codesOf = ({ findings, failure }: ReviewResult): readonly string[] => [
  ...new Set([
    ...(failure === undefined ? [] : [failure.code]),
    ...findings.map(({ reason }) => reason.code),
  ]),
];

/** Returns the images as written, each with the digest that its tag resolved to. */
const imagesOf = ({ judged }: ReviewResult): readonly string[] =>
  judged.map(({ image, reference, verification }) => {
    const digest = reference?.digest === undefined ? verification?.digest : undefined;
    return `${oneLine(image, 300)}${digest === undefined ? '' : `@${digest}`}`;
  });

/** Returns the images that an outage rule or an exemption allows, with the sentence that says so. */
export const allowancesOf = (findings: readonly Finding[]): readonly string[] =>
  findings.flatMap(({ use, reason, allowedBecause }) =>
    allowedBecause === undefined
      ? []
      : [oneLine(`${oneLine(use.image, 200)} ${reason.code}: ${allowedBecause}`, 500)],
  );

/** The annotations `verdict` to `key-id` are always present, possibly empty; `let-through` and `skipped` only if they apply. */
const annotationsOf = (result: ReviewResult): Readonly<Record<string, string>> => {
  const allowances = allowancesOf(result.findings);
  return {
    verdict: result.verdict,
    mode: result.context.mode,
    reason: listWithin(codesOf(result), MAX_ANNOTATION_LENGTH),
    images: listWithin(imagesOf(result), MAX_ANNOTATION_LENGTH),
    'key-id': listWithin(result.keyIds, MAX_ANNOTATION_LENGTH),
    ...(allowances.length === 0
      ? {}
      : { 'let-through': listWithin(allowances, MAX_ANNOTATION_LENGTH, '; ') }),
    ...(result.skipped === undefined ? {} : { skipped: result.skipped }),
  };
};

/** Converts a review result to an AdmissionReview. A denial is one line; no warning is longer than the API server allows. */
export const toAdmissionResponse = (result: ReviewResult): AdmissionResponse => {
  const denied = result.verdict === 'deny';
  const warnings = warningsOf(result);
  return {
    apiVersion: API_VERSION,
    kind: 'AdmissionReview',
    response: {
      uid: result.request.uid,
      allowed: !denied,
      ...(denied ? { status: { code: 403, reason: 'Forbidden', message: messageOf(result) } } : {}),
      ...(warnings.length === 0 ? {} : { warnings }),
      auditAnnotations: annotationsOf(result),
    },
  };
};
