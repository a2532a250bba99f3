import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chartExpression, createReviewer, matchConditions } from '../../src/admission/index.ts';
import { parseImageReference } from '../../src/image/index.ts';
import {
  basePattern,
  builtInHubNames,
  builtInHubs,
  createClassifier,
  findUnmatchable,
  genericContainerNames,
  istioContainerNames,
  lookAlikePattern,
  matchPatterns,
  type Places,
} from '../../src/istio/index.ts';
import { createJudge } from '../../src/policy/index.ts';
import { container, imageVolume, type PodSpec, pod, review } from '../support/builders.ts';
import { compileCondition } from '../support/cel.ts';
import { readFixture } from '../support/fixtures.ts';
import { imageTexts } from '../support/image-texts.ts';
import {
  type MatchCase,
  matchConfiguration,
  matchPlaces,
  mustMatch,
  mustMatchConfigured,
  mustNotMatch,
} from '../support/match-condition-cases.ts';
import { ordinaryImages } from '../support/ordinary-images.ts';
import { rejected, rules, withoutMemory } from '../support/verdicts.ts';

const RUNS = Number(process.env['SAILMARK_RUNS'] ?? 1000);

const builtIn: Places = { hubs: builtInHubs, mirrors: [] };
const { revoked } = matchConfiguration;
const digests = revoked.map(({ digest }) => digest);

const expressionOf = (places: Places, revokedDigests: readonly string[]): string =>
  matchConditions(places, revokedDigests)[0]?.expression ?? '';
const asked = {
  builtIn: compileCondition(expressionOf(builtIn, [])),
  configured: compileCondition(expressionOf(matchPlaces, digests)),
};

type Change = Omit<MatchCase, 'name'>;

/** Reports whether the webhook has a finding for a pod, if nothing is signed and everything is refused. */
const webhook = (places: Places, ofRevoked: typeof revoked | readonly []) => {
  const reviewer = createReviewer({
    judge: createJudge({
      ...createClassifier(places),
      verifier: withoutMemory(async () => rejected({ code: 'signature-missing' })),
      revoked: ofRevoked,
      exemptions: [],
    }),
    rules: { ...rules(), lookAlikes: 'deny', unrecognised: 'deny', revoked: ofRevoked },
    limits: { imagesPerReview: 100, verificationsAtOnce: 8 },
    now: () => 0,
    report: (error) => expect.unreachable(String(error)),
  });
  const podOf = (spec: PodSpec, labels?: object) =>
    pod(spec, { name: 'web', ...(labels === undefined ? {} : { labels }) });
  return async ({ spec, before, labels, labelsBefore = labels }: Change): Promise<boolean> => {
    const update =
      before === undefined ? {} : { operation: 'UPDATE', oldObject: podOf(before, labelsBefore) };
    const context = { mode: 'enforce', critical: false } as const;
    const { record } = await reviewer.review(
      review(podOf(spec, labels), update),
      context,
      new AbortController().signal,
    );
    return record.findings.length > 0;
  };
};

const findWrongMatches = (matches: typeof asked.builtIn, cases: readonly MatchCase[], wanted: boolean) =>
  cases
    .filter(
      ({ spec, before, labels, labelsBefore }) => matches(spec, before, labels, labelsBefore) !== wanted,
    )
    .map(({ name }) => name);

describe('what the API server asks about', () => {
  it('is every pod of the table, with the built-in hubs', () => {
    expect(findWrongMatches(asked.builtIn, mustMatch, true)).toEqual([]);
    expect(findWrongMatches(asked.builtIn, mustMatchConfigured, false)).toEqual([]);
    expect(findWrongMatches(asked.configured, [...mustMatch, ...mustMatchConfigured], true)).toEqual([]);
  });

  it('is no pod without images of Istio’s, and none whose images stay', () => {
    expect(findWrongMatches(asked.builtIn, mustNotMatch, false)).toEqual([]);
    expect(findWrongMatches(asked.configured, mustNotMatch, false)).toEqual([]);
  });

  it('the webhook itself finds something in each pod of the table, and nothing in the others', async () => {
    const finds = webhook(matchPlaces, revoked);
    const findings = async (cases: readonly MatchCase[]) =>
      Promise.all(cases.map(async (one) => [one.name, await finds(one)]));
    const all = (cases: readonly MatchCase[], found: boolean) => cases.map(({ name }) => [name, found]);
    const matching = [...mustMatch, ...mustMatchConfigured];
    expect(await findings(matching)).toEqual(all(matching, true));
    expect(await findings(mustNotMatch)).toEqual(all(mustNotMatch, false));
  });

  it('is each pod of Istio’s injector that the webhook finds something in, and no other', async () => {
    const finds = webhook(builtIn, []);
    const pods = readFixture<readonly { readonly pod: { readonly spec: PodSpec } }[]>('istio', 'pods.json');
    const seen = await Promise.all(
      pods.map(async ({ pod: { spec } }) => ({
        spec,
        isAsked: asked.builtIn(spec),
        found: await finds({ spec }),
      })),
    );
    expect(seen.filter(({ isAsked, found }) => found && !isAsked)).toEqual([]);
    const forNothing = seen.filter(({ isAsked, found }) => isAsked && !found);
    expect([seen.length, seen.filter(({ found }) => found).length]).toEqual([127, 116]);
    expect(forNothing).toEqual([]);
    expect(seen.filter(({ spec }) => asked.builtIn(spec, spec))).toEqual([]);
  });
});

describe('ordinary images', () => {
  const ofApp = (image: string): PodSpec => ({ containers: [container(image)] });
  const asVolume = (image: string): PodSpec => ({
    containers: [container('nginx')],
    volumes: [imageVolume(image)],
  });

  it('are not asked about, though some have Istio’s name', () => {
    expect(ordinaryImages.filter((image) => /istio|pilot|proxyv2/.test(image)).length).toBeGreaterThan(100);
    expect(ordinaryImages.filter((image) => asked.builtIn(ofApp(image)))).toEqual([]);
    expect(ordinaryImages.filter((image) => asked.builtIn(asVolume(image)))).toEqual([]);
  });

  it('are not asked about if all of a registry is a mirror but Istio’s copies lie directly below it', () => {
    const mirrors = [{ mirror: 'registry.corp.example', of: 'docker.io/istio' }];
    const matches = compileCondition(expressionOf({ ...builtIn, mirrors }, []));
    const asks = (image: string) => matches(ofApp(`registry.corp.example/${image}`));
    expect([asks('proxyv2:1.28.0'), asks('app:1')]).toEqual([true, true]);
    expect(['library/nginx', 'shop/cart:1', 'a/b/c'].filter(asks)).toEqual([]);
  });
});

/**
 * The cost of a search in a text, as CEL counts it: a tenth of the text times a quarter of the expression (cel-go,
 * `interpreter/runtimecost.go`).
 */
const priceOfSearch = (text: number, pattern: string): number =>
  Math.ceil((text + 1) / 10) * Math.ceil(pattern.length / 4);

const searchesOf = (expression: string): readonly string[] =>
  [...expression.matchAll(/matches\(r'([^']*)'\)/g)].map(([, pattern = '']) => pattern);

const sumOf = (prices: readonly number[]): number => prices.reduce((sum, price) => sum + price, 0);

describe('the cost of a pod with 60 containers and images of 300 characters', () => {
  const BUDGET = 1_000_000;
  /** The search that most images end with; the other searches are for ten images whose names it finds. */
  const priceOf = (places: Places): number => {
    const [, wide = '', ...others] = searchesOf(expressionOf(places, []));
    const rest = sumOf(others.map((pattern) => priceOfSearch(255, pattern)));
    return 60 * priceOfSearch(300, wide) + 10 * (rest + priceOfSearch(300, basePattern));
  };

  it('is that of eight searches, and a sixth of what the API server allows, as things are', () => {
    expect(searchesOf(expressionOf(builtIn, []))).toHaveLength(8);
    expect(priceOf(builtIn)).toBeLessThan(BUDGET / 6);
  });

  it('fits if all 60 images are Istio’s, and as long as a reference may be', () => {
    const prices = searchesOf(expressionOf(builtIn, [])).map((pattern) => priceOfSearch(255, pattern));
    expect(60 * sumOf(prices)).toBeLessThan(BUDGET);
  });

  it('leaves a tenth for all but the search, with all that a configuration may name', () => {
    const many = Array.from({ length: 100 }, (_, index) => `registry.corp.example/team-${index}`);
    const placesWith = (names: readonly string[]): Places => ({
      ...builtIn,
      mirrors: names.map((mirror) => ({ mirror, of: 'docker.io/istio' })),
    });
    const [tooMuch] = findUnmatchable(placesWith(many), []);
    const price = priceOf(placesWith(many.slice(0, many.indexOf(tooMuch?.place ?? ''))));
    expect(price).toBeGreaterThan(BUDGET / 2);
    expect(price).toBeLessThan(BUDGET * 0.91);
  });
});

describe('the chart', () => {
  it('carries the expression, with marks where its values add what they name', async () => {
    const file = join(import.meta.dirname, '../../charts/sailmark/files/match-condition.cel');
    await expect(`${chartExpression}\n`).toMatchFileSnapshot(file);
    const { wide, exact } = matchPatterns(matchPlaces, digests);
    const filled = chartExpression
      .replace('<more>', () => wide.slice(basePattern.length))
      .replace('<exactly>', () => exact.slice(lookAlikePattern.length));
    expect(filled).toBe(expressionOf(matchPlaces, digests));
    const hubsFile = join(import.meta.dirname, '../../charts/sailmark/files/built-in-hubs.txt');
    await expect(`${builtInHubNames.join('\n')}\n`).toMatchFileSnapshot(hubsFile);
    expect(chartExpression.replace('<more>', '').replace('<exactly>', '')).toBe(expressionOf(builtIn, []));
  });
});

/**
 * Pods as the API server writes them: every container has a name, no list is empty, and no image is an empty string.
 */
const names = fc.constantFrom('app', 'web', 'istio-proxyx', ...istioContainerNames, ...genericContainerNames);
const podSpecs = (texts: fc.Arbitrary<string>): fc.Arbitrary<PodSpec> => {
  const image = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('nginx', 'busybox', 'auto', undefined) },
    { weight: 2, arbitrary: texts },
  );
  const containers = fc.uniqueArray(fc.tuple(image, names), { maxLength: 3, selector: ([, name]) => name });
  const list = containers.map((all) =>
    all.length === 0 ? undefined : all.map(([one, name]) => container(one, name)),
  );
  const volumes = fc
    .uniqueArray(fc.tuple(image, names), { maxLength: 2, selector: ([, name]) => name })
    .map((all) =>
      all.map(([one, name]) => (one === undefined ? { name, emptyDir: {} } : imageVolume(one, name))),
    );
  return fc
    .record({ containers: list, initContainers: list, ephemeralContainers: list, volumes })
    .map((lists) =>
      Object.fromEntries(Object.entries(lists).filter(([, one]) => one !== undefined && one.length > 0)),
    );
};

/** Labels and service accounts, of which some are istiod's. */
const labels = fc.constantFrom(
  undefined,
  {},
  { app: 'eureka' },
  { app: 'istiod' },
  { istio: 'pilot', app: 'web' },
  { istio: 'ingressgateway' },
);
const accounts = fc.constantFrom(
  {},
  {},
  { serviceAccountName: 'default' },
  { serviceAccountName: 'istiod-a' },
);

/** A pod and its old object: none, another pod, or the same with some other lists. */
const changes = (texts: fc.Arbitrary<string>): fc.Arbitrary<Change> => {
  const specs = fc
    .tuple(podSpecs(texts), accounts)
    .map(([spec, account]): PodSpec => ({ ...spec, ...account }));
  const lists = fc.subarray(['containers', 'initContainers', 'ephemeralContainers', 'volumes']);
  const pairs = fc.oneof(
    specs.map((spec) => ({ spec })),
    fc.record({ spec: specs, before: specs }),
    fc.tuple(specs, specs, lists).map(([spec, other, changed]) => ({
      spec,
      before: { ...spec, ...Object.fromEntries(changed.map((list) => [list, other[list] ?? []])) },
    })),
  );
  return fc.tuple(pairs, labels, labels).map(([pair, now, earlier]) => ({
    ...pair,
    ...(now === undefined ? {} : { labels: now }),
    ...(earlier === undefined ? {} : { labelsBefore: earlier }),
  }));
};

describe.each([
  ['the built-in hubs', builtIn, [], asked.builtIn, ['docker.io/istio']],
  [
    'a configuration of its own',
    matchPlaces,
    revoked,
    asked.configured,
    ['registry.corp.example/mesh', 'registry.corp.example:5000/upstream', 'corp', 'corp/m.e'],
  ],
] as const)('with %s', (_, places, ofRevoked, matches, writtenPlaces) => {
  const texts = fc.oneof(
    { weight: 9, arbitrary: imageTexts(writtenPlaces) },
    { weight: 1, arbitrary: fc.constantFrom(...digests).map((digest) => `nginx@${digest}`) },
  );

  it('the API server asks about every pod that the webhook finds something in, and errs on none', async () => {
    const finds = webhook(places, ofRevoked);
    let found = 0;
    await fc.assert(
      fc.asyncProperty(changes(texts), async (change) => {
        const isAsked = matches(change.spec, change.before, change.labels, change.labelsBefore);
        if (!(await finds(change))) return;
        found += 1;
        expect({ change, isAsked }).toEqual({ change, isAsked: true });
      }),
      { numRuns: RUNS },
    );
    expect(found).toBeGreaterThan(RUNS / 5);
  });

  it('the API server asks about no pod with valid images that the webhook finds nothing in', async () => {
    const finds = webhook(places, ofRevoked);
    const isValid = (text: string) => text.length <= 255 && parseImageReference(text).ok;
    // Some hosts with capitals are asked about for their spelling.
    const isUsual = (text: string) => !/^[^/]*[A-Z]/.test(text);
    const usual = texts.filter((text) => isValid(text) && isUsual(text));
    let unasked = 0;
    await fc.assert(
      fc.asyncProperty(changes(usual), async (change) => {
        const isAsked = matches(change.spec, change.before, change.labels, change.labelsBefore);
        if (await finds(change)) return;
        unasked += 1;
        expect({ change, isAsked }).toEqual({ change, isAsked: false });
      }),
      { numRuns: RUNS },
    );
    expect(unasked).toBeGreaterThan(RUNS / 10);
  });
});
