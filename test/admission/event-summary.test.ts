import { describe, expect, it } from 'vitest';
import type { EventSummary, ReviewContext } from '../../src/admission/index.ts';
import type { Rules } from '../../src/policy/index.ts';
import type { Verification, Verifier } from '../../src/verification/index.ts';
import { container, deployment, pod, review } from '../support/builders.ts';
import { digestFor, rejected, rules, undetermined, verified } from '../support/verdicts.ts';
import { NOW, reviewerBy } from './reviewer.ts';

const PROXY = 'docker.io/istio/proxyv2:1.28.0';
const PILOT = 'docker.io/istio/pilot:1.28.0';
const AUDIT: ReviewContext = { mode: 'audit', critical: false };
const ENFORCE: ReviewContext = { mode: 'enforce', critical: false };
const MISSING = rejected({ code: 'signature-missing' });
const AWAY = { code: 'registry-unavailable', detail: 'no answer' } as const;

/** The event summary of a review, if every image has this verdict. */
const summaryOf = async (
  body: object,
  context = AUDIT,
  verification: Verification | Verifier['verify'] = MISSING,
  withRules: Partial<Rules> = {},
): Promise<EventSummary | undefined> => {
  const verify = typeof verification === 'function' ? verification : async () => verification;
  const reviewer = reviewerBy(verify, withRules);
  return (await reviewer.review(body, context, new AbortController().signal)).record.told;
};

const regarding = async (body: object): Promise<EventSummary['regarding']> => {
  const summary = await summaryOf(body);
  if (summary === undefined) throw new Error('nothing was told');
  return summary.regarding;
};

const owner = (over: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  name: 'web-7d4c',
  uid: 'u-1',
  controller: true,
  ...over,
});
const REPLICA_SET = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-7d4c', uid: 'u-1' };
const WEB = { apiVersion: 'v1', kind: 'Pod', name: 'web' };

describe('a record tells nothing', () => {
  it('of a pod with nothing found', async () => {
    expect(await summaryOf(review(pod([PROXY])), AUDIT, verified())).toBeUndefined();
  });

  it('of a dry run', async () => {
    expect(await summaryOf(review(pod([PROXY]), { dryRun: true }))).toBeUndefined();
  });

  it('of a denial, which whoever was denied tells', async () => {
    expect(await summaryOf(review(pod([PROXY])), ENFORCE)).toBeUndefined();
  });

  it('of a denial, though another image was let through', async () => {
    const standsFor = { verified: verified(), resolvedAt: NOW };
    const verify: Verifier['verify'] = async ({ reference }) =>
      reference.text === PROXY ? undetermined(AWAY, standsFor) : MISSING;
    const undeterminedRules = rules().undetermined;
    expect(
      await summaryOf(review(pod([PROXY, PILOT])), ENFORCE, verify, {
        undetermined: { ...undeterminedRules, enforce: 'allow' },
      }),
    ).toBeUndefined();
  });

  it('of an exemption, in any mode', async () => {
    const exemption = {
      images: [PROXY],
      namespaces: ['shop'],
      reason: 'old',
      owner: 'me',
      expires: '2027-03-01',
    };
    for (const context of [AUDIT, ENFORCE])
      expect(
        await summaryOf(review(pod([PROXY])), context, MISSING, { exemptions: [exemption] }),
      ).toBeUndefined();
  });
});

describe('a record tells', () => {
  it('each reason once, in the whole sentence', async () => {
    const verify: Verifier['verify'] = async ({ reference }) =>
      reference.text === PILOT
        ? rejected({ code: 'signer-untrusted', detail: 'by key-2' }, digestFor('other'))
        : MISSING;
    const summary = await summaryOf(
      review(pod([PROXY, PILOT, 'docker.io/istio/ztunnel:1.28.0'])),
      { mode: 'warn', critical: false },
      verify,
    );
    expect(summary).toEqual({
      regarding: WEB,
      effect: 'warn',
      sentences: [
        {
          code: 'signature-missing',
          letThrough: false,
          sentence:
            `image "${PROXY}" in container "app" (spec.containers[0].image): no signature was found ` +
            '(signature-missing); use a released Istio image; copy its signatures along when mirroring (cosign copy)',
        },
        {
          code: 'signer-untrusted',
          letThrough: false,
          sentence:
            `image "${PILOT}" in container "app-1" (spec.containers[1].image): not signed by a trusted key: ` +
            "by key-2 (signer-untrusted); use Istio's own image, or add the signer's key to keys in the configuration",
        },
      ],
    });
  });

  it('what an outage rule let through in enforce mode, and which rule', async () => {
    const summary = await summaryOf(
      review(pod([PROXY])),
      ENFORCE,
      undetermined(AWAY, { verified: verified(), resolvedAt: NOW - 60_000 }),
    );
    expect(summary?.effect).toBe('warn');
    expect(summary?.sentences).toEqual([
      {
        code: 'registry-unavailable',
        letThrough: true,
        sentence: expect.stringMatching(
          /^image ".*" in container "app" .*\(registry-unavailable\); allowed: a minute ago the tag resolved to sha256:[0-9a-f]{64}, which is verified$/,
        ),
      },
    ]);
  });

  it('nothing of an exempt image beside another', async () => {
    const verify: Verifier['verify'] = async ({ reference }) =>
      reference.text === PILOT ? rejected({ code: 'signature-invalid', detail: 'no base64' }) : MISSING;
    const exemptions = [
      { images: [PROXY], namespaces: ['shop'], reason: 'old', owner: 'me', expires: '2027-03-01' },
    ];
    const summary = await summaryOf(review(pod([PROXY, PILOT])), AUDIT, verify, { exemptions });
    expect(summary?.sentences.map(({ code }) => code)).toEqual(['signature-invalid']);
  });

  it('that a review could not be judged', async () => {
    const summary = await summaryOf(review(pod([PROXY])), AUDIT, () => Promise.reject(new Error('broken')));
    expect(summary).toEqual({
      regarding: WEB,
      effect: 'audit',
      sentences: [
        {
          code: 'internal-error',
          letThrough: false,
          sentence: expect.stringContaining('incident incident-1 (internal-error)'),
        },
      ],
    });
  });
});

describe('an Event on a review regards', () => {
  it.each([
    ['no object without a name', pod([PROXY], { generateName: 'web-' }), {}],
    ['no object without a namespace', pod([PROXY]), { namespace: '' }],
    ['no object whose metadata is none', { ...pod([PROXY]), metadata: [] as never }, {}],
    ['no object with a name that no object has', pod([PROXY], { name: 'a\nb' }), {}],
    ['no object with a name that would be cut', pod([PROXY], { name: 'a'.repeat(254) }), {}],
    [
      'no object of an unknown version',
      { ...pod([PROXY]), apiVersion: 7 as never },
      { kind: { kind: 'Pod' }, resource: { group: '', resource: 'pods' } },
    ],
  ])('%s', async (_, object, overrides) => {
    const body = review({ ...object, apiVersion: 'v1' }, { object, ...overrides });
    expect(await regarding(body)).toBeUndefined();
  });

  it.each([
    ['the controller of a new pod', { name: 'web-7d4c-x', ownerReferences: [owner()] }, REPLICA_SET],
    [
      'the controller of a pod without a name',
      { generateName: 'web-', ownerReferences: [owner()] },
      REPLICA_SET,
    ],
    [
      'the controller among several owners',
      { name: 'web', ownerReferences: [owner({ controller: false, name: 'other' }), owner()] },
      REPLICA_SET,
    ],
    ['a new pod itself', { name: 'web', uid: 'u-2' }, { ...WEB, uid: 'u-2' }],
    ['a new pod that nobody controls', { name: 'web', ownerReferences: [owner({ controller: false })] }, WEB],
    ['a new pod whose owner has no name', { name: 'web', ownerReferences: [owner({ name: '' })] }, WEB],
    ['a new pod whose owner has no kind', { name: 'web', ownerReferences: [owner({ kind: 1 })] }, WEB],
    ['a new pod whose owners are no list', { name: 'web', ownerReferences: 'many' }, WEB],
    ['a new pod whose owners are no objects', { name: 'web', ownerReferences: [null, 'x'] }, WEB],
  ])('%s', async (_, metadata, expected) => {
    expect(await regarding(review(pod([PROXY], metadata)))).toEqual(expected);
  });

  it('a pod that exists itself, whoever controls it', async () => {
    const exists = pod([PROXY], { name: 'web', uid: 'u-2', ownerReferences: [owner()] });
    const update = review(exists, { operation: 'UPDATE', oldObject: pod([PILOT]) });
    expect(await regarding(update)).toEqual({ ...WEB, uid: 'u-2' });
  });

  it('a workload itself', async () => {
    const spec = { containers: [container(PROXY)] };
    expect(await regarding(review(deployment(spec)))).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      name: 'web',
    });
  });
});
