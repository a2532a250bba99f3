import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPinner, MalformedReview } from '../../src/admission/index.ts';
import { createClassifier } from '../../src/istio/index.ts';
import { createJudge } from '../../src/policy/index.ts';
import type { Verifier } from '../../src/verification/index.ts';
import { container, imageVolume, pod, review } from '../support/builders.ts';
import { applyPatch, pinsOf } from '../support/pinning.ts';
import { digestFor, rejected, rules, verified, withoutMemory } from '../support/verdicts.ts';

const PROXY = 'docker.io/istio/proxyv2:1.28.0';
const DIGEST = digestFor('good');
const { signal } = new AbortController();

const pinnerBy = (verify: Verifier['verify'], reported: unknown[] = []) => {
  const judge = createJudge({
    ...createClassifier({ hubs: ['docker.io/istio'], mirrors: [] }),
    verifier: withoutMemory(verify),
    revoked: [],
    exemptions: [],
  });
  return createPinner({
    judge,
    rules: rules(),
    limits: { imagesPerReview: 8, verificationsAtOnce: 2 },
    now: () => 0,
    report: (error) => `incident-${reported.push(error)}`,
  });
};

const verifying = pinnerBy(async () => verified(DIGEST));
const pin = async (body: unknown, pinner = verifying, critical = false) =>
  (await pinner.review(body, { critical }, signal)).response.response;

describe('an error inside', () => {
  it('is reported, pins nothing and allows the pod with a warning', async () => {
    const reported: unknown[] = [];
    const broken = pinnerBy(() => Promise.reject(new Error('broken')), reported);
    const { response, record } = await broken.review(review(pod([PROXY])), { critical: false }, signal);
    expect(response.response).toEqual({
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      allowed: true,
      warnings: [
        expect.stringMatching(/^sailmark: Istio images were not pinned to their digests: .*incident-1/),
      ],
      auditAnnotations: { pinned: '', 'not-pinned': '', 'key-id': '', failure: 'internal-error incident-1' },
    });
    expect(record).toMatchObject({ route: 'pin', incident: 'incident-1', pinned: [], unpinned: [] });
    expect(reported).toEqual([new Error('broken')]);
  });

  it('is none for a body that is no AdmissionReview', async () => {
    await expect(verifying.review({}, { critical: false }, signal)).rejects.toThrow(MalformedReview);
    expect(() => verifying.recall({}, { critical: false })).toThrow(MalformedReview);
  });
});

describe('a pod of any shape', () => {
  const image = fc.oneof(
    fc.constantFrom(
      PROXY,
      'istio/pilot',
      `istio/pilot@${DIGEST}`,
      'nginx',
      '',
      'docker.io/istio/proxyv2@sha512:00',
      'ISTIO/x',
      `docker.io/istio/${'a'.repeat(260)}`,
      `a.example:${'0'.repeat(4040)}443/istio/proxyv2:1`,
    ),
    fc.string(),
  );
  const name = fc.oneof(
    fc.constantFrom('istio-proxy', '0', '/spec', '~1', 'a.b[0]', '__proto__'),
    fc.string(),
  );
  const containers = fc.array(fc.record({ image, name }).map((one) => container(one.image, one.name)));
  const spec = fc.record({
    containers,
    initContainers: containers,
    ephemeralContainers: containers,
    volumes: fc.array(fc.record({ image, name }).map((one) => imageVolume(one.image, one.name))),
  });

  it('is patched at the images of Istio alone, each with its text and the digest; nothing else of it changes', async () => {
    await fc.assert(
      fc.asyncProperty(spec, fc.option(spec), async (current, before) => {
        const update = before === null ? {} : { operation: 'UPDATE', oldObject: pod(before) };
        const response = await pin(review(pod(current), update));
        expect(response.allowed).toBe(true);
        const patched = applyPatch(pod(current), response);
        const undone = JSON.stringify(patched).replaceAll(
          /((?:docker\.io\/)?istio\/[a-z0-9]+(?::1\.28\.0)?)@sha256:[0-9a-f]{64}/g,
          '$1',
        );
        const original = JSON.stringify(pod(current)).replaceAll(`istio/pilot@${DIGEST}`, 'istio/pilot');
        expect(undone).toBe(original);
      }),
      { numRuns: 300 },
    );
  });

  it('gets an answer or is malformed, whatever JSON it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (object) => {
        const body = { ...review(pod([PROXY])) };
        const answer = await pin({ ...body, request: { ...body.request, object } }).catch(
          (error: unknown) => error,
        );
        expect(answer instanceof MalformedReview || (answer as { allowed: boolean }).allowed).toBe(true);
      }),
    );
  });

  it('may hold thousands of one image: it is judged once, and each is pinned', async () => {
    let verifications = 0;
    const counting = pinnerBy(async () => {
      verifications += 1;
      return verified(DIGEST);
    });
    const many = pod({
      containers: Array.from({ length: 5000 }, (_, index) => container(PROXY, `c${index}`)),
    });
    const response = await pin(review(many), counting);
    expect(Object.values(pinsOf(response)).length).toBe(5000);
    expect(verifications).toBe(1);
    expect(response.auditAnnotations['pinned']).toBe(`${PROXY}@${DIGEST}`);
  });
});

describe('the annotations and the record', () => {
  it('are bounded, whatever the pod holds', async () => {
    const unsigned = pinnerBy(async () => rejected({ code: 'signature-missing' }));
    const texts = Array.from({ length: 100 }, (_, index) => `istio/proxyv2:${'t'.repeat(100)}${index}`);
    const { response, record } = await unsigned.review(review(pod(texts)), { critical: true }, signal);
    expect(response.response.auditAnnotations['not-pinned']?.length).toBeLessThanOrEqual(1000);
    expect([record.unpinned.length, record.images.length, record.critical]).toEqual([64, 64, true]);
  });
});

it('answers from memory what memory suffices for, with nothing awaited', () => {
  const judge = createJudge({
    ...createClassifier({ hubs: ['docker.io/istio'], mirrors: [] }),
    verifier: { recall: () => verified(DIGEST), verify: () => Promise.reject(new Error('not from memory')) },
    revoked: [],
    exemptions: [],
  });
  const limits = { imagesPerReview: 8, verificationsAtOnce: 2 };
  const pinner = createPinner({ judge, rules: rules(), limits, now: () => 0, report: () => 'none' });
  const recalled = pinner.recall(review(pod([PROXY])), { critical: false })?.response.response;
  expect(pinsOf(recalled ?? { uid: '', allowed: false })).toEqual({
    '/spec/containers/0/image': `${PROXY}@${DIGEST}`,
  });
  expect(verifying.recall(review(pod([PROXY])), { critical: false })).toBeUndefined();
});
