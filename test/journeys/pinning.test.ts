import { describe, expect, it } from 'vitest';
import { workloads } from '../../src/admission/index.ts';
import { container, deployment, imageVolume, pod, review } from '../support/builders.ts';
import type { InProcessWebhook } from '../support/in-process-webhook.ts';
import type { Mirror } from '../support/mirror.ts';
import {
  allowed,
  expireMemory,
  hang,
  limitRate,
  refused,
  startMirrorAndWebhook,
  verdictOn,
  warned,
} from '../support/mirror-and-webhook.ts';
import { applyPatch, patchOf, pinsOf, sendToBoth } from '../support/pinning.ts';

/*
 * The two webhooks of one pod: the mutating one pins each verified Istio image to its digest, the validating one refuses
 * an image that is not pinned.
 */

const start = (configure: (mirror: Mirror) => object = () => ({})) =>
  startMirrorAndWebhook((mirror) => ({ pin: 'enforce', ...configure(mirror) }));

const pin = (webhook: InProcessWebhook, body: object, path = '/mutate/pin') => webhook.sendReview(path, body);

const FIRST = '/spec/containers/0/image';
const notPinned = refused('image-not-pinned');

describe('where images must be pinned, the validating webhook refuses', () => {
  it('a verified image that the mutating webhook was not asked about', async () => {
    const { mirror, webhook } = await start();
    const { byTag, byDigest } = mirror.add();
    expect(await verdictOn(webhook, byTag)).toEqual(notPinned);
    expect(await verdictOn(webhook, byDigest)).toEqual(allowed);
    const { status } = await webhook.sendReview('/validate/enforce', review(pod([byTag])));
    expect(status?.message).toContain(
      'the mutating webhook did not pin it to the verified digest (image-not-pinned)',
    );
  });

  it.each(['allow-verified-tag', 'allow'])(
    'a known tag during an outage, under %s: no outage rule applies to a tag',
    async (enforce) => {
      const { mirror, webhook } = await start(() => ({ undetermined: { enforce } }));
      const { byTag } = mirror.add();
      await sendToBoth(webhook, pod([byTag]));
      mirror.registry.fault = limitRate;
      expireMemory(webhook);
      expect(await verdictOn(webhook, byTag)).toEqual(notPinned);
      const { status } = await webhook.sendReview('/validate/enforce', review(pod([byTag])));
      expect(status?.message).toContain('referenced by tag and not pinned: could not be verified: ');
    },
  );

  it('a tag that moved to an unsigned image, with the reason of the signature', async () => {
    const { mirror, webhook } = await start();
    const { byTag } = mirror.add({ tag: 'moving' });
    expect((await sendToBoth(webhook, pod([byTag]))).verdict).toMatchObject(allowed);
    mirror.add({ tag: 'moving', by: false });
    expireMemory(webhook);
    const { pinning, verdict } = await sendToBoth(webhook, pod([byTag]));
    expect([pinsOf(pinning), verdict]).toMatchObject([{}, refused('signature-missing')]);
    expect(pinning.allowed).toBe(true);
    expect(pinning.auditAnnotations).toMatchObject({
      pinned: '',
      'not-pinned': `${byTag} signature-missing`,
    });
  });

  it('a tag that moved between the two webhooks no differently from the digest that was pinned', async () => {
    const { mirror, webhook } = await start();
    const signed = mirror.add({ tag: 'moving' });
    const pinning = await pin(webhook, review(pod([signed.byTag])));
    mirror.add({ tag: 'moving', by: false });
    expireMemory(webhook);
    const patched = applyPatch(pod([signed.byTag]), pinning);
    expect(pinsOf(pinning)).toEqual({ [FIRST]: `${signed.byTag}@${signed.digest}` });
    expect(await webhook.summaryOf(review(patched))).toEqual({ ...allowed, requests: 0 });
  });

  it('a tag whose pinning its creator left no time for, though it last stood for a verified digest', async () => {
    const { mirror, webhook } = await start(() => ({ limits: { registrySilence: '20s', drain: '0s' } }));
    const { byTag } = mirror.add({ tag: 'moving' });
    await sendToBoth(webhook, pod([byTag]));
    mirror.add({ tag: 'moving', by: false });
    mirror.registry.fault = hang;
    expireMemory(webhook);
    const pinning = await pin(webhook, review(pod([byTag])), '/mutate/pin?timeout=1s');
    expect([pinning.allowed, pinsOf(pinning)]).toEqual([true, {}]);
    const verdict = await webhook.summaryOf(review(pod([byTag])), '/validate/enforce?timeout=1s');
    expect(verdict).toMatchObject(refused('deadline-exceeded'));
  });

  it('every image past the limit of one review, which are not pinned', async () => {
    const { mirror, webhook } = await start(() => ({ limits: { imagesPerReview: 1, drain: '0s' } }));
    const images = [mirror.add(), mirror.add()];
    const { pinning, verdict } = await sendToBoth(webhook, pod(images.map(({ byTag }) => byTag)));
    expect(Object.keys(pinsOf(pinning))).toEqual([FIRST]);
    expect(verdict).toMatchObject(refused('too-many-images'));
  });

  it('a revoked digest, which is not pinned: neither by its tag nor as the image before an update', async () => {
    const revoked: { digest: string; reason: string }[] = [];
    const { mirror, webhook } = await start((one) => {
      revoked.push({ digest: one.add({ tag: 'revoked' }).digest, reason: 'CVE-2026-1' });
      return { revoked };
    });
    const image = `${mirror.registry.host}/istio/proxyv2:revoked`;
    const { pinning, verdict } = await sendToBoth(webhook, pod([image]));
    expect([pinsOf(pinning), verdict]).toMatchObject([{}, refused('image-revoked')]);
    const oldObject = pod([`${image}@${revoked[0]?.digest}`]);
    const update = await sendToBoth(webhook, pod([image]), { operation: 'UPDATE', oldObject });
    expect([pinsOf(update.pinning), update.verdict]).toMatchObject([{}, refused('image-revoked')]);
  });

  it.each(['/validate/warn', '/validate/audit'])('nothing on %s, unless every mode pins', async (path) => {
    const { mirror, webhook } = await start();
    const { byTag } = mirror.add();
    expect(await verdictOn(webhook, byTag, path)).toEqual(allowed);
    const everywhere = await start(() => ({ pin: 'always' }));
    const tag = everywhere.mirror.add().byTag;
    const effect = path.split('/').at(-1);
    expect(await verdictOn(everywhere.webhook, tag, path)).toEqual({
      verdict: effect,
      reasons: ['image-not-pinned'],
    });
  });

  it('nothing in a critical namespace: it warns', async () => {
    const { mirror, webhook } = await start();
    const { byTag } = mirror.add();
    expect(await verdictOn(webhook, byTag, '/validate/critical/enforce')).toEqual(warned('image-not-pinned'));
    mirror.registry.fault = limitRate;
    expireMemory(webhook);
    expect(await verdictOn(webhook, byTag, '/validate/critical/enforce')).toEqual(
      warned('registry-rate-limited'),
    );
  });

  it('no template, and does not warn of one: its Pods are pinned', async () => {
    const { mirror, webhook } = await start();
    const { byTag } = mirror.add();
    expect(await webhook.summaryOf(review(deployment([byTag])))).toMatchObject(allowed);
  });
});

describe('the mutating webhook never refuses, and leaves as it is', () => {
  it('what is not an Istio image, what is not verified, and what has a digest', async () => {
    const { mirror, webhook } = await start();
    const [signed, unsigned] = [mirror.add(), mirror.add({ by: false })];
    const absent = `${mirror.registry.host}/istio/proxyv2:absent`;
    const texts = [
      'nginx:1',
      'registry.invalid/istio/proxyv2:1',
      'not a reference',
      unsigned.byTag,
      absent,
      signed.byDigest,
    ];
    const response = await pin(webhook, review(pod(texts)));
    expect([response.allowed, response.patch, response.patchType, response.warnings]).toEqual([
      true,
      undefined,
      undefined,
      undefined,
    ]);
    expect(response.auditAnnotations).toMatchObject({
      pinned: '',
      'not-pinned': `${unsigned.byTag} signature-missing, ${absent} image-not-found`,
    });
  });

  it('an image with a digest: no request is sent about it', async () => {
    const { mirror, webhook } = await start();
    const { byDigest } = mirror.add();
    await pin(webhook, review(pod([byDigest])));
    expect(mirror.registry.requests).toEqual([]);
    expect(webhook.lastPins()).toMatchObject({ pinned: [], unpinned: [], verifications: 0 });
  });

  it.each(workloads.filter(({ holds }) => holds === 'template'))('a template: $kind', async (workload) => {
    const { mirror, webhook } = await start();
    const { spec } = pod([mirror.add().byTag]);
    const { group, kind } = workload;
    const below = workload.podSpec.reduceRight<unknown>((inner, field) => ({ [field]: inner }), spec);
    const apiVersion = group === '' ? 'v1' : `${group}/v1`;
    const object = { apiVersion, kind, metadata: { name: 'web' }, ...(below as object) };
    const { patch, auditAnnotations } = await pin(webhook, review(object));
    expect([patch, auditAnnotations?.['skipped']]).toEqual([undefined, 'template']);
    expect(mirror.registry.requests).toEqual([]);
  });

  it('a node’s mirror of a static pod', async () => {
    const { mirror, webhook } = await start();
    const annotations = { 'kubernetes.io/config.mirror': 'c0ffee' };
    const userInfo = { username: 'system:node:a', groups: ['system:nodes', 'system:authenticated'] };
    const body = review(pod([mirror.add().byTag], { name: 'etcd-a', annotations }), { userInfo });
    const { patch, auditAnnotations } = await pin(webhook, body);
    expect([patch, auditAnnotations?.['skipped']]).toEqual([undefined, 'static-pod-mirror']);
  });

  it.each(['DELETE', 'CONNECT'])('a %s', async (operation) => {
    const { mirror, webhook } = await start();
    const body = review(pod([mirror.add().byTag]), { operation, object: null });
    expect(patchOf(await pin(webhook, body))).toEqual([]);
  });

  it('every image while their registry refuses: the pod is allowed, and the validating webhook refuses it', async () => {
    const { mirror, webhook } = await start(() => ({
      undetermined: { enforce: 'allow', critical: 'allow' },
    }));
    const { byTag } = mirror.add();
    mirror.registry.fault = limitRate;
    for (const path of ['/mutate/pin', '/mutate/critical/pin']) {
      const response = await pin(webhook, review(pod([byTag])), path);
      expect([response.allowed, response.patch]).toEqual([true, undefined]);
    }
    expect(await verdictOn(webhook, byTag)).toEqual(notPinned);
  });
});

describe('the mutating webhook pins', () => {
  it('each image of each kind of container and of a volume, to the text as written', async () => {
    const { mirror, webhook } = await start();
    const images = [1, 2, 3].map(() => mirror.add());
    const [first, second, third] = images.map(({ byTag }) => byTag) as [string, string, string];
    const [one, two, three] = images.map(({ digest }) => digest);
    const spec = {
      containers: [container('nginx'), container(first, 'a'), container(first, 'b'), container(second, 'c')],
      initContainers: [
        container('busybox', 'wait'),
        { ...container(second, 'istio-proxy'), restartPolicy: 'Always' },
      ],
      volumes: [{ name: 'tmp' }, imageVolume(third)],
    };
    const { pinning, verdict } = await sendToBoth(webhook, pod(spec));
    expect(pinsOf(pinning)).toEqual({
      '/spec/initContainers/1/image': `${second}@${two}`,
      '/spec/containers/1/image': `${first}@${one}`,
      '/spec/containers/2/image': `${first}@${one}`,
      '/spec/containers/3/image': `${second}@${two}`,
      '/spec/volumes/1/image/reference': `${third}@${three}`,
    });
    expect(verdict).toEqual({ ...allowed, requests: 0 });
    expect(pinning.auditAnnotations).toMatchObject({
      pinned: [`${second}@${two}`, `${first}@${one}`, `${third}@${three}`].join(', '),
      'not-pinned': '',
    });
  });

  it('two tags of one image, each as written, and an implied latest', async () => {
    const { mirror, webhook } = await start();
    const { byTag, digest } = mirror.add({ tag: 'latest' });
    const name = byTag.slice(0, -':latest'.length);
    const { pinning, verdict } = await sendToBoth(webhook, pod([byTag, name]));
    expect(pinsOf(pinning)).toEqual({
      [FIRST]: `${byTag}@${digest}`,
      '/spec/containers/1/image': `${name}@${digest}`,
    });
    expect(verdict).toMatchObject(allowed);
  });

  it('on a dry run alike', async () => {
    const { mirror, webhook } = await start();
    const { byTag, digest } = mirror.add();
    const { pinning } = await sendToBoth(webhook, pod([byTag]), { dryRun: true });
    expect(pinsOf(pinning)).toEqual({ [FIRST]: `${byTag}@${digest}` });
  });

  it('with one resolution of the tag for both webhooks, and none for the next pod', async () => {
    const { mirror, webhook } = await start();
    const { byTag } = mirror.add();
    await sendToBoth(webhook, pod([byTag]));
    const heads = mirror.registry.requests.filter(({ method }) => method === 'HEAD');
    expect(heads.length).toBe(1);
    mirror.registry.clearRequests();
    expect((await sendToBoth(webhook, pod([byTag]))).verdict).toEqual({ ...allowed, requests: 0 });
    expect(mirror.registry.requests).toEqual([]);
    expect(webhook.lastPins()).toMatchObject({
      requests: 0,
      fromMemory: 1,
      pinned: [{ source: 'verified' }],
    });
  });

  it('of ephemeral containers the new ones alone', async () => {
    const { mirror, webhook } = await start();
    const [running, added] = [mirror.add(), mirror.add()];
    const debug = (image: string, name: string) => ({ ...container(image, name), stdin: true });
    const before = {
      containers: [container(running.byTag)],
      ephemeralContainers: [debug(running.byTag, 'one')],
    };
    const after = {
      ...before,
      ephemeralContainers: [...before.ephemeralContainers, debug(added.byTag, 'two')],
    };
    const request = { operation: 'UPDATE', oldObject: pod(before), subResource: 'ephemeralcontainers' };
    const { pinning, verdict } = await sendToBoth(webhook, pod(after), request);
    expect(pinsOf(pinning)).toEqual({
      '/spec/ephemeralContainers/1/image': `${added.byTag}@${added.digest}`,
    });
    expect(verdict).toMatchObject(allowed);
    const other = { ...after, containers: [container(added.byTag)] };
    expect(Object.keys(pinsOf(await pin(webhook, review(pod(other), request))))).toEqual([
      '/spec/ephemeralContainers/1/image',
    ]);
  });

  it('an exempt image that is not signed, which is then allowed by the exemption of its tag', async () => {
    const { mirror, webhook } = await start(({ registry }) => ({
      exemptions: [
        {
          images: [`${registry.host}/istio/proxyv2:legacy-*`],
          namespaces: ['shop'],
          reason: 'old',
          owner: 'mesh',
          expires: '2999-01-01',
        },
      ],
    }));
    const { byTag, digest } = mirror.add({ tag: 'legacy-1', by: false });
    const { pinning, verdict } = await sendToBoth(webhook, pod([byTag]));
    expect(pinsOf(pinning)).toEqual({ [FIRST]: `${byTag}@${digest}` });
    expect(verdict).toMatchObject({ verdict: 'allow', reasons: ['signature-missing'] });
    const elsewhere = await sendToBoth(webhook, pod([byTag]), { namespace: 'other' });
    expect([pinsOf(elsewhere.pinning), elsewhere.verdict]).toMatchObject([{}, refused('signature-missing')]);
    // The exemption is for what the tag resolves to, not for any digest beside it.
    const foreign = mirror.add({ by: false });
    expect(await verdictOn(webhook, `${byTag}@${foreign.digest}`)).toEqual(refused('signature-missing'));
    const absent = `${mirror.registry.host}/istio/proxyv2:legacy-absent`;
    expect((await sendToBoth(webhook, pod([absent]))).verdict.verdict).toBe('allow');
  });
});

describe('an update that only drops a digest', () => {
  it('gets it back without a request, whatever the registry says of the tag by now', async () => {
    const { mirror, webhook } = await start();
    const { byTag, digest } = mirror.add({ tag: 'moving' });
    mirror.add({ tag: 'moving', by: false });
    const oldObject = pod([`${byTag}@${digest}`]);
    const { pinning, verdict } = await sendToBoth(webhook, pod([byTag]), { operation: 'UPDATE', oldObject });
    expect(pinsOf(pinning)).toEqual({ [FIRST]: `${byTag}@${digest}` });
    expect(verdict).toMatchObject(allowed);
    expect(mirror.registry.requests).toEqual([]);
    expect(webhook.lastPins()).toMatchObject({ pinned: [{ source: 'previous' }], requests: 0 });
  });

  it.each([
    ['another tag', (image: string) => `${image}-2`],
    ['another container', (image: string) => image],
    ['a tag where there was none', (image: string) => image],
  ])('is none if it is %s: that is verified anew', async (name, imageOf) => {
    const { mirror, webhook } = await start();
    const tag = name.startsWith('a tag') ? 'latest' : '1';
    const old = mirror.add({ tag });
    const image = imageOf(old.byTag);
    const current = mirror.add({ tag: image.split(':').at(-1) ?? '' });
    const oldText = name.startsWith('a tag') ? old.byDigest : `${old.byTag}@${old.digest}`;
    const oldObject = pod({ containers: [container(oldText, name === 'another container' ? 'b' : 'app')] });
    const response = await pin(webhook, review(pod([image]), { operation: 'UPDATE', oldObject }));
    expect(pinsOf(response)).toEqual({ [FIRST]: `${image}@${current.digest}` });
  });
});

describe('in an outage, the mutating webhook', () => {
  it('pins a known tag to the digest that it last resolved to, with a warning; the validating one knows that digest', async () => {
    const { mirror, webhook } = await start();
    const { byTag, digest } = mirror.add({ tag: 'moving' });
    await sendToBoth(webhook, pod([byTag]));
    mirror.add({ tag: 'moving', by: false });
    mirror.registry.fault = limitRate;
    expireMemory(webhook);
    const { pinning, verdict } = await sendToBoth(webhook, pod([byTag]));
    expect(pinsOf(pinning)).toEqual({ [FIRST]: `${byTag}@${digest}` });
    expect(pinning.warnings).toEqual([
      expect.stringContaining(`pinned: less than a minute ago the tag resolved to ${digest}`),
    ]);
    expect(pinning.auditAnnotations?.['let-through']).toContain(`${byTag} registry-rate-limited: pinned: `);
    expect(verdict).toMatchObject(allowed);
    expect(webhook.lastPins()).toMatchObject({ pinned: [{ source: 'outage' }] });
  });

  it('pins nothing past the window, nothing under deny, and nothing that it never resolved', async () => {
    for (const undetermined of [{ tagOutageWindow: '10s' }, { enforce: 'deny', critical: 'deny' }]) {
      const { mirror, webhook } = await start(() => ({ undetermined }));
      const [known, unknown] = [mirror.add(), mirror.add()];
      await sendToBoth(webhook, pod([known.byTag]));
      mirror.registry.fault = limitRate;
      expireMemory(webhook);
      const { pinning, verdict } = await sendToBoth(webhook, pod([known.byTag, unknown.byTag]));
      expect([pinsOf(pinning), pinning.warnings, verdict]).toMatchObject([
        {},
        undefined,
        refused('registry-rate-limited'),
      ]);
    }
  });

  it('uses the choice of its path: critical namespaces have their own', async () => {
    const { mirror, webhook } = await start(() => ({ undetermined: { enforce: 'deny' } }));
    const { byTag } = mirror.add();
    await sendToBoth(webhook, pod([byTag]));
    mirror.registry.fault = limitRate;
    expireMemory(webhook);
    expect(patchOf(await pin(webhook, review(pod([byTag])))).length).toBe(0);
    expect(patchOf(await pin(webhook, review(pod([byTag])), '/mutate/critical/pin')).length).toBe(1);
  });
});

describe('what is no AdmissionReview', () => {
  it('gets status 400 from the mutating webhook too', async () => {
    const { webhook } = await start();
    const { status, body } = await webhook.post('/mutate/pin', '{"kind":"Pod"}');
    expect([status, body]).toEqual([400, expect.stringContaining('kind must be AdmissionReview')]);
  });
});
