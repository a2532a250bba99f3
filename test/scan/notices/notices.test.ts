import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { releaseKeys, secondKey } from '../../../src/istio/index.ts';
import type { Exemption, PinScope } from '../../../src/policy/index.ts';
import type { ConfiguredImage, Notice, ScannedImage } from '../../../src/scan/index.ts';
import { findNotices, type NoticesInput } from '../../../src/scan/notices/find-notices.ts';
import type { KeyRing, MissingKey, TrustedKey } from '../../../src/verification/index.ts';
import { exampleScan } from '../../support/example-scan.ts';
import { createSigner } from '../../support/signing-kit.ts';

const NOW = Date.parse('2026-11-30T12:00:00Z');
const [TEMPLATE] = exampleScan().images;
const SIGNER = createPublicKey(createSigner().publicPem);
const FIRST = releaseKeys.flatMap(({ location }) => ('name' in location ? [location.name] : []))[0] ?? '';

const image = (
  reference: string,
  istioVersion: string | null,
  more: Partial<ScannedImage> = {},
): ScannedImage => {
  if (TEMPLATE === undefined) throw new Error('the example has no images');
  return {
    ...TEMPLATE,
    reference,
    istioVersion,
    status: 'verified',
    signedBy: [],
    uses: [],
    pods: 1,
    ...more,
  };
};
const released = (release: string, more: Partial<ScannedImage> = {}): ScannedImage =>
  image(`docker.io/istio/proxyv2:${release}`, release, more);
const configured = (reference: string, namespaces: readonly string[] | null = null): ConfiguredImage => ({
  source: 'ConfigMap istio-system/istio-sidecar-injector',
  path: 'data.values.global',
  reference,
  status: 'verified',
  reason: null,
  message: '',
  namespaces,
});

const key = (source: string, more: Partial<TrustedKey> = {}): TrustedKey => ({
  keyId: `id of ${source}`,
  spkiSha256: 'ab'.repeat(32),
  source,
  pinned: true,
  for: undefined,
  covers: undefined,
  publicKey: SIGNER,
  ...more,
});
const ringOf = (keys: readonly TrustedKey[], missing: readonly MissingKey[] = []): KeyRing => ({
  keys: new Map(keys.map((each) => [each.keyId, each])),
  missing,
});
const BOTH = ringOf([key(FIRST), key(secondKey.url)]);

const exemption = (more: Partial<Exemption> = {}): Exemption => ({
  images: ['docker.io/istio/proxyv2:1.11.*'],
  namespaces: ['legacy'],
  reason: 'migrating',
  owner: 'team-mesh',
  expires: '2027-06-01',
  ...more,
});

const noticesOf = (more: Partial<NoticesInput>): readonly Notice[] =>
  findNotices({
    images: [],
    preflight: [],
    ring: BOTH,
    exemptions: [],
    pins: { configured: undefined, installed: undefined, webhook: null },
    sawEverything: true,
    now: NOW,
    ...more,
  });
const summaryOf = (more: Partial<NoticesInput>) =>
  noticesOf(more).map(({ kind, severity, subject, date, pods }) => [kind, severity, subject, date, pods]);

describe('a configuration that pins otherwise than the installed webhook', () => {
  const pinsOf = (own: PinScope | undefined, installed: PinScope | undefined) =>
    noticesOf({ pins: { configured: own, installed, webhook: 'sailmark' } });

  it.each([
    [undefined, 'never'],
    ['never', undefined],
    ['never', 'never'],
    ['enforce', 'always'],
    ['always', 'enforce'],
  ] as const)('is no notice for %s and %s', (own, installed) => {
    expect(pinsOf(own, installed)).toEqual([]);
  });

  it('is a warning that names both', () => {
    expect(pinsOf('never', 'enforce')).toMatchObject([
      {
        kind: 'pin-differs',
        severity: 'warning',
        message: expect.stringContaining(
          'The configuration has pin: never, and the installed webhook sailmark has pin: enforce: ',
        ),
      },
    ]);
    expect(pinsOf('always', 'never')).toHaveLength(1);
  });
});

describe('a version', () => {
  it.each([
    ['without a release', image('docker.io/istio/proxyv2:latest', null)],
    ['that the table lacks', image('docker.io/istio/proxyv2:1.99.0', '1.99.0')],
    ['that is no release', image('docker.io/istio/proxyv2:1.28', 'nonsense')],
  ])('%s is no notice', (_, each) => {
    expect(noticesOf({ images: [each] })).toEqual([]);
  });

  it('without support is a warning with the day, the pods and what to use', () => {
    const images = [
      released('1.28.1', { pods: 40 }),
      image('registry.corp.example/istio/pilot:1.28.0', '1.28.0', { pods: 2 }),
      released('1.4.2'),
    ];
    expect(noticesOf({ images })).toEqual([
      {
        kind: 'version-unsupported',
        severity: 'warning',
        message: 'Istio 1.28 has had no support since 2026-06-28: upgrade to 1.30 or 1.31',
        subject: '1.28',
        date: '2026-06-28',
        pods: 42,
        images: ['docker.io/istio/proxyv2:1.28.1', 'registry.corp.example/istio/pilot:1.28.0'],
      },
      {
        kind: 'version-unsupported',
        severity: 'warning',
        message: 'Istio 1.4 has no support any more: upgrade to 1.30 or 1.31',
        subject: '1.4',
        date: null,
        pods: 1,
        images: ['docker.io/istio/proxyv2:1.4.2'],
      },
    ]);
  });

  it('whose support ends within 90 days is a warning, and one that is only expected to end is not', () => {
    const at = (day: string, release: string) =>
      summaryOf({ images: [released(release)], now: Date.parse(`${day}T00:00:00Z`) });
    expect(at('2026-07-01', '1.29.0')).toEqual([]);
    expect(at('2026-07-20', '1.29.0')).toEqual([
      ['version-support-ends', 'warning', '1.29', '2026-10-12', 1],
    ]);
    expect(at('2026-08-01', '1.30.0')).toEqual([]);
    expect(at('2026-11-01', '1.30.0')).toEqual([['version-support-ends', 'info', '1.30', null, 1]]);
  });

  it('that is only configured is named too, with no pods', () => {
    expect(summaryOf({ preflight: [configured('docker.io/istio/proxyv2:1.27.0-distroless')] })).toEqual([
      ['version-unsupported', 'warning', '1.27', '2026-04-07', 0],
    ]);
  });
});

describe('a hub', () => {
  it.each(['gcr.io/istio-release-of-others/proxyv2:1', 'docker.io/istio/proxyv2:1', 'not a reference', ''])(
    'is no notice for %j',
    (reference) => {
      expect(noticesOf({ images: [image(reference, null)] })).toEqual([]);
    },
  );

  it('that disappears is a warning, also for images that are only configured', () => {
    const images = [image('gcr.io/istio-release/proxyv2:x', null, { pods: 7 })];
    const preflight = [configured('registry.istio.io/release/proxyv2:x')];
    expect(summaryOf({ images, preflight })).toEqual([
      ['hub-disappears', 'warning', 'gcr.io/istio-release', '2026-12-01', 7],
      ['hub-disappears', 'warning', 'registry.istio.io', '2026-12-01', 0],
    ]);
    expect(noticesOf({ images })[0]?.message).toContain('use docker.io/istio');
    expect(noticesOf({ images, now: Date.parse('2026-12-20') })[0]?.message).toContain('gone already');
  });
});

describe('the second key', () => {
  const needed = [released('1.31.1', { pods: 3, status: 'unknown' })];

  it('is a warning if a release needs it, and the ring could not load it', () => {
    const ring = ringOf([key(FIRST)], [{ source: secondKey.url, problem: 'no connection\u001b[31m' }]);
    const [notice] = noticesOf({ images: needed, ring }).filter(({ kind }) => kind === 'key-needed');
    expect(notice).toMatchObject({ severity: 'warning', subject: secondKey.url, pods: 3 });
    expect(notice?.message).toMatch(
      /lacks Istio's second release key \(no connection\?\[31m\), and images of Istio 1\.31\.1 or later need it \(1\): let its address be reached/,
    );
  });

  it('is a warning if a configured image needs it', () => {
    const preflight = [configured('docker.io/istio/proxyv2:1.31.2')];
    const kinds = summaryOf({ preflight, ring: ringOf([key(FIRST)]) });
    expect(kinds).toContainEqual(['key-needed', 'warning', secondKey.url, null, 0]);
  });

  it('is told of before anything needs it', () => {
    expect(summaryOf({ images: [released('1.31.0')], ring: ringOf([key(FIRST)]) })).toContainEqual([
      'key-needed',
      'info',
      secondKey.url,
      null,
      0,
    ]);
  });

  it.each([
    ['the ring holds it', BOTH, needed],
    ['the ring trusts no key of Istio', ringOf([key('/etc/keys/own.pem')]), needed],
    ['the ring is empty', ringOf([]), needed],
    [
      'another key signed such a release',
      ringOf([key(FIRST), key('/etc/keys/v2.pem')]),
      [released('1.31.1', { signedBy: [{ keyId: 'x', source: '/etc/keys/v2.pem' }] })],
    ],
  ])('is no notice if %s', (_, ring, images) => {
    expect(noticesOf({ images, ring }).filter(({ kind }) => kind === 'key-needed')).toEqual([]);
  });

  it('may be one of the other keys', () => {
    const ring = ringOf([key(FIRST), key('/etc/keys/other.pem')]);
    expect(noticesOf({ images: needed, ring })[0]?.message).toContain(
      'unless one of its other keys is the same',
    );
  });
});

describe('a key', () => {
  it('of a URL without a pin is told of, with the pin; others are not', () => {
    const ring = ringOf([
      key(FIRST, { pinned: false }),
      key(secondKey.url, { pinned: false }),
      key('/etc/k.pem', { pinned: false }),
    ]);
    const [notice, ...others] = noticesOf({ ring });
    expect(others).toEqual([]);
    expect(notice).toMatchObject({ kind: 'key-unpinned', severity: 'info', subject: secondKey.url });
    expect(notice?.message).toContain('ab'.repeat(32));
  });
});

describe('an exemption', () => {
  const legacy = (more: Partial<ScannedImage> = {}): ScannedImage =>
    image('docker.io/istio/proxyv2:1.11.4', null, {
      pods: 2,
      uses: [
        {
          namespace: 'legacy',
          owner: 'Deployment/a',
          container: 'c',
          path: 'p',
          pods: 2,
          effect: 'exempt',
          reason: null,
        },
      ],
      ...more,
    });

  it.each([
    ['in use, with time left', { images: [legacy()], exemptions: [exemption()] }],
    ['for all namespaces', { images: [legacy()], exemptions: [exemption({ namespaces: ['*'] })] }],
    ['for nothing that was seen, if not everything was', { sawEverything: false, exemptions: [exemption()] }],
    [
      'for an image whose uses are not all listed',
      { images: [legacy({ uses: [], omittedUses: 1 })], exemptions: [exemption()] },
    ],
    [
      'for an image that will be injected',
      { preflight: [configured('docker.io/istio/proxyv2:1.11.4', ['legacy'])], exemptions: [exemption()] },
    ],
    [
      'for the tag of an image that has a digest too',
      {
        images: [legacy({ reference: `docker.io/istio/proxyv2:1.11.4@sha256:${'a'.repeat(64)}` })],
        exemptions: [exemption()],
      },
    ],
  ])('%s is no notice', (_, input) => {
    expect(noticesOf(input).filter(({ kind }) => kind.startsWith('exemption'))).toEqual([]);
  });

  it.each([
    ['another namespace', exemption({ namespaces: ['shop'] })],
    ['another tag', exemption({ images: ['docker.io/istio/proxyv2:1.10.*'] })],
    ['another image', exemption({ images: ['docker.io/istio/pilot:1.11.*'] })],
  ])('for %s covers nothing', (_, each) => {
    expect(summaryOf({ images: [legacy()], exemptions: [exemption(), each] })).toEqual([
      ['exemption-unused', 'info', '2', null, 0],
    ]);
  });

  it('that ends within 30 days, or has ended, is named with its day', () => {
    const at = (expires: string) => summaryOf({ images: [legacy()], exemptions: [exemption({ expires })] });
    expect(at('2026-12-30')).toEqual([]);
    expect(at('2026-12-29')).toEqual([['exemption-expires', 'warning', '1', '2026-12-29', 2]]);
    expect(at('2026-11-30')).toEqual([['exemption-expires', 'warning', '1', '2026-11-30', 2]]);
    expect(at('2026-11-29')).toEqual([['exemption-expires', 'warning', '1', '2026-11-29', 2]]);
  });

  it('prints nothing of its owner that a terminal would obey', () => {
    const [notice] = noticesOf({ exemptions: [exemption({ owner: 'a\u001b[2J\u202eb' })] });
    expect(notice?.message).toMatch(/^[\x20-\x7e]*$/);
  });
});

it('puts warnings first, and the most pods before the rest', () => {
  const images = [
    released('1.28.0', { pods: 1 }),
    released('1.27.0', { pods: 9 }),
    released('1.30.0', { pods: 50 }),
  ];
  expect(summaryOf({ images }).map(([, severity, subject]) => [severity, subject])).toEqual([
    ['warning', '1.27'],
    ['warning', '1.28'],
    ['info', '1.30'],
  ]);
});

it('lists a bounded number of images', () => {
  const images = Array.from({ length: 500 }, (_, at) => image(`docker.io/istio/i${at}:1.28.0`, '1.28.0'));
  const [notice] = noticesOf({ images });
  expect([notice?.images.length, notice?.pods]).toEqual([50, 500]);
});
