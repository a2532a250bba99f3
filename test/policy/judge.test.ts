import { describe, expect, it } from 'vitest';
import { type ImageReference, repositoryFromName } from '../../src/image/index.ts';
import type { ImageClass } from '../../src/istio/index.ts';
import { createJudge, type Judge, type Rules } from '../../src/policy/index.ts';
import type { Verification, VerificationRequest } from '../../src/verification/index.ts';
import {
  digestFor,
  istioImage,
  NOT_OURS,
  rejected,
  undetermined,
  verified,
  withoutMemory,
} from '../support/verdicts.ts';

const PROXY = 'docker.io/istio/proxyv2:1.28.0';

interface TestJudge {
  readonly judge: Judge;
  readonly requests: VerificationRequest[];
  readonly classified: string[];
}

const judgeOf = (
  verification: Verification,
  classes: (reference: ImageReference) => ImageClass = () => istioImage(),
  revoked: Rules['revoked'] = [],
): TestJudge => {
  const requests: VerificationRequest[] = [];
  const classified: string[] = [];
  const judge = createJudge({
    classify: (reference) => {
      classified.push(reference.text);
      return classes(reference);
    },
    couldBeIstio: (text) => text.includes('istio'),
    verifier: withoutMemory(async (request) => {
      requests.push(request);
      return verification;
    }),
    revoked,
    exemptions: [],
  });
  return { judge, requests, classified };
};

const { signal } = new AbortController();

describe('the judge refuses', () => {
  it('a text that is no reference, and asks no registry about it', async () => {
    const { judge, requests } = judgeOf(verified());
    const judgement = await judge.judge(`docker.io/istio/proxyv2@sha512:${'0'.repeat(128)}`, signal, {
      always: true,
    });
    expect(judgement).toMatchObject({
      reference: undefined,
      class: undefined,
      couldBeIstio: true,
      refused: { code: 'image-reference-invalid' },
      verification: undefined,
    });
    expect(requests).toEqual([]);
  });

  it('a revoked digest that is written, and asks no registry about it', async () => {
    const digest = digestFor('revoked');
    const { judge, requests } = judgeOf(verified(digest), undefined, [{ digest, reason: 'CVE-2026-1' }]);
    const { refused } = await judge.judge(`docker.io/istio/proxyv2@${digest}`, signal);
    expect(refused).toEqual({ code: 'image-revoked', digest, why: 'CVE-2026-1' });
    expect(requests).toEqual([]);
  });

  it('a revoked digest wherever it is copied to', async () => {
    const digest = digestFor('revoked');
    const { judge } = judgeOf(verified(), () => NOT_OURS, [{ digest, reason: '' }]);
    expect((await judge.judge(`ghcr.io/somebody/app@${digest}`, signal)).refused).toEqual({
      code: 'image-revoked',
      digest,
      why: '',
    });
  });

  it('a revoked digest in a text that is longer than is parsed, for a runtime may pull it', async () => {
    const digest = digestFor('revoked');
    const { judge } = judgeOf(verified(), () => NOT_OURS, [{ digest, reason: '' }]);
    const judgement = await judge.judge(`acme.example:${'0'.repeat(5000)}443/app@${digest}`, signal);
    expect(judgement).toMatchObject({ reference: undefined, refused: { code: 'image-revoked', digest } });
  });

  it('no digest but those that are revoked', async () => {
    const { judge } = judgeOf(verified(), undefined, [
      { digest: digestFor('revoked'), reason: 'CVE-2026-1' },
    ]);
    expect((await judge.judge(PROXY, signal)).refused).toBeUndefined();
  });

  it('a tag that resolves to a revoked digest, though that is verified', async () => {
    const digest = digestFor('revoked');
    const { judge } = judgeOf(verified(digest), undefined, [{ digest, reason: 'CVE-2026-1' }]);
    expect((await judge.judge(PROXY, signal)).refused).toEqual({
      code: 'image-revoked',
      digest,
      why: 'CVE-2026-1',
    });
  });

  it('a tag whose last answer was a revoked digest, whatever an outage choice would say', async () => {
    const digest = digestFor('revoked');
    const outage = {
      ...undetermined({ code: 'registry-unavailable', detail: 'no answer' }),
      lastDigest: digest,
    };
    const { judge } = judgeOf(outage, undefined, [{ digest, reason: 'CVE-2026-1' }]);
    expect((await judge.judge(PROXY, signal)).refused).toEqual({
      code: 'image-revoked',
      digest,
      why: 'CVE-2026-1',
    });
  });
});

describe('a tag beside a digest is resolved', () => {
  const [digest, other] = [digestFor('pinned'), digestFor('other')];
  const pinned = `docker.io/istio/proxyv2:legacy-1@${digest}`;
  const exemptions = [
    {
      images: ['docker.io/istio/proxyv2:legacy-*'],
      namespaces: ['*'],
      reason: '',
      owner: '',
      expires: '2027-01-01',
    },
  ];
  /** The tag resolves to `tagDigest`; the digest has this verification. */
  const judgePinned = async (verification: Verification, tagDigest = digest, exempt = exemptions) => {
    const asked: (string | undefined)[] = [];
    const judge = createJudge({
      classify: () => istioImage(),
      couldBeIstio: () => false,
      verifier: withoutMemory(async ({ reference: { digest: written, tag } }) => {
        asked.push(written ?? tag);
        return written === undefined ? rejected({ code: 'signature-missing' }, tagDigest) : verification;
      }),
      revoked: [],
      exemptions: exempt,
    });
    return { asked, judgement: await judge.judge(pinned, signal) };
  };
  const unsigned = rejected({ code: 'signature-missing' }, digest);

  it('if an exemption is for the tag and the digest is not verified', async () => {
    const { asked, judgement } = await judgePinned(unsigned);
    expect([asked, judgement.tagDigest]).toEqual([[digest, 'legacy-1'], digest]);
    expect((await judgePinned(unsigned, other)).judgement.tagDigest).toBe(other);
  });

  it('in no other case', async () => {
    const verifiedOne = await judgePinned(verified(digest));
    expect([verifiedOne.asked, verifiedOne.judgement.tagDigest]).toEqual([[digest], undefined]);
    const notExempt = await judgePinned(unsigned, digest, []);
    expect([notExempt.asked, notExempt.judgement.tagDigest]).toEqual([[digest], undefined]);
  });
});

describe('the judge', () => {
  it('asks about an image of a hub by its places and component', async () => {
    const { judge, requests } = judgeOf(verified());
    const judgement = await judge.judge(PROXY, signal);
    expect(requests).toEqual([
      {
        reference: judgement.reference,
        places: ['docker.io/istio'],
        component: 'proxyv2',
        componentOf: expect.any(Function),
        componentOfStart: expect.any(Function),
        isLikelyBundled: false,
        signaturesAt: [repositoryFromName('docker.io/istio/proxyv2')],
      },
    ]);
    expect(judgement).toMatchObject({
      image: PROXY,
      class: istioImage(),
      refused: undefined,
      verification: verified(),
    });
  });

  it('asks nothing about an image that is not ours', async () => {
    const { judge, requests } = judgeOf(verified(), () => NOT_OURS);
    expect((await judge.judge('redis:8', signal)).verification).toBeUndefined();
    expect(requests).toEqual([]);
  });

  it('asks about the signature alone where an image that is not ours was named to it', async () => {
    const { judge, requests } = judgeOf(verified(), () => NOT_OURS);
    const judgement = await judge.judge('redis:8', signal, { always: true });
    expect(requests).toEqual([
      {
        reference: judgement.reference,
        places: [],
        component: undefined,
        componentOf: expect.any(Function),
        componentOfStart: expect.any(Function),
        isLikelyBundled: false,
        signaturesAt: [repositoryFromName('docker.io/library/redis')],
      },
    ]);
    expect(judgement.verification).toEqual(verified());
  });

  it('says why there is no signature, where the tables know', async () => {
    const { judge } = judgeOf(rejected({ code: 'signature-missing' }), () =>
      istioImage('proxyv2', 'a nightly'),
    );
    expect((await judge.judge(PROXY, signal)).verification).toEqual(
      rejected({ code: 'image-never-signed', why: 'a nightly' }),
    );
  });

  it('says what a digest alone may be of, where the tables can only guess', async () => {
    const { judge } = judgeOf(rejected({ code: 'signature-missing' }), () => ({
      ...istioImage(),
      unsignedHint: 'one platform of several',
    }));
    expect((await judge.judge(PROXY, signal)).verification).toEqual(
      rejected({ code: 'signature-missing', perhaps: 'one platform of several' }),
    );
  });

  it('leaves another rejection as it is, though the tables expect no signature', async () => {
    const untrusted = rejected({ code: 'signer-untrusted', detail: 'key abc' });
    const { judge } = judgeOf(untrusted, () => istioImage('proxyv2', 'a nightly'));
    expect((await judge.judge(PROXY, signal)).verification).toEqual(untrusted);
  });

  it('lets a nightly that is signed after all be verified', async () => {
    const { judge } = judgeOf(verified(), () => istioImage('proxyv2', 'a nightly'));
    expect((await judge.judge(PROXY, signal)).verification).toEqual(verified());
  });

  it('classifies a text once and verifies it each time', async () => {
    const { judge, requests, classified } = judgeOf(verified());
    await judge.judge(PROXY, signal);
    await judge.judge(PROXY, signal);
    expect([classified.length, requests.length]).toEqual([1, 2]);
  });

  it('does not remember texts longer than any reference', async () => {
    const { judge, classified } = judgeOf(verified(), () => NOT_OURS);
    const long = `registry.example/${'a'.repeat(200)}/${'b'.repeat(20)}:${'c'.repeat(100)}@sha256:${'0'.repeat(64)}`;
    const longer = `${'sub.'.repeat(100)}${long}`;
    for (const image of [long, long, longer, longer]) judge.inspect(image);
    expect(classified.filter((text) => text === long).length).toBe(1);
    expect(classified.filter((text) => text === longer).length).not.toBe(1);
  });
});
