import {
  type AdmissionResponse,
  holdsOf,
  type PinnerContext,
  type PinRecord,
  type ReviewContext,
  type ReviewRecord,
  workloads,
} from '../admission/index.ts';
import { memberOf, oneLine } from '../base/index.ts';
import { decideFailure, explain, type Reason } from '../policy/index.ts';

/** Why a review as a whole was not judged. */
export type Failure = Extract<Reason, { code: 'internal-error' | 'too-many-images' }>;

const incidentOf = (failure: Failure): string | undefined =>
  failure.code === 'internal-error' ? failure.incident : undefined;

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Characters; the API server never truncates a warning of this length. */
const MAX_WARNING_LENGTH = 240;

const responseOf = (
  uid: string,
  mode: ReviewContext['mode'],
  verdict: ReviewRecord['verdict'],
  failure: Failure,
): AdmissionResponse => {
  const message = explain(failure);
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed: verdict !== 'deny',
      ...(verdict === 'deny' ? { status: { code: 403, reason: 'Forbidden', message } } : {}),
      ...(verdict === 'warn' ? { warnings: [`sailmark: ${message}`.slice(0, MAX_WARNING_LENGTH)] } : {}),
      auditAnnotations: { verdict, mode, reason: failure.code, images: '', 'key-id': '' },
    },
  };
};

/** The members of a record that can be read from a body whose review failed. */
const factsOf = (body: unknown) => {
  const request = memberOf(body, 'request');
  const resource = memberOf(request, 'resource');
  const [group, name] = [textOf(memberOf(resource, 'group')), textOf(memberOf(resource, 'resource'))];
  const workload = workloads.find((candidate) => candidate.group === group && candidate.resource === name);
  const facts = {
    uid: oneLine(textOf(memberOf(request, 'uid')), 128),
    namespace: oneLine(textOf(memberOf(request, 'namespace')), 128),
    kind: workload?.kind ?? '',
    name: '',
    operation: memberOf(request, 'operation') === 'UPDATE' ? ('UPDATE' as const) : ('CREATE' as const),
    dryRun: memberOf(request, 'dryRun') === true,
    skipped: undefined,
    images: [],
    keyIds: [],
    verifications: 0,
    fromMemory: 0,
    requests: 0,
  };
  return { facts, uid: textOf(memberOf(request, 'uid')), holds: workload?.holds ?? 'pod' };
};

/**
 * Creates the response and the record for a review that was not judged as a whole. In enforce mode it denies: a 500
 * would be admitted by a webhook with failurePolicy Ignore.
 */
export const failureResponse = (
  body: unknown,
  context: ReviewContext,
  failure: Failure,
): { readonly response: AdmissionResponse; readonly record: ReviewRecord } => {
  const { facts, uid, holds } = factsOf(body);
  const { mode, critical, workloads: isOfWorkloads = false } = context;
  const verdict = decideFailure(mode, holdsOf(context, holds));
  const findings = [{ image: '', path: '', code: failure.code, effect: verdict }];
  const route = isOfWorkloads ? { route: 'workloads' as const } : {};
  const record = { ...facts, ...route, mode, critical, verdict, findings, incident: incidentOf(failure) };
  return { response: responseOf(uid, mode, verdict, failure), record };
};

/** The same for the mutating webhook, which pins nothing then and never denies. */
export const pinFailureResponse = (
  body: unknown,
  { critical }: PinnerContext,
  failure: Failure,
): { readonly response: AdmissionResponse; readonly record: PinRecord } => {
  const { facts, uid } = factsOf(body);
  const warning = `sailmark: Istio images were not pinned: ${explain(failure)}`;
  const response = {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed: true,
      warnings: [warning.slice(0, MAX_WARNING_LENGTH)],
      auditAnnotations: {
        pinned: '',
        'not-pinned': '',
        'key-id': '',
        failure: [failure.code, incidentOf(failure)].join(' ').trim(),
      },
    },
  } as const;
  return {
    response,
    record: { ...facts, route: 'pin', critical, pinned: [], unpinned: [], incident: incidentOf(failure) },
  };
};
