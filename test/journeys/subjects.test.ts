import { describe, expect, it } from 'vitest';
import {
  container,
  imageVolume,
  type KubernetesObject,
  type PodSpec,
  pod,
  review,
} from '../support/builders.ts';
import { answerTo, fine, notJudged, openPair, refused } from '../support/journey-answers.ts';

/*
 * What of a request is judged: by what happens to the object, by where in it an image stands, and what is no request.
 */

describe('an update', () => {
  const update = (object: KubernetesObject, oldObject: KubernetesObject | null, more: object = {}) =>
    review(object, { operation: 'UPDATE', oldObject, ...more });

  it('to an unsigned image is refused', async () => {
    const { door, signed, unsigned } = await openPair();
    const body = update(pod([unsigned.byTag]), pod([signed.byTag]));
    expect(await answerTo(door, body)).toEqual(refused);
  });

  it('without the object as it was is judged as if all of it were new', async () => {
    const { door, unsigned } = await openPair();
    expect(await answerTo(door, update(pod([unsigned.byTag]), null))).toEqual(refused);
  });

  it('that moves an unsigned image to another container is refused', async () => {
    const { door, unsigned } = await openPair();
    const named = (name: string): KubernetesObject =>
      pod({ containers: [container(unsigned.byTag, name), container('nginx', 'other')] });
    expect(await answerTo(door, update(named('new'), named('old')))).toEqual(refused);
  });

  it('of anything but images is not judged, whatever the images are', async () => {
    const { door, unsigned, requests } = await openPair();
    const relabelled = pod([unsigned.byTag], { name: 'web', labels: { tier: 'front' } });
    expect(await answerTo(door, update(relabelled, pod([unsigned.byTag])))).toEqual(
      notJudged('no-new-image'),
    );
    expect(requests()).toBe(0);
  });

  it('looks only at what is new', async () => {
    const { door, signed, unsigned } = await openPair();
    const body = update(pod([unsigned.byTag, signed.byTag]), pod([unsigned.byTag, 'nginx']));
    expect(await answerTo(door, body)).toEqual(fine);
  });

  it('that adds an ephemeral container to a running pod is judged', async () => {
    const { door, signed, unsigned } = await openPair();
    const running = { containers: [container('nginx')] };
    const debugging = (image: string) =>
      update(
        pod({ ...running, ephemeralContainers: [{ ...container(image, 'debug'), stdin: true }] }),
        pod(running),
        { subResource: 'ephemeralcontainers' },
      );
    expect(await answerTo(door, debugging(unsigned.byTag))).toEqual(refused);
    const { status } = await door.ask('/validate/enforce', debugging(unsigned.byTag));
    expect(status?.message).toContain(
      'in ephemeral container "debug" (spec.ephemeralContainers[0].image): no signature was found',
    );
    expect(await answerTo(door, debugging(signed.byTag))).toEqual(fine);
  });

  it('of the status is not judged', async () => {
    const { door, unsigned, requests } = await openPair();
    const body = update(pod([unsigned.byTag]), null, { subResource: 'status' });
    expect(await answerTo(door, body)).toEqual(notJudged('subresource'));
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
    const { door, signed, unsigned } = await openPair();
    const body = review(pod(specOf(unsigned.byTag)));
    expect(await answerTo(door, body)).toEqual(refused);
    const { status } = await door.ask('/validate/enforce', body);
    expect(status?.message).toContain(`image "${unsigned.byTag}" ${place}: no signature was found`);
    expect(await answerTo(door, review(pod(specOf(signed.byTag))))).toEqual(fine);
  });
});

describe('what is not judged', () => {
  it.each(['DELETE', 'CONNECT'])('%s', async (operation) => {
    const { door, unsigned, requests } = await openPair();
    const body = review(pod([unsigned.byTag]), {
      operation,
      object: null,
      oldObject: pod([unsigned.byTag]),
    });
    expect(await answerTo(door, body)).toEqual(notJudged('operation'));
    expect(requests()).toBe(0);
  });

  it('an object that holds no pod', async () => {
    const { door } = await openPair();
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: {} };
    expect(await answerTo(door, review(object))).toEqual(notJudged('kind'));
  });

  it('a node’s mirror of a static pod; the same by anybody else is judged', async () => {
    const { door, unsigned } = await openPair();
    const mirrored = pod([unsigned.byTag], {
      name: 'etcd-a',
      annotations: { 'kubernetes.io/config.mirror': 'c0ffee' },
    });
    const node = { username: 'system:node:a', groups: ['system:nodes', 'system:authenticated'] };
    expect(await answerTo(door, review(mirrored, { userInfo: node }))).toEqual(
      notJudged('static-pod-mirror'),
    );
    expect(await answerTo(door, review(mirrored))).toEqual(refused);
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
    const { door } = await openPair();
    for (const path of ['/validate/enforce', '/validate/audit', '/validate/critical/warn']) {
      const reply = await door.post(path, body);
      expect([reply.status, reply.body]).toEqual([400, expect.stringContaining(problem)]);
    }
  });
});
