import { describe, expect, it } from 'vitest';
import { MalformedReview, type ReviewContext } from '../../src/admission/index.ts';
import type { Rules } from '../../src/policy/index.ts';
import type { Verification, Verifier } from '../../src/verification/index.ts';
import { container, deployment, imageVolume, pod, review, reviewRecord } from '../support/builders.ts';
import { digestFor, rejected, undetermined, verified } from '../support/verdicts.ts';
import { NOW, reviewerBy } from './reviewer.ts';

const UID = '705ab4f5-6393-11e8-b7cc-42010a800002';
const PROXY = 'docker.io/istio/proxyv2:1.28.0';
const PILOT = 'docker.io/istio/pilot:1.28.0';
const ENFORCE: ReviewContext = { mode: 'enforce', critical: false };
const { signal } = new AbortController();

const MISSING = rejected({ code: 'signature-missing' }, digestFor('unsigned'));

/** Reviews with these verdicts on images, by their normal form; all other images are verified. */
const reviewOf = (
  verdicts: Readonly<Record<string, Verification>> = {},
  withRules: Partial<Rules> = {},
  verify: Verifier['verify'] = async ({ reference }) => verdicts[reference.text] ?? verified(),
) => {
  const reported: unknown[] = [];
  const reviewer = reviewerBy(verify, withRules, (error) => {
    reported.push(error);
    return 'incident-1';
  });
  return { run: (body: unknown, context = ENFORCE) => reviewer.review(body, context, signal), reported };
};

const DENIAL =
  `image "${PROXY}" in container "istio-proxy" (spec.containers[1].image): no signature was found ` +
  '(signature-missing); use a released Istio image; copy its signatures along when mirroring (cosign copy)';

const meshed = pod({ containers: [container('redis:8'), container(PROXY, 'istio-proxy')] });

const reviewResponse = (response: object) => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  response: { uid: UID, ...response },
});

const annotations = (overrides: object) => ({
  verdict: 'allow',
  mode: 'enforce',
  reason: '',
  images: '',
  'key-id': '',
  ...overrides,
});

describe('a review refuses', () => {
  const finding = { image: PROXY, path: 'spec.containers[1].image', code: 'signature-missing' } as const;
  const images = `${PROXY}@${digestFor('unsigned')}`;

  it('a pod with an unsigned Istio image, in enforce mode', async () => {
    const { run, reported } = reviewOf({ [PROXY]: MISSING });
    expect(await run(review(meshed))).toEqual({
      response: reviewResponse({
        allowed: false,
        status: { code: 403, reason: 'Forbidden', message: DENIAL },
        auditAnnotations: annotations({ verdict: 'deny', reason: 'signature-missing', images }),
      }),
      record: reviewRecord({
        verdict: 'deny',
        findings: [{ ...finding, effect: 'deny' }],
        images: [PROXY],
        verifications: 1,
        requests: 2,
      }),
    });
    expect(reported).toEqual([]);
  });

  it('nothing in warn mode, but warns', async () => {
    const { run } = reviewOf({ [PROXY]: MISSING });
    expect(await run(review(meshed), { mode: 'warn', critical: true })).toEqual({
      response: reviewResponse({
        allowed: true,
        warnings: [
          `sailmark: image "${PROXY}" in container "istio-proxy" (spec.containers[1].image): no signature was found (signature-missing)`,
        ],
        auditAnnotations: annotations({ verdict: 'warn', mode: 'warn', reason: 'signature-missing', images }),
      }),
      record: reviewRecord({
        mode: 'warn',
        critical: true,
        verdict: 'warn',
        findings: [{ ...finding, effect: 'warn' }],
        told: {
          regarding: { apiVersion: 'v1', kind: 'Pod', name: 'web' },
          effect: 'warn',
          sentences: [{ code: 'signature-missing', letThrough: false, sentence: DENIAL }],
        },
        images: [PROXY],
        verifications: 1,
        requests: 2,
      }),
    });
  });

  it('nothing in audit mode, and says so in annotations alone', async () => {
    const { run } = reviewOf({ [PROXY]: MISSING });
    expect((await run(review(meshed), { mode: 'audit', critical: false })).response).toEqual(
      reviewResponse({
        allowed: true,
        auditAnnotations: annotations({
          verdict: 'audit',
          mode: 'audit',
          reason: 'signature-missing',
          images,
        }),
      }),
    );
  });

  it('a dry run as it would the real one', async () => {
    const { run } = reviewOf({ [PROXY]: MISSING });
    const real = await run(review(meshed));
    const dry = await run(review(meshed, { dryRun: true }));
    expect([dry.response, dry.record.dryRun]).toEqual([real.response, true]);
  });

  it.each([
    ['init container', { initContainers: [container(PROXY)] }, 'spec.initContainers[0].image'],
    [
      'native sidecar',
      { initContainers: [{ ...container(PROXY), restartPolicy: 'Always' }] },
      'spec.initContainers[0].image',
    ],
    ['ephemeral container', { ephemeralContainers: [container(PROXY)] }, 'spec.ephemeralContainers[0].image'],
    ['image volume', { volumes: [imageVolume(PROXY)] }, 'spec.volumes[0].image.reference'],
  ])('an unsigned image in an %s', async (_, spec, path) => {
    const { run } = reviewOf({ [PROXY]: MISSING });
    const { record: facts } = await run(review(pod(spec)));
    expect([facts.verdict, facts.findings.map((one) => one.path)]).toEqual(['deny', [path]]);
  });

  it('an ephemeral container that is added to a running pod', async () => {
    const { run } = reviewOf({ [PROXY]: MISSING });
    const oldObject = pod({ containers: [container(PILOT)] });
    const object = pod({ containers: [container(PILOT)], ephemeralContainers: [container(PROXY, 'debug')] });
    const update = review(object, { operation: 'UPDATE', subResource: 'ephemeralcontainers', oldObject });
    const { record: facts } = await run(update);
    expect([facts.verdict, facts.images]).toEqual(['deny', [PROXY]]);
  });

  it('an update that moves an image to another container, and one without the old object', async () => {
    const { run } = reviewOf({ [PROXY]: MISSING });
    const moved = review(pod({ containers: [container(PROXY, 'b')] }), {
      operation: 'UPDATE',
      oldObject: pod({ containers: [container(PROXY, 'a')] }),
    });
    const blind = review(meshed, { operation: 'UPDATE', oldObject: null });
    expect([(await run(moved)).record.verdict, (await run(blind)).record.verdict]).toEqual(['deny', 'deny']);
  });

  it('more Istio images than a review may hold', async () => {
    const { run } = reviewOf();
    const many = Array.from({ length: 6 }, (_, index) => `istio/proxyv2:1.28.${index}`);
    const { response: given, record: facts } = await run(review(pod(many)));
    expect([facts.verifications, facts.findings.map(({ code }) => code)]).toEqual([
      4,
      ['too-many-images', 'too-many-images'],
    ]);
    expect(given.response.status?.message).toBe(
      'image "istio/proxyv2:1.28.4" in container "app-4" (spec.containers[4].image): ' +
        'more than 4 different Istio images in one review, so this one was not verified (too-many-images); ' +
        'use fewer images, or raise limits.imagesPerReview (and 1 more: container "app-5" too-many-images)',
    );
  });

  it('a pod that says it mirrors a static pod, when no node says so', async () => {
    const { run } = reviewOf({ [PROXY]: MISSING });
    const mirror = pod([PROXY], { name: 'web', annotations: { 'kubernetes.io/config.mirror': 'abc' } });
    const verdicts = [
      await run(review(mirror)),
      await run(review(mirror, { userInfo: { username: 'system:node:a', groups: [] } })),
      await run(review(mirror, { userInfo: { username: 'mallory', groups: ['system:nodes'] } })),
    ];
    expect(verdicts.map(({ record: { verdict } }) => verdict)).toEqual(['deny', 'deny', 'deny']);
  });

  it('a mirror whose image its node changes afterwards', async () => {
    const { run } = reviewOf({ [PROXY]: MISSING });
    const annotated = { name: 'web', annotations: { 'kubernetes.io/config.mirror': 'abc' } };
    const update = review(pod([PROXY], annotated), {
      operation: 'UPDATE',
      oldObject: pod([PILOT], annotated),
      userInfo: { username: 'system:node:worker-1', groups: ['system:nodes'] },
    });
    expect((await run(update)).record.verdict).toBe('deny');
  });

  it('a new pod, though the request says there was one like it', async () => {
    const { run } = reviewOf({ [PROXY]: MISSING });
    expect((await run(review(meshed, { oldObject: meshed }))).record.verdict).toBe('deny');
  });

  it('what could not be judged, with an incident id, and reports the error', async () => {
    const broken = new Error('broken');
    const { run, reported } = reviewOf({}, {}, async () => Promise.reject(broken));
    expect(await run(review(meshed))).toEqual({
      response: reviewResponse({
        allowed: false,
        status: {
          code: 403,
          reason: 'Forbidden',
          message:
            'could not be judged because of an error inside sailmark: incident incident-1 (internal-error); ' +
            "find the incident in sailmark's log and report it",
        },
        auditAnnotations: annotations({ verdict: 'deny', reason: 'internal-error' }),
      }),
      record: reviewRecord({
        verdict: 'deny',
        findings: [{ image: '', path: '', code: 'internal-error', effect: 'deny' }],
        incident: 'incident-1',
      }),
    });
    expect(reported).toEqual([broken]);
  });

  it.each([
    ['warn', true],
    ['audit', false],
  ] as const)('nothing that could not be judged in %s mode, but says so', async (mode, warned) => {
    const { run } = reviewOf({}, {}, async () => Promise.reject(new Error('broken')));
    const { response: given, record: facts } = await run(review(meshed), { mode, critical: false });
    expect([given.response.allowed, given.response.warnings !== undefined, facts.incident]).toEqual([
      true,
      warned,
      'incident-1',
    ]);
  });
});

describe('a review is malformed, and has no answer', () => {
  it.each([
    ['a pod without a specification', { ...pod([]), spec: undefined }, ['request.object.spec']],
    ['no object', null, ['request.object']],
    ['containers that are no list', pod({ containers: {} as never }), ['request.object.spec.containers']],
  ])('%s', async (_, object, paths) => {
    const { run } = reviewOf();
    const error = await run(review(pod([]), { object })).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MalformedReview);
    expect((error as MalformedReview).problems.map(({ path }) => path)).toEqual(paths);
  });

  it('an old object of another shape', async () => {
    const update = review(meshed, { operation: 'UPDATE', oldObject: { spec: { containers: 'none' } } });
    await expect(reviewOf().run(update)).rejects.toThrow('request.oldObject.spec.containers must be a list');
  });
});

describe('a review allows', () => {
  it('a pod whose Istio images are verified, and names image, digest and key', async () => {
    const { run } = reviewOf();
    expect(await run(review(meshed))).toEqual({
      response: reviewResponse({
        allowed: true,
        auditAnnotations: annotations({ images: `${PROXY}@${digestFor('good')}`, 'key-id': 'key-1' }),
      }),
      record: reviewRecord({ images: [PROXY], keyIds: ['key-1'], verifications: 1, fromMemory: 1 }),
    });
  });

  it('a pod with no Istio image, and asks nothing', async () => {
    const { run } = reviewOf({}, {}, async () => expect.unreachable());
    expect(await run(review(pod(['redis:8', 'nginx'])))).toEqual({
      response: reviewResponse({ allowed: true, auditAnnotations: annotations({}) }),
      record: reviewRecord({}),
    });
  });

  it('what an outage choice lets through, with a warning that says which digest it stands for', async () => {
    const down = undetermined(
      { code: 'registry-unavailable', detail: 'docker.io does not answer' },
      { resolvedAt: NOW - 600_000, verified: verified() },
    );
    const { run } = reviewOf({ [PROXY]: down });
    const { response: given } = await run(review(meshed));
    const why = `allowed: 10 minutes ago the tag resolved to ${digestFor('good')}, which is verified`;
    expect(given).toEqual(
      reviewResponse({
        allowed: true,
        warnings: [`sailmark: image "${PROXY}" in "istio-proxy": registry-unavailable; ${why}`],
        auditAnnotations: annotations({
          verdict: 'warn',
          reason: 'registry-unavailable',
          images: PROXY,
          'let-through': `${PROXY} registry-unavailable: ${why}`,
        }),
      }),
    );
  });

  it('what is exempt, and says so in the annotations', async () => {
    const exemptions = [
      {
        images: ['docker.io/istio/*'],
        namespaces: ['shop'],
        reason: 'old',
        owner: 'mesh',
        expires: '2027-01-01',
      },
    ];
    const { run } = reviewOf({ [PROXY]: MISSING }, { exemptions });
    expect((await run(review(meshed))).response).toEqual(
      reviewResponse({
        allowed: true,
        auditAnnotations: annotations({
          reason: 'signature-missing',
          images: `${PROXY}@${digestFor('unsigned')}`,
          'let-through': `${PROXY} signature-missing: exempt until 2027-01-01 (mesh): old`,
        }),
      }),
    );
  });

  it('a template with an unsigned image, with a warning', async () => {
    const { run } = reviewOf({ [PROXY]: MISSING });
    const { response: given, record: facts } = await run(review(deployment([PROXY])));
    expect(given.response.allowed).toBe(true);
    expect(given.response.warnings).toEqual([
      `sailmark: image "${PROXY}" in container "app" (spec.template.spec.containers[0].image): no signature was found (signature-missing)`,
    ]);
    expect([facts.kind, facts.verdict]).toEqual(['Deployment', 'warn']);
  });

  it('a template with the placeholder, which injection will replace', async () => {
    const { run } = reviewOf({}, { unrecognised: 'deny' });
    const gateway = deployment({ containers: [container('auto', 'istio-proxy')] });
    const { record: facts } = await run(review(gateway));
    expect([facts.verdict, facts.findings]).toEqual(['allow', []]);
  });

  it('a template of istiod’s with another image in its container, as its labels say', async () => {
    const { run } = reviewOf({});
    const { spec, ...rest } = deployment({ containers: [container('corp.example/mesh:1', 'discovery')] });
    const codesOf = async (metadata: object) => {
      const template = { ...(spec as { template: object }).template, metadata };
      const { record: facts } = await run(review({ ...rest, spec: { template } }));
      return facts.findings.map(({ code }) => code);
    };
    expect(await codesOf({ labels: { app: 'istiod' } })).toEqual(['image-unrecognised']);
    expect(await codesOf({ labels: { app: 'eureka', 'istio.io/rev': 'default' } })).toEqual([]);
    expect(await codesOf({ labels: null })).toEqual([]);
  });

  it('gives fifteen warnings at most, and says how many more there are', async () => {
    const { run } = reviewOf({}, { lookAlikes: 'warn' });
    const many = Array.from({ length: 20 }, (_, index) => `corp.example/mesh-${index}/proxyv2:1`);
    const warnings = (await run(review(pod(many)))).response.response.warnings ?? [];
    expect([warnings.length, warnings.at(-1)]).toEqual([16, 'sailmark: +5 more']);
    expect(warnings.join('').length).toBeLessThan(4096);
  });
});

describe('a review looks at no image', () => {
  const node = { username: 'system:node:worker-1', groups: ['system:nodes', 'system:authenticated'] };
  const mirror = pod([PROXY], { name: 'web', annotations: { 'kubernetes.io/config.mirror': 'abc' } });
  const role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'web' },
    rules: [],
  };

  it.each([
    ['operation', 'of a DELETE', review(meshed, { operation: 'DELETE', object: null, oldObject: meshed })],
    ['operation', 'of a CONNECT', review(meshed, { operation: 'CONNECT', subResource: 'exec', object: {} })],
    ['subresource', 'of another subresource', review(meshed, { operation: 'UPDATE', subResource: 'status' })],
    ['subresource', 'of a scale', review(deployment([PROXY]), { subResource: 'scale', object: {} })],
    [
      'subresource',
      'of a pod’s subresource on another kind',
      review(deployment([PROXY]), { subResource: 'ephemeralcontainers' }),
    ],
    ['kind', 'of a kind that holds no pod', review(role)],
    ['static-pod-mirror', 'of a static pod’s mirror, made by its node', review(mirror, { userInfo: node })],
    [
      'no-new-image',
      'of an update that changes none',
      review(meshed, { operation: 'UPDATE', oldObject: meshed }),
    ],
    [
      'no-new-image',
      'of a template without images',
      review(deployment({ containers: [container(undefined)] })),
    ],
  ])('%s: %s', async (skipped, _, body) => {
    const { run } = reviewOf({ [PROXY]: MISSING });
    const { response: given, record: facts } = await run(body);
    expect(given).toEqual(reviewResponse({ allowed: true, auditAnnotations: annotations({ skipped }) }));
    expect([facts.skipped, facts.verdict, facts.images]).toEqual([skipped, 'allow', []]);
  });

  it('that an update leaves as it was, and at those it changes', async () => {
    const { run } = reviewOf({ [PROXY]: MISSING });
    const before = pod({ containers: [container(PROXY, 'a'), container('redis:7', 'b')] });
    const after = pod({ containers: [container(PROXY, 'a'), container(PILOT, 'b')] });
    const { record: facts } = await run(review(after, { operation: 'UPDATE', oldObject: before }));
    expect([facts.verdict, facts.images]).toEqual(['allow', [PILOT]]);
  });
});

describe('the record', () => {
  it('names a pod by what its name is generated from', async () => {
    const generated = pod([PROXY], { generateName: 'web-7d4c-' });
    expect((await reviewOf().run(review(generated))).record.name).toBe('web-7d4c-*');
  });

  it('of a hostile pod stays small', async () => {
    const many = Array.from(
      { length: 5000 },
      (_, index) => `corp.example/${'x'.repeat(200)}${index}/istio/proxyv2`,
    );
    const { response: given, record: facts } = await reviewOf().run(review(pod(many)));
    expect(facts.verdict).toBe('deny');
    expect(JSON.stringify(facts).length).toBeLessThan(64 * 1024);
    expect(JSON.stringify(given).length).toBeLessThan(8 * 1024);
  });
});
