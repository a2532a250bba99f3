import { describe, expect, it } from 'vitest';
import { type AdmissionRequest, parseAdmissionReview } from '../../src/admission/admission-review.ts';
import { MalformedReview } from '../../src/admission/index.ts';
import { pod, review } from '../support/builders.ts';

const problemsOf = (body: unknown): MalformedReview['problems'] => {
  try {
    parseAdmissionReview(body);
  } catch (error) {
    if (error instanceof MalformedReview) return error.problems;
    throw error;
  }
  return [];
};

describe('an AdmissionReview is refused', () => {
  it.each([null, undefined, 'text', 1, [], [review(pod([]))]])('where the body is no object: %j', (body) => {
    expect(problemsOf(body)).toEqual([{ path: 'the body', problem: 'must be an object' }]);
  });

  it('where it is of v1beta1, saying what to configure', () => {
    const body = { ...review(pod([])), apiVersion: 'admission.k8s.io/v1beta1' };
    expect(problemsOf(body)).toEqual([
      {
        path: 'apiVersion',
        problem:
          'must be admission.k8s.io/v1, not admission.k8s.io/v1beta1 ' +
          "(admissionReviewVersions: [v1] in the webhook's configuration)",
      },
    ]);
  });

  it('where it has no request, once', () => {
    expect(problemsOf({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: [] })).toEqual([
      { path: 'request', problem: 'must be an object' },
    ]);
  });

  it('with every bad path at once', () => {
    const body = {
      kind: 'Review',
      request: {
        uid: '',
        operation: 'PATCH',
        kind: 'Pod',
        resource: { group: 1 },
        subResource: {},
        namespace: 7,
        name: false,
        dryRun: 'yes',
        userInfo: { username: 1, groups: 'system:nodes' },
      },
    };
    expect(
      problemsOf(body)
        .map(({ path }) => path)
        .toSorted(),
    ).toEqual([
      'apiVersion',
      'kind',
      'request.dryRun',
      'request.kind',
      'request.kind.kind',
      'request.name',
      'request.namespace',
      'request.operation',
      'request.resource.group',
      'request.resource.resource',
      'request.subResource',
      'request.uid',
      'request.userInfo.groups',
      'request.userInfo.username',
    ]);
  });

  it('in one line, with no control characters of its author', () => {
    const body = { apiVersion: `v1\n${'x'.repeat(10_000)}`, kind: 'AdmissionReview' };
    expect(() => parseAdmissionReview(body)).toThrow(/^not a valid AdmissionReview: [^\n]{0,300}$/);
  });
});

describe('an AdmissionReview is read', () => {
  const read: AdmissionRequest = {
    uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
    operation: 'CREATE',
    kind: 'Pod',
    group: '',
    resource: 'pods',
    subResource: '',
    namespace: 'shop',
    name: 'web',
    username: 'system:serviceaccount:kube-system:replicaset-controller',
    groups: ['system:authenticated'],
    dryRun: false,
    object: pod(['redis:8']),
    oldObject: null,
  };

  it('as kube-apiserver sends it', () => {
    expect(parseAdmissionReview(review(pod(['redis:8'])))).toEqual(read);
  });

  it('with members that we do not know, and without those that may be absent', () => {
    const { apiVersion, kind, request } = review(pod(['redis:8']));
    const { namespace: _namespace, name: _name, dryRun: _dryRun, userInfo: _userInfo, ...rest } = request;
    const body = { apiVersion, kind, later: true, request: { ...rest, name: null, later: {} } };
    expect(parseAdmissionReview(body)).toEqual({
      ...read,
      namespace: '',
      name: '',
      username: '',
      groups: [],
    });
  });
});
