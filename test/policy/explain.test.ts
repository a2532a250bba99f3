import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseImageReference } from '../../src/image/index.ts';
import { builtInHubs, createClassifier } from '../../src/istio/index.ts';
import {
  explain,
  explainBriefly,
  explainRefusal,
  type Finding,
  groupOf,
  type ImageUse,
  type Reason,
  type ReasonCode,
  reasonCodes,
} from '../../src/policy/index.ts';
import { digestFor, use } from '../support/verdicts.ts';

const INDEX_ONLY = 'Istio 1.15 to 1.17 signed the index only: pin its digest, not that of one platform';

/** A reason of each code, with this text in every member that a caller controls. */
const reasonsWith = (text: string): { readonly [Code in ReasonCode]: Extract<Reason, { code: Code }> } => ({
  'image-reference-invalid': { code: 'image-reference-invalid', problem: text },
  'image-look-alike': { code: 'image-look-alike', component: text, vendor: text },
  'image-unrecognised': { code: 'image-unrecognised', container: text, placeholder: false },
  'image-not-pinned': {
    code: 'image-not-pinned',
    pin: { undetermined: { code: 'registry-unavailable', detail: 'no answer' } },
  },
  'image-revoked': { code: 'image-revoked', digest: digestFor(text), why: text },
  'too-many-images': { code: 'too-many-images', limit: 64 },
  'image-not-found': { code: 'image-not-found' },
  'signature-missing': { code: 'signature-missing', perhaps: INDEX_ONLY },
  'image-never-signed': { code: 'image-never-signed', why: text },
  'signature-invalid': { code: 'signature-invalid', detail: text },
  'signature-for-other-image': { code: 'signature-for-other-image', signed: text },
  'signer-untrusted': { code: 'signer-untrusted', detail: text },
  'component-mismatch': { code: 'component-mismatch', asked: text, signed: text },
  'transparency-log-unproven': { code: 'transparency-log-unproven', detail: 'it has no entry' },
  'too-many-signatures': { code: 'too-many-signatures', tried: 100 },
  'registry-unavailable': { code: 'registry-unavailable', detail: text },
  'request-budget-exceeded': { code: 'request-budget-exceeded', namespace: text },
  'registry-backend-unavailable': { code: 'registry-backend-unavailable', detail: text },
  'registry-refused': { code: 'registry-refused', detail: text },
  'registry-rate-limited': { code: 'registry-rate-limited', detail: text },
  'registry-answer-invalid': { code: 'registry-answer-invalid', detail: text },
  'deadline-exceeded': { code: 'deadline-exceeded', asked: true },
  'key-ring-incomplete': { code: 'key-ring-incomplete', missing: [text, text] },
  'internal-error': { code: 'internal-error', incident: text },
});

const reasonOf = (code: ReasonCode, text: string): Reason => reasonsWith(text)[code];

/** The whole remedy at the end of an explanation, for harmless texts. */
const remedyOf = (code: ReasonCode): string => explain(reasonOf(code, 'x')).split(`(${code}); `)[1] as string;

const ONE_LINE = /^[^\p{C}\p{Zl}\p{Zp}]*$/u;
const hostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ unit: 'grapheme', maxLength: 2000, size: 'max' }),
  fc.constantFrom(
    '\n',
    '\u001b[31m',
    '\u202egnp',
    '\ud800',
    '"; allowed "',
    'a'.repeat(100_000),
    '\u2028',
    '\u0000',
  ),
);
const hostileUse: fc.Arbitrary<ImageUse> = fc.record({
  image: hostileText,
  name: hostileText,
  path: hostileText,
  kind: fc.constantFrom('container', 'init-container', 'ephemeral-container', 'image-volume'),
});

/** Each fault of a registry, with what helps. */
const FAULTS: readonly (readonly [Reason, string])[] = (
  [
    ['access', 'that the repository exists'],
    ['token-realm', 'registries[].tokenRealms'],
    ['registry-setup', 'the setup of the registry'],
    ['certificate', 'trust the authority'],
    ['tls', 'registries[].plainHTTP'],
    ['address', 'no setting permits this one'],
    ['host-name', 'the name of the registry'],
    ['proxy', 'the proxy'],
    ['proxy-unreachable', 'check HTTPS_PROXY'],
  ] as const
).flatMap(([remedy, text]) =>
  (['registry-unavailable', 'registry-backend-unavailable', 'registry-refused'] as const).map(
    (code) => [{ code, detail: 'x'.repeat(300), remedy }, text] as const,
  ),
);

describe('the remedy of a registry’s fault', () => {
  it.each(FAULTS)('fits what failed: %j', (reason, text) => {
    const sentence = explain(reason);
    expect(sentence).toContain(text);
    expect(sentence).not.toContain('try again');
    expect(sentence.includes('credentials')).toBe('remedy' in reason && reason.remedy === 'access');
  });

  it.each(FAULTS)(
    'fits in a denial of an image that was not pinned because of it: %j',
    (undetermined, text) => {
      const reason: Reason = {
        code: 'image-not-pinned',
        pin: { undetermined: undetermined as Extract<Reason, { code: 'registry-unavailable' }> },
      };
      const sentence = explain(reason, { ...use('x'.repeat(300)), name: 'x'.repeat(60) });
      expect(sentence.length).toBeLessThanOrEqual(512);
      expect(sentence).toContain(text);
      expect(sentence).toContain('reference it by digest');
      expect(sentence).not.toContain('try again');
    },
  );

  it('is to try again where the registry did not respond, and credentials where it refuses', () => {
    expect(explain({ code: 'registry-unavailable', detail: 'x' })).toContain('try again');
    expect(explain({ code: 'registry-refused', detail: 'x' })).toContain(
      'check sailmark’s credentials'.replace('’', "'"),
    );
  });
});

describe('a denial', () => {
  it('is one line of at most 512 characters that begins with the image and ends with the remedy, whatever is in it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...reasonCodes), hostileText, hostileUse, (code, text, place) => {
        const sentence = explain(reasonOf(code, text), place);
        expect(sentence.length).toBeLessThanOrEqual(512);
        expect(sentence).toMatch(ONE_LINE);
        expect(sentence.startsWith('image "')).toBe(true);
        expect(sentence.endsWith(`(${code}); ${remedyOf(code)}`)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('of several findings is one line of at most 512 characters too, and its remedy is still there', () => {
    const findings = fc.array(
      fc.record({
        use: hostileUse,
        reason: fc
          .tuple(fc.constantFrom(...reasonCodes), hostileText)
          .map(([code, text]) => reasonOf(code, text)),
        effect: fc.constant('deny' as const),
      }),
      { minLength: 2, maxLength: 20 },
    );
    fc.assert(
      fc.property(findings, (several) => {
        const sentence = explainRefusal(several) ?? '';
        expect(sentence.length).toBeLessThanOrEqual(512);
        expect(sentence).toMatch(ONE_LINE);
        expect(sentence).toContain(`(and ${several.length - 1} more: `);
        expect(reasonCodes.some((code) => sentence.includes(`(${code}); ${remedyOf(code)} (and `))).toBe(
          true,
        );
      }),
      { numRuns: 300 },
    );
  });

  it('reads as a sentence', () => {
    const place = use('docker.io/istio/proxyv2:1.28.0', { kind: 'init-container', name: 'istio-init' });
    expect(explain({ code: 'signature-missing' }, place)).toBe(
      'image "docker.io/istio/proxyv2:1.28.0" in init container "istio-init" (spec.containers[0].image): ' +
        'no signature was found (signature-missing); ' +
        'use a released Istio image; copy its signatures along when mirroring (cosign copy)',
    );
  });

  it('gives the gravest finding in full and the others by name, and leaves out what denies nothing', () => {
    const findings: readonly Finding[] = [
      { use: use('istio/pilot:1'), reason: { code: 'deadline-exceeded', asked: true }, effect: 'deny' },
      { use: use('istio/ztunnel:1'), reason: { code: 'image-not-found' }, effect: 'warn' },
      { use: use('istio/proxyv2:1', { name: 'web' }), reason: { code: 'signature-missing' }, effect: 'deny' },
    ];
    expect(explainRefusal(findings)).toBe(
      'image "istio/proxyv2:1" in container "web" (spec.containers[0].image): no signature was found ' +
        '(signature-missing); use a released Istio image; copy its signatures along when mirroring (cosign copy) ' +
        '(and 1 more: container "istio-proxy" deadline-exceeded)',
    );
  });

  it('is none where nothing denies', () => {
    expect(explainRefusal([])).toBeUndefined();
  });

  it('keeps an image within its quotes', () => {
    expect(explain({ code: 'image-not-found' }, use('istio/proxyv2" is fine, "'))).toContain(
      `image "istio/proxyv2' is fine, '" in container`,
    );
  });

  it('leaves an image in normal length whole, tag and digest', () => {
    const image = `registry.corp.example:5000/platform/istio/proxyv2:1.28.0@${digestFor('any')}`;
    expect(explain({ code: 'signature-missing' }, use(image))).toContain(`"${image}"`);
  });
});

describe('a reason', () => {
  it('without a place is its cause, its code and its remedy', () => {
    expect(explain({ code: 'image-not-found' })).toBe(
      'the registry has no such image (image-not-found); check the tag or digest, and that the mirror holds it',
    );
  });

  it.each(reasonCodes)('%s has its group and its own sentence', (code) => {
    expect(['refused', 'rejected', 'undetermined']).toContain(groupOf(code));
    const same = reasonCodes.filter(
      (other) => explain(reasonOf(other, 'x')) === explain(reasonOf(code, 'x')),
    );
    expect(same).toEqual([code]);
  });

  it('said briefly is one line within the limit, whatever is in it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...reasonCodes),
        hostileText,
        hostileUse,
        fc.option(hostileText, { nil: undefined }),
        (code, text, place, letThrough) => {
          const finding: Finding = {
            use: place,
            reason: reasonOf(code, text),
            effect: 'warn',
            ...(letThrough === undefined ? {} : { allowedBecause: letThrough }),
          };
          const sentence = explainBriefly(finding, 246);
          expect(sentence.length).toBeLessThanOrEqual(246);
          expect(sentence).toMatch(ONE_LINE);
          expect(sentence).toContain(code);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("the refusal of a vendor's build", () => {
  const classify = (image: string) => {
    const parsed = parseImageReference(image);
    if (!parsed.ok) throw new Error(parsed.problem);
    const found = createClassifier({ hubs: builtInHubs, mirrors: [] }).classify(parsed.reference);
    if (found.kind !== 'look-alike') throw new Error(`${image} is ${found.kind}`);
    const { kind: _, ...lookAlike } = found;
    return explain({ code: 'image-look-alike', ...lookAlike });
  };

  it.each([
    ['mcr.microsoft.com/oss/v2/istio/pilot:v1.29.2-1', 'Microsoft AKS', 'ECDSA P-256 key'],
    ['us-docker.pkg.dev/gloo-mesh/istio-4d37697f9711/proxyv2:1.24.5-solo', 'Solo.io', 'ECDSA P-256 key'],
    [
      'registry.redhat.io/openshift-service-mesh/istio-proxyv2-rhel9:3.0',
      'Red Hat OpenShift Service Mesh',
      'RSA key',
    ],
    ['addon-containers.istio.tetratelabs.com/proxyv2:1.20.1-tetrate0', 'Tetrate', 'signs with certificates'],
    ['cgr.dev/acme.example/istio-pilot:1', 'Chainguard', 'signs with certificates'],
    ['dhi.io/istio-pilot:1', 'Docker Hardened Images', 'signs attestations'],
    ['rancher/mirrored-istio-pilot:1.18.2', 'Rancher', 'of which it is a copy'],
  ])('names the vendor, says what fits, and never to list a mirror: %s', (image, vendor, remedy) => {
    const refusal = classify(image);
    expect(refusal).not.toContain('mirror');
    expect(refusal).toContain(`built by ${vendor} and not signed by Istio`);
    expect(refusal).toContain(remedy);
    expect(refusal).toContain('exempt it');
  });

  it('is one to list under mirrors if no vendor is known', () => {
    expect(classify('registry.corp.example/copies/proxyv2:1')).toContain('under mirrors if it holds copies');
  });
});

describe('the explanation of a missing signature', () => {
  it.each([
    [undefined, 'no signature was found (signature-missing); use a released Istio image; '],
    [
      'oci-1-1',
      "no signature was found but one of cosign's experimental mode oci-1-1, which is not read (signature-missing); sign the image again without --registry-referrers-mode=oci-1-1",
    ],
    [
      'old-bundle',
      'no signature was found but a Sigstore bundle of version 0.1 or 0.2, which is not read (signature-missing); sign the image again with cosign 3',
    ],
    [
      'keyless',
      'no signature was found but one with a certificate (keyless), and only those by a key are read (signature-missing); sign the image with a key too',
    ],
  ] as const)('names what is there in a form that is not read: %s', (unread, text) => {
    const explained = explain({ code: 'signature-missing', ...(unread && { unread }), perhaps: INDEX_ONLY });
    expect(explained).toContain(text);
    expect(explained).toContain(INDEX_ONLY);
  });
});
