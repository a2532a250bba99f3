import { readFixture } from '../support/fixtures.ts';

interface InjectedPod {
  readonly file: string;
  readonly pod: { readonly metadata: object; readonly spec: object };
}

/** The size of a review as the API server sends it: an injected pod with its managedFields. */
const BODY_BYTES = 13_800;

const isIstio = (image: string): boolean => image.includes('/proxyv2:');

/** Returns an AdmissionReview of one of Istio's own injected pods, with `image` for its Istio images, padded by managedFields. */
export const reviewBody = (image: string): string => {
  const injected = readFixture<readonly InjectedPod[]>('istio', 'pods.json').find(({ file }) =>
    file.startsWith('auth.yaml'),
  );
  if (injected === undefined) throw new Error('auth.yaml not found in pods.json');
  const pod = JSON.parse(
    JSON.stringify(injected.pod, (name, value: unknown) =>
      name === 'image' && typeof value === 'string' && isIstio(value) ? image : value,
    ),
  ) as { metadata: Record<string, unknown> };
  const review = (managedEntries: number): string =>
    JSON.stringify({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: {
        uid: '7f0e4c1a-1d2c-4b7a-9a55-0c8f3f1f2f11',
        kind: { group: '', version: 'v1', kind: 'Pod' },
        resource: { group: '', version: 'v1', resource: 'pods' },
        namespace: 'shop',
        operation: 'CREATE',
        userInfo: { username: 'system:serviceaccount:kube-system:replicaset-controller' },
        object: { ...pod, metadata: { ...pod.metadata, managedFields: managedFields(managedEntries) } },
        oldObject: null,
        dryRun: false,
      },
    });
  const bareBytes = review(0).length;
  const entryBytes = review(1).length - bareBytes;
  return review(Math.max(0, Math.round((BODY_BYTES - bareBytes) / entryBytes)));
};

const managedFields = (entries: number): object[] =>
  Array.from({ length: entries }, (_, index) => ({
    manager: 'kube-controller-manager',
    operation: 'Update',
    apiVersion: 'v1',
    time: '2026-11-22T09:00:07Z',
    fieldsType: 'FieldsV1',
    fieldsV1: {
      'f:spec': { 'f:containers': { [`k:{"name":"c${index}"}`]: { '.': {}, 'f:image': {}, 'f:name': {} } } },
    },
  }));
