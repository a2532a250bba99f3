import { describe, expect, it } from 'vitest';
import {
  type Decision,
  decide,
  decideFailure,
  type JudgedReview,
  type Judgement,
  type Rules,
} from '../../src/policy/index.ts';
import type { RejectionReason, UndeterminedReason } from '../../src/verification/index.ts';
import {
  digestFor,
  judgement,
  NOT_OURS,
  rejected,
  rules,
  undetermined,
  use,
  verified,
} from '../support/verdicts.ts';

const PROXY = 'docker.io/istio/proxyv2:1.28.0';
const NOW = Date.parse('2026-11-24T12:00:00Z');
const HOUR = 3_600_000;

const caseOf = (judgements: readonly Judgement[], overrides: Partial<JudgedReview> = {}): JudgedReview => ({
  uses: judgements.map(({ image }) => use(image)),
  judgements: new Map(judgements.map((one) => [one.image, one])),
  mode: 'enforce',
  critical: false,
  namespace: 'shop',
  workload: 'pod',
  ...overrides,
});

const decideOn = (
  one: Judgement,
  overrides: Partial<JudgedReview> = {},
  withRules: Partial<Rules> = {},
): Decision => decide(caseOf([one], overrides), rules(withRules), NOW);

const ALLOWED: Decision = { verdict: 'allow', findings: [] };

const REJECTIONS: readonly RejectionReason[] = [
  { code: 'image-not-found' },
  { code: 'signature-missing' },
  { code: 'image-never-signed', why: 'a nightly' },
  { code: 'signature-invalid', detail: 'not base64' },
  { code: 'signature-for-other-image', signed: digestFor('other') },
  { code: 'signer-untrusted', detail: 'key abc' },
  { code: 'component-mismatch', asked: 'proxyv2', signed: 'ztunnel' },
  { code: 'too-many-signatures', tried: 100 },
];

/** Each undetermined reason; true if `allow` covers it. */
const UNDETERMINED_REASONS: readonly (readonly [UndeterminedReason, boolean])[] = [
  [{ code: 'registry-unavailable', detail: 'no answer' }, true],
  [{ code: 'registry-rate-limited', detail: 'asked to wait' }, true],
  [{ code: 'deadline-exceeded', asked: true }, false],
  [{ code: 'request-budget-exceeded', namespace: 'shop' }, false],
  [{ code: 'deadline-exceeded', asked: false }, false],
  [{ code: 'registry-backend-unavailable', detail: '503' }, false],
  [{ code: 'registry-refused', detail: '403' }, false],
  [{ code: 'registry-answer-invalid', detail: 'not JSON' }, false],
  [{ code: 'key-ring-incomplete', missing: ['corp'] }, false],
  [{ code: 'internal-error', incident: 'a1' }, false],
];

const UNAVAILABLE: UndeterminedReason = { code: 'registry-unavailable', detail: 'no answer' };
const choice = (enforce: Rules['undetermined']['enforce'], critical = enforce): Partial<Rules> => ({
  undetermined: { enforce, critical, tagOutageWindow: 24 * HOUR },
});

describe('enforce mode denies', () => {
  it.each(REJECTIONS)('what is rejected as $code', (reason) => {
    expect(decideOn(judgement(PROXY, rejected(reason)))).toEqual({
      verdict: 'deny',
      findings: [{ use: use(PROXY), reason, effect: 'deny' }],
    });
  });

  it.each(UNDETERMINED_REASONS)(
    'what is undetermined (%o) where the choice is deny or nothing stands for it',
    (reason) => {
      const denied = { verdict: 'deny', findings: [{ use: use(PROXY), reason, effect: 'deny' }] };
      const unknown = judgement(PROXY, undetermined(reason));
      const known = judgement(PROXY, undetermined(reason, { resolvedAt: NOW, verified: verified() }));
      expect(decideOn(unknown, {}, choice('deny'))).toEqual(denied);
      expect(decideOn(known, {}, choice('deny'))).toEqual(denied);
      expect(decideOn(unknown, {}, choice('allow-verified-tag'))).toEqual(denied);
    },
  );

  it.each(UNDETERMINED_REASONS.filter(([, covered]) => !covered))(
    'what an attacker can choose (%o), though the choice is allow',
    (reason) => {
      const lastVerified = { resolvedAt: NOW, verified: verified() };
      expect(decideOn(judgement(PROXY, undetermined(reason)), {}, choice('allow')).verdict).toBe('deny');
      expect(
        decideOn(judgement(PROXY, undetermined(reason, lastVerified)), {}, choice('allow')).verdict,
      ).toBe('deny');
    },
  );

  it('a revoked digest, though it is verified and exempt', () => {
    const reason = { code: 'image-revoked', digest: digestFor('revoked'), why: 'CVE-2026-1' } as const;
    const revoked = { ...judgement(PROXY, verified()), refused: reason };
    const exemptions = [
      { images: ['docker.io/istio/*'], namespaces: ['*'], reason: '', owner: '', expires: '2027-01-01' },
    ];
    expect(decideOn(revoked, {}, { exemptions })).toEqual({
      verdict: 'deny',
      findings: [{ use: use(PROXY), reason, effect: 'deny' }],
    });
  });

  it('a revoked digest in a text that is no reference, in any container', () => {
    const reason = { code: 'image-revoked', digest: digestFor('revoked'), why: 'CVE-2026-1' } as const;
    const revoked = { ...judgement(PROXY), reference: undefined, class: undefined, refused: reason };
    const uses = [use(PROXY, { name: 'app' })];
    expect(decideOn(revoked, { uses })).toEqual({
      verdict: 'deny',
      findings: [{ use: uses[0], reason, effect: 'deny' }],
    });
  });

  it('one image too many', () => {
    const reason = { code: 'too-many-images', limit: 64 } as const;
    expect(decideOn({ ...judgement(PROXY), refused: reason })).toEqual({
      verdict: 'deny',
      findings: [{ use: use(PROXY), reason, effect: 'deny' }],
    });
  });

  it('a look-alike, and names its vendor', () => {
    const image = 'gcr.io/gke-release/asm/proxyv2:1.16.7-asm.10';
    const alike = judgement(image, undefined, { kind: 'look-alike', component: 'proxyv2', vendor: 'Google' });
    expect(decideOn(alike)).toEqual({
      verdict: 'deny',
      findings: [
        {
          use: use(image),
          reason: { code: 'image-look-alike', component: 'proxyv2', vendor: 'Google' },
          effect: 'deny',
        },
      ],
    });
  });

  it('what is named by tag, where a digest is required', () => {
    expect(decideOn(judgement(PROXY, verified()), {}, { requireDigest: true })).toEqual({
      verdict: 'deny',
      findings: [{ use: use(PROXY), reason: { code: 'image-not-pinned' }, effect: 'deny' }],
    });
  });

  it.each([
    ['enforce', 'enforce'],
    ['always', 'enforce'],
  ] as const)('what is named by tag, where pin is %s', (pin, mode) => {
    expect(decideOn(judgement(PROXY, verified()), { mode }, { pin })).toEqual({
      verdict: 'deny',
      findings: [{ use: use(PROXY), reason: { code: 'image-not-pinned', pin: {} }, effect: 'deny' }],
    });
  });

  it.each(['allow-verified-tag', 'allow'] as const)(
    'a tag that was not pinned during an outage, under %s, though it last verified a moment ago',
    (enforce) => {
      const known = judgement(PROXY, undetermined(UNAVAILABLE, { resolvedAt: NOW, verified: verified() }));
      const reason = { code: 'image-not-pinned', pin: { undetermined: UNAVAILABLE } } as const;
      expect(decideOn(known, {}, { ...choice(enforce), pin: 'enforce' })).toEqual({
        verdict: 'deny',
        findings: [{ use: use(PROXY), reason, effect: 'deny' }],
      });
    },
  );

  it('an undetermined tag that no outage rule covers, pinned or not, with the reason of the verification', () => {
    const known = judgement(PROXY, undetermined(UNAVAILABLE, { resolvedAt: NOW, verified: verified() }));
    const unknown = judgement(PROXY, undetermined(UNAVAILABLE));
    const denied = { verdict: 'deny', findings: [{ use: use(PROXY), reason: UNAVAILABLE, effect: 'deny' }] };
    expect(decideOn(known, {}, { ...choice('deny'), pin: 'enforce' })).toEqual(denied);
    expect(decideOn(unknown, {}, { ...choice('allow-verified-tag'), pin: 'enforce' })).toEqual(denied);
  });

  it('an image that is rejected and was therefore not pinned, with the reason of the rejection', () => {
    const bad = judgement(PROXY, rejected({ code: 'signature-missing' }));
    expect(decideOn(bad, {}, { pin: 'enforce' }).findings.map(({ reason }) => reason.code)).toEqual([
      'signature-missing',
    ]);
  });

  it('what is named by tag, though an outage choice would let it through', () => {
    const through = judgement(PROXY, undetermined(UNAVAILABLE));
    expect(decideOn(through, {}, { ...choice('allow'), requireDigest: true })).toEqual({
      verdict: 'deny',
      findings: [{ use: use(PROXY), reason: { code: 'image-not-pinned' }, effect: 'deny' }],
    });
  });

  it.each([
    ['in a container named as Istio’s', 'foo/bar@sha512:00', 'istio-proxy'],
    ['that could be Istio’s by its text', 'docker.io/istio/proxyv2@sha512:00', 'app'],
  ])('a reference that cannot be parsed %s', (_, image, name) => {
    const invalid = judgement(image);
    expect(decideOn(invalid, { uses: [use(image, { name })] })).toEqual({
      verdict: 'deny',
      findings: [{ use: use(image, { name }), reason: invalid.refused, effect: 'deny' }],
    });
  });

  it('the pod for one rejected image, though another’s registry is down', () => {
    const late = judgement('istio/pilot:1.28.0', undetermined(UNAVAILABLE));
    const bad = judgement(PROXY, rejected({ code: 'signature-missing' }));
    const decision = decide(caseOf([late, bad]), rules(choice('allow')), NOW);
    expect([decision.verdict, decision.findings.map(({ effect }) => effect)]).toEqual([
      'deny',
      ['warn', 'deny'],
    ]);
  });

  it('the pod for a rejected image, though it is not pinned either: the graver reason is the one given', () => {
    const bad = judgement(PROXY, rejected({ code: 'signature-missing' }));
    expect(decideOn(bad, {}, { requireDigest: true }).findings.map(({ reason }) => reason.code)).toEqual([
      'signature-missing',
    ]);
  });
});

describe('enforce mode lets through', () => {
  it('says of two that deny the more serious, in whichever order they were found', () => {
    const down = judgement(PROXY, undetermined({ code: 'registry-unavailable', detail: 'no answer' }));
    expect(decideOn(down, {}, { ...choice('deny'), requireDigest: true }).findings).toEqual([
      { use: use(PROXY), reason: { code: 'image-not-pinned' }, effect: 'deny' },
    ]);
  });

  it('what is verified', () => {
    expect(decideOn(judgement(PROXY, verified()))).toEqual(ALLOWED);
  });

  it('what is verified and named by digest, where a digest is required', () => {
    const pinned = judgement(`${PROXY}@${digestFor('good')}`, verified());
    expect(decideOn(pinned, {}, { requireDigest: true })).toEqual(ALLOWED);
  });

  it('what is pinned, where it must be', () => {
    const pinned = judgement(`${PROXY}@${digestFor('good')}`, verified());
    expect(decideOn(pinned, {}, { pin: 'always' })).toEqual(ALLOWED);
  });

  it('a template with a tag where its Pods are pinned; one that requires a digest of its author warns elsewhere', () => {
    const tag = judgement(PROXY, verified());
    const template = { workload: 'template' } as const;
    expect(decideOn(tag, template, { pin: 'enforce' })).toEqual(ALLOWED);
    expect(decideOn(tag, template, { pin: 'enforce', requireDigest: true })).toEqual(ALLOWED);
    expect(decideOn(tag, template, { requireDigest: true }).verdict).toBe('warn');
  });

  it('a tag in a critical namespace, with a warning; during an outage the reason of the outage is given', () => {
    const critical = { critical: true };
    expect(decideOn(judgement(PROXY, verified()), critical, { pin: 'enforce' })).toEqual({
      verdict: 'warn',
      findings: [{ use: use(PROXY), reason: { code: 'image-not-pinned', pin: {} }, effect: 'warn' }],
    });
    const known = judgement(PROXY, undetermined(UNAVAILABLE, { resolvedAt: NOW, verified: verified() }));
    expect(decideOn(known, critical, { pin: 'enforce' })).toMatchObject({
      verdict: 'warn',
      findings: [{ reason: UNAVAILABLE, allowedBecause: expect.stringContaining('allowed: ') }],
    });
    const unknown = judgement(PROXY, undetermined(UNAVAILABLE));
    expect(decideOn(unknown, critical, { pin: 'enforce' })).toMatchObject({
      verdict: 'deny',
      findings: [{ reason: UNAVAILABLE, effect: 'deny' }],
    });
  });

  it('a tag in warn and audit mode where only enforce mode pins; where every mode does, that is the effect', () => {
    const tag = judgement(PROXY, verified());
    for (const mode of ['warn', 'audit'] as const) {
      expect(decideOn(tag, { mode }, { pin: 'enforce' })).toEqual(ALLOWED);
      expect(decideOn(tag, { mode }, { pin: 'always' }).verdict).toBe(mode);
    }
  });

  it('what is not ours, and what cannot be parsed and is not ours', () => {
    const others = [judgement('redis:8', undefined, NOT_OURS), judgement('no reference')];
    const uses = others.map(({ image }) => use(image, { name: 'app' }));
    expect(decide(caseOf(others, { uses }), rules(), NOW)).toEqual(ALLOWED);
  });

  it('a tag as it last verified, within the window, with a warning', () => {
    const lastVerified = { resolvedAt: NOW - 3 * HOUR, verified: verified(digestFor('good')) };
    expect(decideOn(judgement(PROXY, undetermined(UNAVAILABLE, lastVerified)))).toEqual({
      verdict: 'warn',
      findings: [
        {
          use: use(PROXY),
          reason: UNAVAILABLE,
          effect: 'warn',
          allowedBecause: `allowed: 3 hours ago the tag resolved to ${digestFor('good')}, which is verified`,
        },
      ],
    });
  });

  it('a tag as it last verified until the window ends, and no longer', () => {
    const verdictAfter = (age: number) =>
      decideOn(judgement(PROXY, undetermined(UNAVAILABLE, { resolvedAt: NOW - age, verified: verified() })))
        .verdict;
    expect([verdictAfter(24 * HOUR), verdictAfter(24 * HOUR + 1)]).toEqual(['warn', 'deny']);
    expect([verdictAfter(0), verdictAfter(-1), verdictAfter(-24 * HOUR)]).toEqual(['warn', 'deny', 'deny']);
  });

  it.each(UNDETERMINED_REASONS.filter(([, covered]) => covered))(
    'an outage (%o), where the choice is allow, with a warning',
    (reason) => {
      expect(decideOn(judgement(PROXY, undetermined(reason)), {}, choice('allow'))).toEqual({
        verdict: 'warn',
        findings: [
          {
            use: use(PROXY),
            reason,
            effect: 'warn',
            allowedBecause: 'allowed unverified: the configuration allows images during a registry outage',
          },
        ],
      });
    },
  );

  it('by the choice for critical namespaces there, and by its own elsewhere', () => {
    const down = judgement(PROXY, undetermined(UNAVAILABLE));
    const verdictIn = (critical: boolean) => decideOn(down, { critical }, choice('deny', 'allow')).verdict;
    expect([verdictIn(false), verdictIn(true)]).toEqual(['deny', 'warn']);
  });

  it('what is exempt, and says by whose exemption', () => {
    const exemptions = [
      {
        images: ['docker.io/istio/proxyv2:1.*'],
        namespaces: ['shop'],
        reason: 'old',
        owner: 'mesh',
        expires: '2027-01-01',
      },
    ];
    const bad = judgement(PROXY, rejected({ code: 'signature-missing' }));
    expect(decideOn(bad, {}, { exemptions })).toEqual({
      verdict: 'allow',
      findings: [
        {
          use: use(PROXY),
          reason: { code: 'signature-missing' },
          effect: 'exempt',
          allowedBecause: 'exempt until 2027-01-01 (mesh): old',
        },
      ],
    });
  });
});

describe('a container named as Istio’s with an image that is on no hub or mirror', () => {
  const strange = judgement('foo/bar:1', undefined, NOT_OURS);
  const reason = { code: 'image-unrecognised', container: 'istio-proxy', placeholder: false } as const;

  it.each([
    ['deny', { verdict: 'deny', findings: [{ use: use('foo/bar:1'), reason, effect: 'deny' }] }],
    ['warn', { verdict: 'warn', findings: [{ use: use('foo/bar:1'), reason, effect: 'warn' }] }],
    ['ignore', ALLOWED],
  ] as const)('is found as the rule says: %s', (unrecognised, decision) => {
    expect(decideOn(strange, {}, { unrecognised })).toEqual(decision);
  });

  it('is found where look-alikes are ignored, too', () => {
    const alike = judgement('corp/proxyv2:1', undefined, {
      kind: 'look-alike',
      component: 'proxyv2',
      vendor: undefined,
    });
    const codes = (withRules: Partial<Rules>) =>
      decideOn(alike, {}, withRules).findings.map(({ reason: found, effect }) => [found.code, effect]);
    expect(codes({ lookAlikes: 'ignore' })).toEqual([['image-unrecognised', 'warn']]);
    expect(codes({ lookAlikes: 'warn', unrecognised: 'deny' })).toEqual([['image-unrecognised', 'deny']]);
    expect(codes({ lookAlikes: 'warn' })).toEqual([['image-look-alike', 'warn']]);
  });

  describe('that others give too, discovery,', () => {
    const found = (image: string, inIstiod?: true) => {
      const uses = [use(image, { name: 'discovery', ...(inIstiod === undefined ? {} : { inIstiod }) })];
      return decideOn(judgement(image, undefined, NOT_OURS), { uses }).findings.map(
        ({ reason: { code } }) => code,
      );
    };

    it.each(['ghcr.io/acme/pilot:1', 'ghcr.io/acme/istiod:1', 'registry.corp.example/istio-copies/x'])(
      'is found beside an image with a word of Istio’s: %s',
      (image) => {
        expect(found(image)).toEqual(['image-unrecognised']);
      },
    );

    it('is found in a pod of istiod’s, whatever its image', () => {
      expect(found('ghcr.io/acme/mesh:1', true)).toEqual(['image-unrecognised']);
    });

    it.each(['springcloud/eureka', 'ghcr.io/siderolabs/discovery-service', 'ghcr.io/acme/copilot:1'])(
      'is not found alone: %s',
      (image) => {
        expect(found(image)).toEqual([]);
      },
    );
  });

  it('is not found where only a volume has that name', () => {
    expect(decideOn(strange, { uses: [use('foo/bar:1', { kind: 'image-volume' })] })).toEqual(ALLOWED);
  });
});

describe('the placeholder auto', () => {
  const auto = judgement('auto', undefined, NOT_OURS);

  it('left in a Pod is found, whatever its container is called', () => {
    const uses = [use('auto', { name: 'gateway' })];
    expect(decideOn(auto, { uses }, { unrecognised: 'deny' })).toEqual({
      verdict: 'deny',
      findings: [
        {
          use: uses[0],
          reason: { code: 'image-unrecognised', container: 'gateway', placeholder: true },
          effect: 'deny',
        },
      ],
    });
  });

  it('is understood in a template', () => {
    expect(decideOn(auto, { workload: 'template' }, { unrecognised: 'deny' })).toEqual(ALLOWED);
  });
});

describe('modes and templates', () => {
  const bad = judgement(PROXY, rejected({ code: 'signature-missing' }));
  it.each([
    ['enforce', 'pod', 'deny'],
    ['warn', 'pod', 'warn'],
    ['audit', 'pod', 'audit'],
    ['enforce', 'template', 'warn'],
    ['warn', 'template', 'warn'],
    ['audit', 'template', 'audit'],
  ] as const)('%s mode, a %s: a rejected image is a finding that does %s', (mode, workload, effect) => {
    expect(decideOn(bad, { mode, workload })).toEqual({
      verdict: effect,
      findings: [{ use: use(PROXY), reason: { code: 'signature-missing' }, effect }],
    });
    expect(decideFailure(mode, workload)).toBe(effect);
  });

  it('in audit mode what an outage choice lets through is not a warning either', () => {
    const down = judgement(PROXY, undetermined(UNAVAILABLE));
    const decision = decideOn(down, { mode: 'audit' }, choice('allow'));
    expect([decision.verdict, decision.findings[0]?.effect]).toEqual(['audit', 'audit']);
  });

  it('an image that was not judged is an error, never allowed', () => {
    expect(() => decide(caseOf([], { uses: [use(PROXY)] }), rules(), NOW)).toThrow('no judgement of');
    expect(() => decideOn(judgement(PROXY))).toThrow('no verification of');
  });
});
