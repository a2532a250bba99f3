import { describe, expect, it } from 'vitest';
import { describeConfig, warningsOf } from '../../src/config/index.ts';
import { parse, refusals } from './parse.ts';

const CERTIFICATES = 'secret: s, webhookConfiguration: w, dnsNames: [w.n.svc]';
const YEAR = 365 * 24 * 3_600_000;

describe('access to the API of the cluster', () => {
  it('is refused without the namespace, and with names that are none', async () => {
    expect(await refusals('kubernetes: {}')).toEqual([
      'kubernetes.namespace: is missing: it must be the name of the namespace that the webhook runs in',
    ]);
    expect(await refusals('kubernetes: {namespace: Nope, event: true}')).toEqual([
      'kubernetes.event: is not a known key: did you mean events?',
      'kubernetes.namespace: must be the name of the namespace that the webhook runs in',
    ]);
    expect(
      await refusals('kubernetes: {namespace: n, certificates: {secret: s, dnsNames: [], caLifetime: 1y}}'),
    ).toEqual([
      'kubernetes.certificates.caLifetime: must be a duration such as 500ms, 10s, 1m30s or 24h (0 is none)',
      'kubernetes.certificates.dnsNames: must have at least one entry; a key that is optional can be removed instead',
      'kubernetes.certificates.webhookConfiguration: is missing: it must be the name of a ValidatingWebhookConfiguration',
    ]);
    expect(
      await refusals(
        'kubernetes: {namespace: n, certificates: {secret: s, webhookConfiguration: w, dnsNames: ["*.x y"]}}',
      ),
    ).toEqual([
      'kubernetes.certificates.dnsNames[0]: must be a host name, such as sailmark.sailmark.svc, or an IP address',
    ]);
  });

  it('is refused with times that do not fit each other', async () => {
    expect(
      await refusals(`kubernetes: {namespace: n, certificates: {${CERTIFICATES}, caLifetime: 1y}}`),
    ).toEqual([
      'kubernetes.certificates.caLifetime: must be a duration such as 500ms, 10s, 1m30s or 24h (0 is none)',
    ]);
    expect(
      await refusals(
        `kubernetes: {namespace: n, certificates: {${CERTIFICATES}, caLifetime: 1h, lifetime: 2h}}`,
      ),
    ).toEqual(['kubernetes.certificates.lifetime: must not be longer than caLifetime']);
    expect(
      await refusals(
        `kubernetes: {namespace: n, certificates: {${CERTIFICATES}, lifetime: 1h, overlap: 11m}}`,
      ),
    ).toEqual([
      'kubernetes.certificates.overlap: must be at most a sixth of lifetime, 10m, so that it ends before a certificate does',
    ]);
    expect(await refusals('kubernetes: {namespace: n, warmUp: 2m}')).toEqual([
      'kubernetes.warmUp: must be from 0 to 1m',
    ]);
  });

  it('is refused with evidence in no ConfigMap, or in one twice', async () => {
    expect(await refusals('kubernetes: {namespace: n, evidence: {tags: t, images: []}}')).toEqual([
      'kubernetes.evidence.images: must have at least one entry; a key that is optional can be removed instead',
    ]);
    expect(await refusals('kubernetes: {namespace: n, evidence: {tags: t, images: [a, t]}}')).toEqual([
      'kubernetes.evidence: must name each ConfigMap once',
    ]);
  });

  it('is none where the file says nothing, and has defaults where it does', async () => {
    expect((await parse('')).kubernetes).toBeUndefined();
    expect((await parse('kubernetes: {namespace: sailmark}')).kubernetes).toEqual({
      namespace: 'sailmark',
      events: true,
      warmUp: 5000,
    });
    const { kubernetes } = await parse(
      `kubernetes: {namespace: n, events: false, warmUp: 0, evidence: {tags: t, images: [a, b]}, certificates: {${CERTIFICATES}}}`,
    );
    expect(kubernetes).toEqual({
      namespace: 'n',
      events: false,
      warmUp: 0,
      certificates: {
        secret: 's',
        webhookConfiguration: 'w',
        dnsNames: ['w.n.svc'],
        caLifetime: YEAR,
        lifetime: 30 * 24 * 3_600_000,
        overlap: 600_000,
      },
      evidence: { tags: 't', images: ['a', 'b'] },
    });
  });

  it('is written out so that it reads back the same', async () => {
    const config = await parse(
      `kubernetes: {namespace: n, warmUp: 1s, evidence: {tags: t, images: [a]}, certificates: {${CERTIFICATES}, caLifetime: 10m, lifetime: 1m, overlap: 10s}}`,
    );
    const again = await parse(describeConfig(config).split('\n').slice(2).join('\n'));
    expect(again.kubernetes).toEqual(config.kubernetes);
  });

  it('is missed where pull secrets are named', async () => {
    const registries = 'registries: [{host: a.example, credentials: {pullSecrets: [n/s]}}]';
    expect(warningsOf(await parse(registries), 0).map(({ path }) => path)).toContain(
      'registries[0].credentials.pullSecrets',
    );
    const granted = await parse(`${registries}\nkubernetes: {namespace: n}`);
    expect(warningsOf(granted, 0).map(({ path }) => path)).not.toContain(
      'registries[0].credentials.pullSecrets',
    );
  });
});
