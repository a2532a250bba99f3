import { type ReviewRecord, workloads } from '../../src/admission/index.ts';

/** A container; tests that depend on its name pass one. */
export const container = (image: string | undefined, name = 'app') => ({
  name,
  ...(image === undefined ? {} : { image }),
});

/** An image volume. */
export const imageVolume = (reference: string, name = 'content') => ({ name, image: { reference } });

/** The fields of a pod's specification that hold images. Other fields are free. */
export interface PodSpec {
  readonly containers?: readonly object[];
  readonly initContainers?: readonly object[];
  readonly ephemeralContainers?: readonly object[];
  readonly volumes?: readonly object[];
  readonly [field: string]: unknown;
}

/** A Kubernetes object, limited to what tests use. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** A Pod. If `content` is a list of images, each becomes a container: `app`, `app-1`, … */
export const pod = (
  content: PodSpec | readonly string[],
  metadata: Readonly<Record<string, unknown>> = { name: 'web' },
): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata,
  spec: isSpec(content)
    ? content
    : { containers: content.map((image, index) => container(image, index === 0 ? 'app' : `app-${index}`)) },
});

const isSpec = (content: PodSpec | readonly string[]): content is PodSpec => !Array.isArray(content);

/** A Deployment whose template is {@link pod}. */
export const deployment = (content: PodSpec | readonly string[]): KubernetesObject => {
  const { metadata, spec } = pod(content);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: { replicas: 1, template: { metadata, spec } },
  };
};

const groupOf = ({ apiVersion }: KubernetesObject): string =>
  apiVersion.includes('/') ? (apiVersion.split('/')[0] as string) : '';

/** An AdmissionReview of admission.k8s.io/v1, as kube-apiserver sends it; `overrides` are members of its request. */
export const review = (object: KubernetesObject, overrides: Readonly<Record<string, unknown>> = {}) => {
  const group = groupOf(object);
  const version = object.apiVersion.split('/').at(-1);
  const workload = workloads.find((one) => one.group === group && one.kind === object.kind);
  const kind = { group, version, kind: object.kind };
  const resource = { group, version, resource: workload?.resource ?? `${object.kind.toLowerCase()}s` };
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind,
      resource,
      requestKind: kind,
      requestResource: resource,
      name: object.metadata['name'] ?? '',
      namespace: 'shop',
      operation: 'CREATE',
      userInfo: {
        username: 'system:serviceaccount:kube-system:replicaset-controller',
        groups: ['system:authenticated'],
      },
      object,
      oldObject: null,
      dryRun: false,
      options: { apiVersion: 'meta.k8s.io/v1', kind: 'CreateOptions' },
      ...overrides,
    },
  };
};

/** The record of a review without findings, with these members changed. */
export const reviewRecord = (overrides: Partial<ReviewRecord> = {}): ReviewRecord => ({
  uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
  namespace: 'shop',
  kind: 'Pod',
  name: 'web',
  operation: 'CREATE',
  mode: 'enforce',
  critical: false,
  dryRun: false,
  verdict: 'allow',
  skipped: undefined,
  findings: [],
  images: [],
  keyIds: [],
  verifications: 0,
  fromMemory: 0,
  requests: 0,
  incident: undefined,
  ...overrides,
});
