import { describe, expect, it } from 'vitest';
import { container, deployment, pod, review } from '../support/builders.ts';
import { allowed, refused, responseSummary, startWithImages } from '../support/webhook-and-images.ts';

const KIB = 1024;
const reason = 'too-many-images';
const denied = { ...refused, reasons: [reason] };

/** Members of a pod that hold so many tiny containers. */
const tiny = (count: number) => ({ more: Array.from({ length: count }, () => ({})) });

const uidOf = (body: object): string => (body as { readonly request: { readonly uid: string } }).request.uid;

describe('a review that holds too much is not parsed', () => {
  it('and is refused under its uid, by the limit that it passes', async () => {
    const { webhook } = await startWithImages();
    const containers = Array.from({ length: 10_001 }, (_, at) => container('example.com/a:1', `c-${at}`));
    for (const [content, limit] of [
      [tiny(600_000), 'valuesPerReview'],
      [{ containers }, 'imageUsesPerReview'],
    ] as const) {
      const body = review(pod(content));
      const response = await webhook.sendReview('/validate/enforce', body);
      expect(response).toMatchObject({ uid: uidOf(body), allowed: false, status: { code: 403 } });
      expect(response.status?.message).toContain(`raise limits.${limit}`);
      expect(webhook.lastRecord()).toMatchObject({ verdict: 'deny', findings: [{ code: reason }] });
    }
  });

  it('but let through with a warning in warn mode and for templates, and in audit mode', async () => {
    const { webhook } = await startWithImages();
    const summaryOf = (body: object, mode: string) => responseSummary(webhook, body, `/validate/${mode}`);
    const warned = { ...denied, allowed: true, status: undefined, warnings: 1, verdict: 'warn' };
    expect(await summaryOf(review(pod(tiny(600_000))), 'enforce')).toEqual(denied);
    expect(await summaryOf(review(pod(tiny(600_000))), 'warn')).toEqual(warned);
    expect(await summaryOf(review(deployment(tiny(600_000))), 'enforce')).toEqual(warned);
    expect(await summaryOf(review(pod(tiny(600_000))), 'audit')).toEqual({
      ...warned,
      warnings: 0,
      verdict: 'audit',
    });
  });

  it('and is 400 where no review can be told from it', async () => {
    const { webhook, signed } = await startWithImages();
    for (const body of [
      JSON.stringify(Array.from({ length: 600_000 }, () => ({}))),
      JSON.stringify({ request: { more: tiny(600_000) } }),
    ])
      expect((await webhook.post('/validate/enforce', body)).status).toBe(400);
    expect(await responseSummary(webhook, review(pod([signed.byTag])))).toEqual(allowed);
  });

  it('however its image members are escaped or repeated', async () => {
    const { webhook } = await startWithImages();
    const body = JSON.stringify(review(pod({ containers: [] })));
    for (const member of ['"\\u0069mage":"a"', '"image" :"a"']) {
      const containers = Array.from({ length: 20_000 }, () => `{${member}}`).join(',');
      const { response } = await webhook.post(
        '/validate/enforce',
        body.replace('"containers":[]', `"containers":[${containers}]`),
      );
      expect(response?.auditAnnotations?.['reason']).toBe(reason);
    }
  });
});

describe('a large review is judged like any other', () => {
  const longText = 'x'.repeat(300 * KIB);
  const managedFields = Array.from({ length: 5000 }, (_, at) => ({
    manager: `manager-${at}`,
    operation: 'Update',
    fieldsV1: { 'f:spec': { [`k:{"name":"c-${at}"}`]: { '.': {}, 'f:image': {} } } },
  }));

  it.each<[string, object]>([
    ['one long annotation', { annotations: { long: longText.repeat(35) } }],
    ['escapes in an annotation', { annotations: { long: '"\\"'.repeat(100 * KIB) } }],
    ['text of all the world', { annotations: { long: '漢é😀'.repeat(100 * KIB) } }],
    ['thousands of managed fields', { managedFields }],
  ])('with %s, in its old object too', async (_, metadata) => {
    const { webhook, signed, unsigned } = await startWithImages();
    const podOf = (image: string) => pod([image], { name: 'web', ...metadata });
    const before = podOf('docker.io/library/other:1');
    const update = { operation: 'UPDATE', oldObject: before };
    expect(await responseSummary(webhook, review(podOf(signed.byTag)))).toEqual(allowed);
    expect(await responseSummary(webhook, review(podOf(unsigned.byTag)))).toEqual(refused);
    expect(await responseSummary(webhook, review(podOf(unsigned.byTag), update))).toEqual(refused);
  });
});
