import { describe, expect, it } from 'vitest';
import {
  container,
  imageVolume,
  type KubernetesObject,
  type PodSpec,
  pod,
  review,
} from '../support/builders.ts';
import {
  allowed,
  notJudged,
  refused,
  responseSummary,
  startWithImages,
} from '../support/webhook-and-images.ts';

/*
 * The parts of a review that are judged: by operation, by the place of an image in the object; and bodies that are no
 * review.
 */

describe('an update', () => {
  const update = (object: KubernetesObject, oldObject: KubernetesObject | null, more: object = {}) =>
    review(object, { operation: 'UPDATE', oldObject, ...more });

  it('to an unsigned image is refused', async () => {
    const { webhook, signed, unsigned } = await startWithImages();
    const body = update(pod([unsigned.byTag]), pod([signed.byTag]));
    expect(await responseSummary(webhook, body)).toEqual(refused);
  });

  it('without the object as it was is judged as if all of it were new', async () => {
    const { webhook, unsigned } = await startWithImages();
    expect(await responseSummary(webhook, update(pod([unsigned.byTag]), null))).toEqual(refused);
  });

  it('that moves an unsigned image to another container is refused', async () => {
    const { webhook, unsigned } = await startWithImages();
    const named = (name: string): KubernetesObject =>
      pod({ containers: [container(unsigned.byTag, name), container('nginx', 'other')] });
    expect(await responseSummary(webhook, update(named('new'), named('old')))).toEqual(refused);
  });

  it('of anything but images is not judged, whatever the images are', async () => {
    const { webhook, unsigned, requests } = await startWithImages();
    const relabelled = pod([unsigned.byTag], { name: 'web', labels: { tier: 'front' } });
    expect(await responseSummary(webhook, update(relabelled, pod([unsigned.byTag])))).toEqual(
      notJudged('no-new-image'),
    );
    expect(requests()).toBe(0);
  });

  it('looks only at what is new', async () => {
    const { webhook, signed, unsigned } = await startWithImages();
    const body = update(pod([unsigned.byTag, signed.byTag]), pod([unsigned.byTag, 'nginx']));
    expect(await responseSummary(webhook, body)).toEqual(allowed);
  });

  it('that adds an ephemeral container to a running pod is judged', async () => {
    const { webhook, signed, unsigned } = await startWithImages();
    const running = { containers: [container('nginx')] };
    const debugging = (image: string) =>
      update(
        pod({ ...running, ephemeralContainers: [{ ...container(image, 'debug'), stdin: true }] }),
        pod(running),
        { subResource: 'ephemeralcontainers' },
      );
    expect(await responseSummary(webhook, debugging(unsigned.byTag))).toEqual(refused);
    const { status } = await webhook.sendReview('/validate/enforce', debugging(unsigned.byTag));
    expect(status?.message).toContain(
      'in ephemeral container "debug" (spec.ephemeralContainers[0].image): no signature was found',
    );
    expect(await responseSummary(webhook, debugging(signed.byTag))).toEqual(allowed);
  });

  it('of the status is not judged', async () => {
    const { webhook, unsigned, requests } = await startWithImages();
    const body = update(pod([unsigned.byTag]), null, { subResource: 'status' });
    expect(await responseSummary(webhook, body)).toEqual(notJudged('subresource'));
    expect(requests()).toBe(0);
  });
});

describe('an unsigned image is found', () => {
  const PLACES: readonly (readonly [string, (image: string) => PodSpec, string])[] = [
    [
      'in an init container',
      (image) => ({
        containers: [container('nginx')],
        initContainers: [container('busybox', 'wait'), container(image, 'istio-init')],
      }),
      'in init container "istio-init" (spec.initContainers[1].image)',
    ],
    [
      'in a native sidecar',
      (image) => ({
        containers: [container('nginx')],
        initContainers: [{ ...container(image, 'istio-proxy'), restartPolicy: 'Always' }],
      }),
      'in init container "istio-proxy" (spec.initContainers[0].image)',
    ],
    [
      'in an image volume',
      (image) => ({
        containers: [container('nginx')],
        volumes: [{ name: 'tmp' }, imageVolume(image, 'wasm')],
      }),
      'in image volume "wasm" (spec.volumes[1].image.reference)',
    ],
  ];

  it.each(PLACES)('%s', async (_name, specOf, place) => {
    const { webhook, signed, unsigned } = await startWithImages();
    const body = review(pod(specOf(unsigned.byTag)));
    expect(await responseSummary(webhook, body)).toEqual(refused);
    const { status } = await webhook.sendReview('/validate/enforce', body);
    expect(status?.message).toContain(`image "${unsigned.byTag}" ${place}: no signature was found`);
    expect(await responseSummary(webhook, review(pod(specOf(signed.byTag))))).toEqual(allowed);
  });
});

describe('what is not judged', () => {
  it.each(['DELETE', 'CONNECT'])('%s', async (operation) => {
    const { webhook, unsigned, requests } = await startWithImages();
    const body = review(pod([unsigned.byTag]), {
      operation,
      object: null,
      oldObject: pod([unsigned.byTag]),
    });
    expect(await responseSummary(webhook, body)).toEqual(notJudged('operation'));
    expect(requests()).toBe(0);
  });

  it('an object that holds no pod', async () => {
    const { webhook } = await startWithImages();
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: {} };
    expect(await responseSummary(webhook, review(object))).toEqual(notJudged('kind'));
  });

  it('a node’s mirror of a static pod; the same by anybody else is judged', async () => {
    const { webhook, unsigned } = await startWithImages();
    const mirrored = pod([unsigned.byTag], {
      name: 'etcd-a',
      annotations: { 'kubernetes.io/config.mirror': 'c0ffee' },
    });
    const node = { username: 'system:node:a', groups: ['system:nodes', 'system:authenticated'] };
    expect(await responseSummary(webhook, review(mirrored, { userInfo: node }))).toEqual(
      notJudged('static-pod-mirror'),
    );
    expect(await responseSummary(webhook, review(mirrored))).toEqual(refused);
  });
});

describe('what is no AdmissionReview', () => {
  const good = review(pod(['nginx']));
  const MALFORMED: readonly (readonly [string, string, string])[] = [
    ['no JSON', '{"apiVersion":', 'the body is not valid JSON'],
    ['nothing', '', 'the body is empty'],
    ['null', 'null', 'the body must be an object'],
    ['another kind', JSON.stringify(pod(['nginx'])), 'kind must be AdmissionReview'],
    [
      'another version',
      JSON.stringify({ ...good, apiVersion: 'admission.k8s.io/v1beta1' }),
      'apiVersion must be admission.k8s.io/v1, not admission.k8s.io/v1beta1',
    ],
    ['no request', JSON.stringify({ ...good, request: undefined }), 'request must be an object'],
    [
      'an operation that is none',
      JSON.stringify({ ...good, request: { ...good.request, operation: 'PATCH' } }),
      'request.operation must be one of CREATE, UPDATE, DELETE, CONNECT',
    ],
    [
      'containers that are no list',
      JSON.stringify(review({ ...pod([]), spec: { containers: {} } })),
      'request.object.spec.containers must be a list',
    ],
    [
      'an image that is no text',
      JSON.stringify(review(pod({ containers: [{ name: 'app', image: 7 }] }))),
      'request.object.spec.containers[0].image must be a string',
    ],
  ];

  it.each(MALFORMED)('%s: is 400, and says what is wrong', async (_name, body, problem) => {
    const { webhook } = await startWithImages();
    for (const path of ['/validate/enforce', '/validate/audit', '/validate/critical/warn']) {
      const reply = await webhook.post(path, body);
      expect([reply.status, reply.body]).toEqual([400, expect.stringContaining(problem)]);
    }
  });
});
