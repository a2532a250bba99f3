import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chartExpression, createReviewer, matchConditions } from '../../src/admission/index.ts';
import {
  basePattern,
  builtInHubs,
  createClassifier,
  findUnmatchable,
  istioContainerNames,
  matchPattern,
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
  return async (spec: PodSpec, before?: PodSpec): Promise<boolean> => {
    const update = before === undefined ? {} : { operation: 'UPDATE', oldObject: pod(before) };
    const context = { mode: 'enforce', critical: false } as const;
    const { record } = await reviewer.review(
      review(pod(spec), update),
      context,
      new AbortController().signal,
    );
    return record.findings.length > 0;
  };
};

const findWrongMatches = (matches: typeof asked.builtIn, cases: readonly MatchCase[], wanted: boolean) =>
  cases.filter(({ spec, before }) => matches(spec, before) !== wanted).map(({ name }) => name);

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
      Promise.all(cases.map(async ({ name, spec, before }) => [name, await finds(spec, before)]));
    const all = (cases: readonly MatchCase[], found: boolean) => cases.map(({ name }) => [name, found]);
    const matching = [...mustMatch, ...mustMatchConfigured];
    expect(await findings(matching)).toEqual(all(matching, true));
    expect(await findings(mustNotMatch)).toEqual(all(mustNotMatch, false));
  });

  it('is each pod of Istio’s injector that the webhook finds something in; of the others Istio’s samples alone', async () => {
    const finds = webhook(builtIn, []);
    const pods = readFixture<readonly { readonly pod: { readonly spec: PodSpec } }[]>('istio', 'pods.json');
    const seen = await Promise.all(
      pods.map(async ({ pod: { spec } }) => ({
        spec,
        isAsked: asked.builtIn(spec),
        found: await finds(spec),
      })),
    );
    expect(seen.filter(({ isAsked, found }) => found && !isAsked)).toEqual([]);
    const forNothing = seen.filter(({ isAsked, found }) => isAsked && !found);
    const isSample = ({ spec }: { readonly spec: PodSpec }) =>
      JSON.stringify(spec).includes('/examples-bookinfo-');
    expect([seen.length, seen.filter(({ found }) => found).length, forNothing.length]).toEqual([127, 116, 6]);
    expect(forNothing.every(isSample)).toBe(true);
    expect(seen.filter(({ spec }) => asked.builtIn(spec, spec))).toEqual([]);
  });
});

/**
 * Ordinary images that the API server sends anyway: the placeholder, samples of a hub, names that contain one of
 * Istio's.
 */
const MATCHED_ORDINARY_IMAGES = `
auto bitnami/istioctl calico/pilot-light pilot acme/pilot acme/pilot-agent acme/istioctl-action acme/proxyv2-exporter
acme/web-proxyv2 acme/ztunnels acme/my-install-cni-test acme/mistiopilot ghcr.io/acme/platform/pilot
quay.io/jetstack/cert-manager-istio-csr gcr.io/istio-release/examples-helloworld-v1 [::1]:5000/acme/pilot
istio/examples-bookinfo-productpage-v1:1.20.3 istio/examples-helloworld-v2 istio/tcp-echo-server:1.3
`
  .trim()
  .split(/\s+/);

describe('ordinary images', () => {
  it('are not asked about, but for those that come nearest to Istio’s', () => {
    const ofApp = (image: string): PodSpec => ({ containers: [container(image)] });
    expect(ordinaryImages.filter((image) => asked.builtIn(ofApp(image)))).toEqual(MATCHED_ORDINARY_IMAGES);
  });
});

/**
 * The maximum cost of a search in a text, as CEL counts it: a tenth of the text times a quarter of the expression
 * (cel-go, `interpreter/runtimecost.go`).
 */
const priceOfSearch = (text: number, expression: string): number => {
  const [, regularExpression = ''] = /matches\(r'([^']*)'\)/.exec(expression) ?? [];
  return Math.ceil((text + 1) / 10) * Math.ceil(regularExpression.length / 4);
};

describe('the cost of a pod with 60 containers and images of 300 characters', () => {
  const BUDGET = 1_000_000;

  it('is a tenth of what the API server allows, as things are', () => {
    expect(60 * priceOfSearch(300, expressionOf(builtIn, []))).toBeLessThan(BUDGET / 10);
  });

  it('leaves a tenth for all but the search, with all that a configuration may name', () => {
    const many = Array.from({ length: 100 }, (_, index) => `registry.corp.example/team-${index}`);
    const placesWith = (names: readonly string[]): Places => ({
      ...builtIn,
      mirrors: names.map((mirror) => ({ mirror, of: 'docker.io/istio' })),
    });
    const [tooMuch] = findUnmatchable(placesWith(many), []);
    const most = placesWith(many.slice(0, many.indexOf(tooMuch?.place ?? '')));
    const price = 60 * priceOfSearch(300, expressionOf(most, []));
    expect(price).toBeGreaterThan(BUDGET / 2);
    expect(price).toBeLessThan(BUDGET * 0.9);
  });
});

describe('the chart', () => {
  it('carries the expression, with a mark where its values add what they name', async () => {
    const file = join(import.meta.dirname, '../../charts/sailmark/files/match-condition.cel');
    await expect(`${chartExpression}\n`).toMatchFileSnapshot(file);
    const more = matchPattern(matchPlaces, digests).slice(basePattern.length);
    expect(chartExpression.replaceAll('<more>', () => more)).toBe(expressionOf(matchPlaces, digests));
    expect(chartExpression.replaceAll('<more>', '')).toBe(expressionOf(builtIn, []));
  });
});

/**
 * Pods as the API server writes them: every container has a name, no list is empty, and no image is an empty string.
 */
const names = fc.constantFrom('app', 'web', 'istio-proxyx', ...istioContainerNames);
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

/** A pod and its old object: none, another pod, or the same with some other lists. */
const changes = (texts: fc.Arbitrary<string>): fc.Arbitrary<readonly [PodSpec, PodSpec | undefined]> => {
  const specs = podSpecs(texts);
  return fc.oneof(
    specs.map((spec) => [spec, undefined] as const),
    fc.tuple(specs, specs),
    fc
      .tuple(specs, specs, fc.subarray(['containers', 'initContainers', 'ephemeralContainers', 'volumes']))
      .map(
        ([spec, other, changed]) =>
          [
            spec,
            { ...spec, ...Object.fromEntries(changed.map((list) => [list, other[list] ?? []])) },
          ] as const,
      ),
  );
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
      fc.asyncProperty(changes(texts), async ([spec, before]) => {
        const isAsked = matches(spec, before);
        if (!(await finds(spec, before))) return;
        found += 1;
        expect({ spec, before, isAsked }).toEqual({ spec, before, isAsked: true });
      }),
      { numRuns: RUNS },
    );
    expect(found).toBeGreaterThan(RUNS / 5);
  });
});
