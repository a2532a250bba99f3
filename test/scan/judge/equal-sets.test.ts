import { sample } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Mode } from '../../../src/policy/index.ts';
import { judgeObjects } from '../../../src/scan/judge/judge-all.ts';
import { createScanJudge } from '../../../src/scan/judge/scan-judge.ts';
import { container, type KubernetesObject, pod } from '../../support/builders.ts';
import { readFixture } from '../../support/fixtures.ts';
import {
  denialsOf,
  nameOf,
  podsOf,
  startCore,
  startWebhookOf,
  startWorld,
  type TestNamespace,
  type World,
} from '../admission-world.ts';

/*
 * A pod is refused in a scan exactly if the webhook denies it, in the same words: for pods of every kind, in namespaces of
 * every kind, under each outage rule and each rule on digests.
 */

const toReviewable = (object: KubernetesObject) => ({
  object,
  group: '',
  plural: 'pods',
  isPod: true,
  namespace: String(object.metadata['namespace']),
  name: String(object.metadata['name']),
});

async function* stream<T>(list: readonly T[]): AsyncIterable<T> {
  yield* list;
}

/** The denials of a scan by pod, verbatim. */
const scanDenials = async (
  { core, config }: Awaited<ReturnType<typeof startCore>>,
  pods: readonly KubernetesObject[],
  rulesOf: (namespace: string) => TestNamespace,
): Promise<ReadonlyMap<string, string>> => {
  const { signal } = new AbortController();
  const judge = createScanJudge({ judge: core.judge, timeout: 10_000, signal });
  const denials = new Map<string, string>();
  await judgeObjects({
    objects: stream(pods.map(toReviewable)),
    dependencies: { ...core.admission, limits: config.limits, judge },
    rulesOf,
    onJudged: ({ object }, _rules, judged) => {
      if (judged?.denied !== false) denials.set(nameOf(object), judged?.message ?? 'malformed');
    },
    signal,
  });
  return denials;
};

const MODES: readonly Mode[] = ['enforce', 'warn', 'audit'];

/** Namespaces of every kind; `shop` has an exemption of its own. */
const NAMESPACES: Readonly<Record<string, TestNamespace>> = {
  ...Object.fromEntries(
    MODES.flatMap((mode) =>
      [true, false].flatMap((critical) =>
        [true, false].map((pinned) => [
          `${mode}${critical ? '-critical' : ''}${pinned ? '-pinned' : ''}`,
          { mode, critical, pinned, excluded: false },
        ]),
      ),
    ),
  ),
  shop: { mode: 'enforce', critical: false, pinned: true, excluded: false },
  'shop-2': { mode: 'enforce', critical: false, pinned: true, excluded: false },
  excluded: { mode: 'enforce', critical: false, pinned: false, excluded: true },
};

const namespaceOf = (name: string): TestNamespace => {
  const found = NAMESPACES[name];
  if (found === undefined) throw new Error(`no namespace ${name}`);
  return found;
};

/** The state of a circuit breaker depends on what was asked before: it changes the words of an outage, not the answer. */
const withoutCircuit = (message: string): string =>
  message.replaceAll(/failed \d+ times in a row; retry in a few seconds/g, 'responded 503');

const sorted = (denials: ReadonlyMap<string, string>): readonly string[] =>
  [...denials].map(([name, message]) => `${name}: ${withoutCircuit(message)}`).toSorted();

/** Most pods are where something can be denied. */
const WEIGHTED = Object.entries(NAMESPACES).flatMap(([name, { mode, excluded }]) =>
  Array.from({ length: mode === 'enforce' && !excluded ? 4 : 1 }, () => name),
);

/** Compares both for generated pods. Resolves to the reason codes of all denials. */
const compare = async (world: World): Promise<ReadonlySet<string>> => {
  const webhook = await startWebhookOf(world);
  const scan = await startCore(world);
  const codes = new Set<string>();
  const seed = Date.now();
  for (const pods of sample(podsOf(world.images, WEIGHTED), { numRuns: 5, seed })) {
    const expected = await denialsOf(webhook, pods, namespaceOf);
    const actual = await scanDenials(scan, pods, namespaceOf);
    for (const message of expected.values())
      for (const [, code] of message.matchAll(/ \(?([a-z]+(?:-[a-z]+)+)[;,)]/g)) codes.add(code ?? '');
    expect(sorted(actual), `seed ${seed}`).toEqual(sorted(expected));
  }
  return codes;
};

/** The pods that Istio's own injector made, each with one of the images in place of Istio's, in one of the namespaces. */
const injectedPods = (images: readonly string[]): readonly KubernetesObject[] =>
  readFixture<readonly { readonly pod: KubernetesObject }[]>('istio', 'pods.json').map(
    ({ pod: injected }, index) => {
      const image = images[index % images.length];
      const spec = JSON.parse(JSON.stringify(injected['spec']), (name, value: unknown) =>
        name === 'image' && String(value).startsWith('registry.istio.io/') ? image : value,
      ) as object;
      const namespace = WEIGHTED[(index * 7) % WEIGHTED.length];
      return { ...injected, metadata: { ...injected.metadata, name: `pod-${index}`, namespace }, spec };
    },
  );

/** The reasons that every rule leaves denied. */
const ALWAYS = [
  'signature-missing',
  'signer-untrusted',
  'component-mismatch',
  'image-not-found',
  'too-many-images',
  'image-reference-invalid',
];

describe('the pods that a scan says would be denied are those that the webhook denies', () => {
  it('of pods that are too large to be read, whatever their images are', async () => {
    const world = await startWorld();
    const [webhook, scan] = [await startWebhookOf(world), await startCore(world)];
    const [signed = ''] = world.images;
    const many = (count: number) =>
      Array.from({ length: count }, (_, at) => container(signed, `a-name-that-is-long-enough-${at}`));
    const status = { containerStatuses: many(10_000) };
    const named = (name: string, namespace: string) => ({ name, namespace });
    const pods = [
      ...['enforce', 'enforce-critical', 'enforce-pinned', 'warn', 'audit', 'excluded'].map((namespace) =>
        pod({ containers: many(10_001) }, named('uses', namespace)),
      ),
      pod({ containers: many(10_000) }, named('just-fits', 'enforce')),
      pod({ containers: [], more: Array.from({ length: 600_000 }, () => ({})) }, named('values', 'enforce')),
    ];
    const expected = await denialsOf(webhook, pods, namespaceOf);
    expect(sorted(await scanDenials(scan, pods, namespaceOf))).toEqual(sorted(expected));
    expect([...expected.keys()].toSorted()).toEqual([
      'enforce-critical/uses',
      'enforce-pinned/uses',
      'enforce/uses',
      'enforce/values',
    ]);
    // The status of a pod that runs names each image once more, and is not there when the pod is created.
    const running = { ...pod({ containers: many(10_000) }, named('runs', 'enforce')), status };
    expect(await scanDenials(scan, [running], namespaceOf)).toEqual(new Map());
  });

  it('of pods that the real injector made', async () => {
    const world = await startWorld({ pin: 'enforce' });
    const [webhook, scan] = [await startWebhookOf(world), await startCore(world)];
    const pods = injectedPods(world.images);
    const expected = await denialsOf(webhook, pods, namespaceOf);
    expect(sorted(await scanDenials(scan, pods, namespaceOf))).toEqual(sorted(expected));
    expect(expected.size).toBeGreaterThan(20);
  });

  it.each([
    { undetermined: { enforce: 'deny', critical: 'deny' }, pin: 'enforce' },
    { undetermined: { enforce: 'allow-verified-tag', critical: 'allow' }, pin: 'never' },
    { undetermined: { enforce: 'allow', critical: 'deny' }, pin: 'always' },
    { undetermined: { enforce: 'allow', critical: 'allow' }, pin: 'never', requireDigest: true },
    {
      undetermined: { enforce: 'allow', critical: 'allow-verified-tag' },
      pin: 'enforce',
      requireDigest: true,
    },
    { lookAlikes: 'warn', unrecognised: 'ignore', pin: 'enforce' },
  ])('with %j', async (more) => {
    const world = await startWorld(more);
    const codes = await compare(world);
    expect([...codes]).toEqual(expect.arrayContaining(ALWAYS));
  });
});
