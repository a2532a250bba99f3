import { describe, expect, it } from 'vitest';
import { repositoryFromName } from '../../../src/image/index.ts';
import { createSourceCaller } from '../../../src/registry/index.ts';
import { bundleOf, pushBundle } from '../../support/bundle-kit.ts';
import {
  type Artifact,
  imageIndex,
  imageManifest,
  indexOf,
  push,
  pushSignatures,
  sign,
} from '../../support/signing-kit.ts';
import { createHarness, type Harness, LIMITS, wordOf } from '../harness.ts';
import { createStore } from '../store.ts';

/*
 * The start of an image, over the source port. `pilot-discovery` and `ztunnel` are the starts that the harness knows.
 */

const PILOT = 'docker.io/istio/pilot';
const STARTS = {
  pilot: ['/usr/local/bin/pilot-discovery'],
  ztunnel: ['/usr/local/bin/ztunnel'],
  unknown: ['/bin/sh', '-c', '/usr/local/bin/ztunnel'],
} as const;

const startHarness = (): Promise<Harness> => createHarness({ componentProof: 'configuration' });

const pushBundled = (
  { store, signer }: Pick<Harness, 'store' | 'signer'>,
  artifact: Artifact,
  repository = PILOT,
): string => {
  push(store, repository, artifact);
  pushBundle(store, repository, artifact.digest, bundleOf(signer, artifact.digest));
  return `${repository}@${artifact.digest}`;
};

/** A generator of numbers below a bound, the same in every run. */
const createRandom = (seed: number) => {
  let state = seed;
  return (bound: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
};

const VALUES: readonly unknown[] = [
  ...Object.values(STARTS),
  undefined,
  null,
  [],
  [''],
  [null],
  [1],
  [[STARTS.pilot]],
  {},
  { 0: STARTS.pilot[0], length: 1 },
  'pilot-discovery',
  1,
  true,
];

/** An image, an index, or an index of an index, whose configuration has odd members. */
const createOddImage = (random: (bound: number) => number, seed: string): Artifact => {
  const pick = (): unknown => VALUES[random(VALUES.length)];
  const config = { Entrypoint: pick(), Cmd: pick() };
  const kind = random(5);
  if (kind === 0) return imageIndex(seed, { config });
  if (kind === 1) return indexOf([{ manifest: imageIndex(seed, { config }), descriptor: {} }]);
  if (kind === 2)
    return imageManifest(seed, { configuration: Buffer.from(JSON.stringify({ seed, config: pick() })) });
  return imageManifest(seed, { config });
};

describe('a configuration', () => {
  it('never turns what is refused into verified, and never refuses but for another component', async () => {
    const random = createRandom(12);
    const harness = await startHarness();
    const { store, signer, stranger } = harness;
    const other = imageManifest('another image');
    const counts = new Map<string, number>();
    for (let round = 0; round < 300; round += 1) {
      const artifact = createOddImage(random, `odd ${round}`);
      const { digest } = artifact;
      push(store, PILOT, artifact);
      const refusal = round % 4;
      if (refusal === 0) pushBundle(store, PILOT, digest, bundleOf(stranger, digest));
      if (refusal === 1) pushBundle(store, PILOT, digest, bundleOf(signer, other.digest));
      if (refusal === 2)
        pushSignatures(store, PILOT, digest, [sign(signer, 'docker.io/istio/ztunnel', digest)]);
      const isLikelyBundled = random(2) === 0;
      const word = wordOf(await harness.verify(`${PILOT}@${digest}`, { isLikelyBundled }));
      expect(word).toBe(
        ['signer-untrusted', 'signature-for-other-image', 'component-mismatch', 'signature-missing'][refusal],
      );
      pushBundle(store, PILOT, digest, bundleOf(signer, digest));
      harness.time += 10_001;
      const signed = wordOf(await harness.verify(`${PILOT}@${digest}`, { isLikelyBundled }));
      expect(refusal === 2 ? ['component-mismatch'] : ['verified', 'component-mismatch']).toContain(signed);
      counts.set(signed, (counts.get(signed) ?? 0) + 1);
    }
    expect(Math.min(...counts.values())).toBeGreaterThan(30);
  });

  it('longer than an image’s may be is not parsed: the image is undetermined', async () => {
    const harness = await startHarness();
    const long = imageManifest('long', {
      config: { Entrypoint: STARTS.ztunnel, Labels: { x: 'x'.repeat(2 ** 20) } },
    });
    expect(wordOf(await harness.verify(pushBundled(harness, long)))).toBe('registry-answer-invalid');
    const descriptor = { annotations: { x: 'x'.repeat(2 ** 20) } };
    const manifest = imageManifest('of a long index', { config: { Entrypoint: STARTS.ztunnel } });
    const index = indexOf([{ manifest, descriptor }]);
    expect(wordOf(await harness.verify(pushBundled(harness, index)))).toBe('registry-answer-invalid');
  });

  it('is charged to the namespace that asks for it, where its signatures cost nothing', async () => {
    const evidence = createStore();
    const harness = await createHarness({
      componentProof: 'configuration',
      openEvidence: () => [evidence.open(repositoryFromName(PILOT), createSourceCaller())],
      limits: { ...LIMITS, requestBudget: 4, requestBudgetPerSecond: 1 },
      monotonic: () => 0,
    });
    const { digest } = imageManifest('nowhere to be found');
    pushBundle(evidence, PILOT, digest, bundleOf(harness.signer, digest));
    const ask = (requester: string) => harness.verify(`${PILOT}@${digest}`, { requester });
    const words: string[] = [];
    for (let round = 0; round < 8; round += 1) words.push(wordOf(await ask('hostile')));
    expect(words.slice(-3)).toEqual(Array.from({ length: 3 }, () => 'request-budget-exceeded'));
    const asked = harness.store.requests.length;
    expect(wordOf(await ask('hostile'))).toBe('request-budget-exceeded');
    expect(harness.store.requests).toHaveLength(asked);
    expect(wordOf(await ask('another'))).toBe('registry-answer-invalid');
  });

  it('is read once by all who ask at once, and never again', async () => {
    const harness = await startHarness();
    const { store } = harness;
    const artifact = imageIndex('shared', { config: { Entrypoint: STARTS.pilot } });
    const image = pushBundled(harness, artifact);
    const release = store.hold();
    const all = Array.from({ length: 10 }, () => harness.verify(image));
    release();
    for (const verification of await Promise.all(all))
      expect(verification).toMatchObject({ componentProven: true, componentProvenBy: 'configuration' });
    expect(store.requests).toHaveLength(7);
    expect(await harness.verify(image)).toMatchObject({
      componentProven: true,
      componentProvenBy: 'configuration',
      fromMemory: true,
      requests: 0,
    });
    expect(store.requests).toHaveLength(7);
  });

  it('is read from the repository of the image, though its bundle is elsewhere', async () => {
    const harness = await startHarness();
    const { store, signer } = harness;
    const mirror = 'registry.corp.example/istio/pilot';
    const artifact = imageManifest('mirrored', { config: { Entrypoint: STARTS.ztunnel } });
    push(store, mirror, artifact);
    pushBundle(store, PILOT, artifact.digest, bundleOf(signer, artifact.digest));
    const signaturesAt = [{ registry: 'docker.io', path: 'istio/pilot', name: PILOT }];
    const verification = await harness.verify(`${mirror}@${artifact.digest}`, { signaturesAt });
    expect(wordOf(verification)).toBe('component-mismatch');
    expect(store.requests.filter((line) => line.endsWith(artifact.digest))).toEqual([
      `${PILOT} referrers ${artifact.digest}`,
      `${mirror} manifest ${artifact.digest}`,
    ]);
  });

  it.each(['unavailable', 'refused', 'answer-invalid'] as const)(
    'is read where the signatures are if the repository of the image does not serve it: %s',
    async (fault) => {
      const harness = await startHarness();
      const { store, signer } = harness;
      const mirror = 'registry.corp.example/istio/pilot';
      const signaturesAt = [{ registry: 'docker.io', path: 'istio/pilot', name: PILOT }];
      for (const [start, word] of [
        ['ztunnel', 'component-mismatch'],
        ['pilot', 'verified'],
      ] as const) {
        const artifact = imageManifest(start, { config: { Entrypoint: STARTS[start] } });
        pushBundled(harness, artifact);
        store.failWhere(new RegExp(`^${mirror} manifest`), fault);
        expect(wordOf(await harness.verify(`${mirror}@${artifact.digest}`, { signaturesAt }))).toBe(word);
      }
      const nowhere = imageManifest('nowhere').digest;
      pushBundle(store, PILOT, nowhere, bundleOf(signer, nowhere));
      expect(wordOf(await harness.verify(`${mirror}@${nowhere}`, { signaturesAt }))).toBe(
        `registry-${fault}`,
      );
    },
  );

  it('that is unavailable leaves the signatures known: the next verification asks for it', async () => {
    const harness = await startHarness();
    const artifact = imageManifest('later', { config: { Entrypoint: STARTS.pilot } });
    const image = pushBundled(harness, artifact);
    harness.store.failWhere(new RegExp(`manifest ${artifact.digest}`), 'unavailable');
    expect(wordOf(await harness.verify(image))).toBe('registry-unavailable');
    expect(wordOf(await harness.verify(image))).toBe('registry-unavailable');
  });

  it('that hangs takes no longer than the caller waits, and is an outage to nobody else', async () => {
    const harness = await startHarness();
    const artifact = imageManifest('hanging', { config: { Entrypoint: STARTS.pilot } });
    const image = pushBundled(harness, artifact);
    harness.store.hangWhere(new RegExp(`manifest ${artifact.digest}`));
    expect(wordOf(await harness.verify(image, {}, AbortSignal.timeout(50)))).toBe('deadline-exceeded');
    const named = imageManifest('named', { config: { Entrypoint: STARTS.ztunnel } });
    push(harness.store, PILOT, named);
    pushSignatures(harness.store, PILOT, named.digest, [sign(harness.signer, PILOT, named.digest)]);
    expect(wordOf(await harness.verify(`${PILOT}@${named.digest}`))).toBe('verified');
  });

  it('is not waited for where a signature names the component, though the tag promised a bundle', async () => {
    const harness = await startHarness();
    const artifact = imageManifest('not waited for', { config: { Entrypoint: STARTS.ztunnel } });
    push(harness.store, PILOT, artifact);
    pushSignatures(harness.store, PILOT, artifact.digest, [sign(harness.signer, PILOT, artifact.digest)]);
    harness.store.hangWhere(new RegExp(`manifest ${artifact.digest}`));
    expect(await harness.verify(`${PILOT}@${artifact.digest}`, { isLikelyBundled: true })).toMatchObject({
      outcome: 'verified',
      componentProven: true,
    });
  });
});
