import { describe, expect, it } from 'vitest';
import { container, deployment, pod, review } from '../support/builders.ts';
import { responseSummary, startWithImages, warned } from '../support/webhook-and-images.ts';

/* The webhook for workloads: whoever applies one is told what becomes of its pods, and nothing else happens. */

const MODES = ['enforce', 'warn', 'audit'] as const;
const PATHS = ['/workloads/', '/workloads/critical/'].flatMap((path) =>
  MODES.map((mode) => `${path}${mode}`),
);

describe('the webhook for workloads never denies', () => {
  it.each(PATHS)('an unsigned image, whatever it is sent: %s', async (path) => {
    const { webhook, unsigned } = await startWithImages({ pin: 'always', requireDigest: true });
    for (const object of [deployment([unsigned.byTag]), pod([unsigned.byTag])])
      expect((await webhook.sendReview(path, review(object))).allowed).toBe(true);
  });

  it.each(PATHS)('what it cannot judge as a whole: %s', async (path) => {
    const { webhook } = await startWithImages();
    const many = Array.from(
      { length: 3000 },
      (_, index) => `docker.io/istio/pilot:${'x'.repeat(90)}${index}`,
    );
    for (const object of [deployment(many), pod(many)])
      expect((await webhook.sendReview(path, review(object))).allowed).toBe(true);
  });
});

describe('whoever applies a workload', () => {
  it('is told in enforce that its pods would be refused, and why, in one line that is never cut', async () => {
    const { webhook, unsigned } = await startWithImages();
    const { warnings } = await webhook.sendReview('/workloads/enforce', review(deployment([unsigned.byTag])));
    expect(warnings).toEqual([
      `sailmark: its pods would be refused: image "${unsigned.byTag}" in container "app" (spec.template.spec.containers[0].image): no signature was found (signature-missing)`,
    ]);
    const long = deployment([`docker.io/istio/pilot:${'x'.repeat(120)}`]);
    const [warning = ''] = (await webhook.sendReview('/workloads/enforce', review(long))).warnings ?? [];
    expect(warning.length).toBeLessThanOrEqual(256);
    expect(warning).toMatch(/^sailmark: its pods would be refused: image "docker\.io/);
  });

  it('is told in warn what its pods would be warned of, and nothing in audit', async () => {
    const { webhook, unsigned } = await startWithImages();
    const body = review(deployment([unsigned.byTag]));
    const { warnings } = await webhook.sendReview('/workloads/warn', body);
    expect(warnings).toEqual([expect.stringMatching(/^sailmark: image /)]);
    expect((await webhook.sendReview('/workloads/audit', body)).warnings).toBeUndefined();
  });

  it('is not told of a refusal where the pods would only be warned of', async () => {
    const { webhook } = await startWithImages({ unrecognised: 'warn' });
    const other = deployment({ containers: [container('corp.example/mesh:1', 'istio-proxy')] });
    const { warnings } = await webhook.sendReview('/workloads/enforce', review(other));
    expect(warnings).toEqual([expect.stringMatching(/^sailmark: image .*\(image-unrecognised\)/)]);
  });

  it('is told nothing of signed images, of `image: auto`, and of what stays as it was', async () => {
    const { webhook, signed, unsigned } = await startWithImages({ pin: 'enforce' });
    const quiet = [
      review(deployment([signed.byTag])),
      review(deployment({ containers: [container('auto', 'istio-proxy')] })),
      review(deployment([unsigned.byTag]), { operation: 'UPDATE', oldObject: deployment([unsigned.byTag]) }),
    ];
    for (const body of quiet)
      expect((await webhook.sendReview('/workloads/enforce', body)).warnings).toBeUndefined();
  });

  it('is told nothing of an image that only the short time of that webhook left unverified', async () => {
    const { webhook, signed } = await startWithImages();
    const path = '/workloads/enforce?timeout=1ms';
    const response = await webhook.sendReview(path, review(deployment([signed.byTag])));
    expect([response.auditAnnotations?.['reason'], response.warnings]).toEqual([
      'deadline-exceeded',
      undefined,
    ]);
  });
});

describe('a review of a workload', () => {
  it('writes no Event, as its webhook declares, and the same workload elsewhere does', async () => {
    const { webhook, unsigned } = await startWithImages();
    const body = review(deployment([unsigned.byTag]));
    expect(await responseSummary(webhook, body, '/workloads/enforce')).toEqual(warned);
    expect(webhook.lastRecord()).toMatchObject({ route: 'workloads', verdict: 'warn', kind: 'Deployment' });
    expect(webhook.lastRecord()?.told).toBeUndefined();
    await webhook.sendReview('/validate/enforce', body);
    expect(webhook.lastRecord()?.told).toBeDefined();
  });
});
