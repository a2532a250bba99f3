import { describe, expect, it, onTestFinished } from 'vitest';
import { workloads } from '../../src/admission/index.ts';
import {
  container,
  deployment,
  imageVolume,
  type KubernetesObject,
  type PodSpec,
  pod,
  review,
} from '../support/builders.ts';
import { type Door, openDoor, reasonsOf } from '../support/journey-door.ts';
import { type MirroredImage, startMirror } from '../support/journey-mirror.ts';

/*
 * What a verdict does: by the path it was asked on, by the object the image stands in, and by what happens to it.
 */

interface Stage {
  readonly door: Door;
  readonly signed: MirroredImage;
  readonly unsigned: MirroredImage;
  /** Every path asked of the registry so far. */
  requests(): number;
}

const open = async (configuration: object = {}): Promise<Stage> => {
  const mirror = await startMirror();
  onTestFinished(() => mirror.registry.close());
  const door = await openDoor({ ...mirror.configuration, ...configuration });
  const [signed, unsigned] = [mirror.add(), mirror.add({ by: false })];
  return { door, signed, unsigned, requests: () => mirror.registry.requests.length };
};

/** An answer without its texts: how many warnings, and the code of a refusal. */
const answerTo = async (door: Door, body: object, path = '/validate/enforce') => {
  const answer = await door.ask(path, body);
  return {
    allowed: answer.allowed,
    status: answer.status?.code,
    warnings: answer.warnings?.length ?? 0,
    verdict: answer.auditAnnotations?.['verdict'],
    reasons: reasonsOf(answer),
    skipped: answer.auditAnnotations?.['skipped'],
  };
};

const UNSIGNED = ['signature-missing'];
const nothing = { status: undefined, warnings: 0, skipped: undefined };
const fine = { ...nothing, allowed: true, verdict: 'allow', reasons: [] };
const refused = { ...nothing, allowed: false, status: 403, verdict: 'deny', reasons: UNSIGNED };
const warned = { ...nothing, allowed: true, warnings: 1, verdict: 'warn', reasons: UNSIGNED };
const noted = { ...nothing, allowed: true, verdict: 'audit', reasons: UNSIGNED };
const notJudged = (skipped: string) => ({ ...fine, skipped });

describe.each(['', 'critical/'])('a pod posted to /validate/%s…', (prefix) => {
  it.each([
    ['enforce', refused],
    ['warn', warned],
    ['audit', noted],
  ])('%s', async (mode, expected) => {
    const { door, signed, unsigned } = await open();
    const path = `/validate/${prefix}${mode}`;
    expect(await answerTo(door, review(pod([unsigned.byTag])), path)).toEqual(expected);
    expect(await answerTo(door, review(pod([unsigned.byDigest, signed.byTag])), path)).toEqual(expected);
    expect(await answerTo(door, review(pod([signed.byTag])), path)).toEqual(fine);
    const { auditAnnotations } = await door.ask(path, review(pod([signed.byTag])));
    expect(auditAnnotations?.['mode']).toBe(mode);
    expect(door.record()?.critical).toBe(prefix === 'critical/');
  });
});

describe('an object that holds a template of pods', () => {
  /** An object of that kind, its pod's specification where the kind has it. */
  const holding = (
    { group, kind, podSpec }: (typeof workloads)[number],
    content: PodSpec | readonly string[],
  ): KubernetesObject => {
    const { spec } = pod(content);
    const below = podSpec.reduceRight<unknown>((inner, field) => ({ [field]: inner }), spec);
    const apiVersion = group === '' ? 'v1' : `${group}/v1`;
    return { apiVersion, kind, metadata: { name: 'web' }, ...(below as object) };
  };
  const templates = workloads.filter(({ holds }) => holds === 'template');

  it('is one of these kinds', () => {
    expect(templates.map(({ kind }) => kind).toSorted()).toEqual([
      'CronJob',
      'DaemonSet',
      'Deployment',
      'DeploymentConfig',
      'Job',
      'PodTemplate',
      'ReplicaSet',
      'ReplicationController',
      'StatefulSet',
    ]);
  });

  it.each(templates)('$kind: gets a warning where its pods would be refused', async (workload) => {
    const { door, signed, unsigned } = await open();
    const bad = review(holding(workload, [unsigned.byTag]));
    expect(await answerTo(door, bad)).toEqual(warned);
    expect(await answerTo(door, bad, '/validate/audit')).toEqual(noted);
    expect(await answerTo(door, review(holding(workload, [signed.byTag])))).toEqual(fine);
  });

  it('may hold the placeholder that injection replaces; a pod may not keep it', async () => {
    const { door } = await open({ unrecognised: 'deny' });
    const spec = { containers: [container('auto', 'istio-proxy')] };
    expect(await answerTo(door, review(deployment(spec)))).toEqual(fine);
    expect(await answerTo(door, review(pod(spec)))).toEqual({ ...refused, reasons: ['image-unrecognised'] });
  });
});

describe('an update', () => {
  const update = (object: KubernetesObject, oldObject: KubernetesObject | null, more: object = {}) =>
    review(object, { operation: 'UPDATE', oldObject, ...more });

  it('to an unsigned image is refused', async () => {
    const { door, signed, unsigned } = await open();
    const body = update(pod([unsigned.byTag]), pod([signed.byTag]));
    expect(await answerTo(door, body)).toEqual(refused);
  });

  it('without the object as it was is judged as if all of it were new', async () => {
    const { door, unsigned } = await open();
    expect(await answerTo(door, update(pod([unsigned.byTag]), null))).toEqual(refused);
  });

  it('that moves an unsigned image to another container is refused', async () => {
    const { door, unsigned } = await open();
    const named = (name: string): KubernetesObject =>
      pod({ containers: [container(unsigned.byTag, name), container('nginx', 'other')] });
    expect(await answerTo(door, update(named('new'), named('old')))).toEqual(refused);
  });

  it('of anything but images is not judged, whatever the images are', async () => {
    const { door, unsigned, requests } = await open();
    const relabelled = pod([unsigned.byTag], { name: 'web', labels: { tier: 'front' } });
    expect(await answerTo(door, update(relabelled, pod([unsigned.byTag])))).toEqual(
      notJudged('no-new-image'),
    );
    expect(requests()).toBe(0);
  });

  it('looks only at what is new', async () => {
    const { door, signed, unsigned } = await open();
    const body = update(pod([unsigned.byTag, signed.byTag]), pod([unsigned.byTag, 'nginx']));
    expect(await answerTo(door, body)).toEqual(fine);
  });

  it('that adds an ephemeral container to a running pod is judged', async () => {
    const { door, signed, unsigned } = await open();
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
    const { door, unsigned, requests } = await open();
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
    const { door, signed, unsigned } = await open();
    const body = review(pod(specOf(unsigned.byTag)));
    expect(await answerTo(door, body)).toEqual(refused);
    const { status } = await door.ask('/validate/enforce', body);
    expect(status?.message).toContain(`image "${unsigned.byTag}" ${place}: no signature was found`);
    expect(await answerTo(door, review(pod(specOf(signed.byTag))))).toEqual(fine);
  });
});

describe('what is not judged', () => {
  it.each(['DELETE', 'CONNECT'])('%s', async (operation) => {
    const { door, unsigned, requests } = await open();
    const body = review(pod([unsigned.byTag]), {
      operation,
      object: null,
      oldObject: pod([unsigned.byTag]),
    });
    expect(await answerTo(door, body)).toEqual(notJudged('operation'));
    expect(requests()).toBe(0);
  });

  it('an object that holds no pod', async () => {
    const { door } = await open();
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: {} };
    expect(await answerTo(door, review(object))).toEqual(notJudged('kind'));
  });

  it('a node’s mirror of a static pod; the same by anybody else is judged', async () => {
    const { door, unsigned } = await open();
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
    ['no JSON', '{"apiVersion":', 'the body is not JSON'],
    ['nothing', '', 'there is no body'],
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
    const { door } = await open();
    for (const path of ['/validate/enforce', '/validate/audit', '/validate/critical/warn']) {
      const reply = await door.post(path, body);
      expect([reply.status, reply.body]).toEqual([400, expect.stringContaining(problem)]);
    }
  });
});
