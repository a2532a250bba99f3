import {
  MalformedReview,
  type ObjectResult,
  type ReviewerDependencies,
  reviewObject,
} from '../../admission/index.ts';
import { type JsonObject, textOf } from '../../base/index.ts';
import {
  type Effect,
  explain,
  type Finding,
  type Judgement,
  type Mode,
  mustPin,
  type Reason,
} from '../../policy/index.ts';
import { type BodyLimits, whyUnread } from '../../server/index.ts';
import type { ScanStatus } from '../scan-result.ts';
import { explainFinding, explainObject } from './explain-object.ts';
import { statusOf, worstStatus } from './status.ts';

/** How admission answers in a namespace. */
export interface NamespaceRules {
  readonly mode: Mode;
  readonly critical: boolean;
  /** True if no webhook is asked about its pods: nothing is denied there. */
  readonly excluded: boolean;
  /** True if the mutating webhook is asked. */
  readonly pinned: boolean;
}

/** A pod, or an object with a pod template. */
export interface ReviewableObject {
  /** With its `apiVersion` and `kind`. */
  readonly object: JsonObject;
  readonly group: string;
  /** `pods`, `deployments`. */
  readonly plural: string;
  readonly isPod: boolean;
  readonly namespace: string;
  readonly name: string;
}

/** An image use that is Istio's or has a finding. */
export interface JudgedUse {
  /** As written in the object, without the digest that admission would append. */
  readonly image: string;
  readonly container: string;
  readonly path: string;
  readonly judgement: Judgement | undefined;
  readonly status: ScanStatus;
  /** The effect on a pod: of a template, the one on its pods. Null: none. */
  readonly effect: Effect | null;
  readonly reason: Reason | null;
  /** One line; empty if the image is verified. */
  readonly message: string;
}

/** Admission, and the limits past which the webhook answers a review without reading it. */
export interface JudgeDependencies extends ReviewerDependencies {
  readonly limits: ReviewerDependencies['limits'] & BodyLimits;
}

/** The answer of admission for one object. */
export interface JudgedObject {
  /** The most serious status of its uses; undefined if none of its images is Istio's. */
  readonly status: ScanStatus | undefined;
  /** True if admission would deny it; of a template, its pods. */
  readonly denied: boolean;
  /** The denial or the warning, verbatim; empty if there is none. */
  readonly message: string;
  readonly uses: readonly JudgedUse[];
  /** The finding on an object that holds too much for the webhook to read it, under the first of its images. */
  readonly unread?: JudgedUse;
}

/** Returns the uses of an object, after the finding on all of it if there is one. */
export const findingsOf = ({ uses, unread }: JudgedObject): readonly JudgedUse[] =>
  unread === undefined ? uses : [unread, ...uses];

const effectOf = ({ effect, refusesPods }: Finding, { excluded }: NamespaceRules): Effect | null => {
  if (effect === 'exempt') return effect;
  if (excluded) return null;
  return refusesPods === true ? 'deny' : effect;
};

/** The review of an object as if it were created now. Its author is not known: no pod is taken for one that a node made. */
const reviewOf = ({ group, plural, namespace, name, object }: ReviewableObject) => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: 'scan',
    kind: { group, version: 'v1', kind: textOf(object['kind']) ?? '' },
    resource: { group, version: 'v1', resource: plural },
    namespace,
    name,
    operation: 'CREATE',
    object,
    oldObject: null,
    dryRun: true,
  },
});

const verified = { status: 'verified', effect: null, reason: null, message: '' } as const;

/** Returns the uses of Istio's images and those with a finding, with the images as they are written in the object. */
const usesOf = ({ result, findings, pins }: ObjectResult, rules: NamespaceRules): readonly JudgedUse[] => {
  const written = new Map(pins?.pinned.map(({ use }) => [use.path, use.image]));
  const byPath = new Map(findings.map((finding) => [finding.use.path, finding]));
  const judgements = new Map(result.judged.map((judgement) => [judgement.image, judgement]));
  return result.uses.flatMap((use): readonly JudgedUse[] => {
    const judgement = judgements.get(use.image);
    const finding = byPath.get(use.path);
    if (finding === undefined && judgement?.class?.kind !== 'istio') return [];
    const image = written.get(use.path) ?? use.image;
    const seen = { image, container: use.name, path: use.path, judgement };
    if (finding === undefined) return [{ ...seen, ...verified }];
    const { reason } = finding;
    const effect = effectOf(finding, rules);
    const message = explainFinding(finding, effect);
    return [{ ...seen, status: statusOf(reason, effect), effect, reason, message }];
  });
};

/**
 * Returns the finding on an object that the webhook would answer without reading it, whatever its images are; undefined if it
 * would be read. Its status is not there yet when it is created.
 */
const findUnread = (
  { limits }: JudgeDependencies,
  object: ReviewableObject,
  { mode, excluded }: NamespaceRules,
): JudgedUse | undefined => {
  if (excluded) return undefined;
  const { status: _, ...created } = object.object;
  const reason = whyUnread(reviewOf({ ...object, object: created }), limits);
  if (reason === undefined) return undefined;
  const effect = mode === 'enforce' ? 'deny' : mode;
  return {
    image: '',
    container: '',
    path: '',
    judgement: undefined,
    status: statusOf(reason, effect),
    effect,
    reason,
    message: explain(reason),
  };
};

/**
 * Judges one object as admission would if it were created now, in a namespace with these rules. Resolves to undefined for
 * an object of another shape than Kubernetes' own, which no API server sends.
 */
export const judgeObject = async (
  dependencies: JudgeDependencies,
  object: ReviewableObject,
  rules: NamespaceRules,
  signal: AbortSignal,
): Promise<JudgedObject | undefined> => {
  const { excluded, critical, pinned } = rules;
  const context = {
    mode: excluded ? ('audit' as const) : rules.mode,
    critical,
    // Where no webhook is asked, a missing digest is no finding.
    pins: excluded ? mustPin(dependencies.rules, 'audit') : pinned,
    ...(object.isPod ? {} : { workloads: true, whole: true }),
  };
  try {
    const reviewed = await reviewObject(dependencies, reviewOf(object), context, signal);
    const { failure } = reviewed.result;
    const uses = usesOf(reviewed, rules);
    const unread = findUnread(dependencies, object, rules);
    if (unread !== undefined) {
      const { status, effect, message } = unread;
      const image = reviewed.result.uses[0]?.image ?? '';
      return { status, denied: effect === 'deny', message, uses, unread: { ...unread, image } };
    }
    return {
      status: failure === undefined ? worstStatus(uses.map(({ status }) => status)) : 'unknown',
      denied: reviewed.verdict === 'deny' || uses.some(({ effect }) => effect === 'deny'),
      message: explainObject(reviewed),
      uses,
    };
  } catch (error) {
    if (error instanceof MalformedReview) return undefined;
    throw error;
  }
};
