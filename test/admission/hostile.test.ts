import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AdmissionResponse,
  createReviewer,
  MalformedReview,
  type ReviewContext,
} from '../../src/admission/index.ts';
import { createClassifier } from '../../src/istio/index.ts';
import { createJudge } from '../../src/policy/index.ts';
import { container, deployment, imageVolume, pod, review } from '../support/builders.ts';
import { rejected, rules, withoutMemory } from '../support/verdicts.ts';

const reported: unknown[] = [];
const reviewer = createReviewer({
  judge: createJudge({
    ...createClassifier({ hubs: ['docker.io/istio'], mirrors: [] }),
    verifier: withoutMemory(async () => rejected({ code: 'signature-missing' })),
    revoked: [],
    exemptions: [],
  }),
  rules: rules(),
  limits: { imagesPerReview: 8, verificationsAtOnce: 2 },
  now: () => 0,
  report: (error) => `incident-${reported.push(error)}`,
});

const contexts: fc.Arbitrary<ReviewContext> = fc.record({
  mode: fc.constantFrom('enforce', 'warn', 'audit'),
  critical: fc.boolean(),
});

const LINE = /^[^\p{C}\p{Zl}\p{Zp}]*$/u;

const isShortLine = (text: string, limit: number): boolean =>
  text.length > 0 && text.length <= limit && LINE.test(text);

/** The parts of a response that exceed Kubernetes' limits or contradict its mode. */
const breachesOf = ({ response }: AdmissionResponse, { mode }: ReviewContext): readonly string[] => {
  const { allowed, status, warnings = [], auditAnnotations } = response;
  const breaches = {
    'a status without a denial, or none with one': allowed !== (status === undefined),
    message: status !== undefined && !isShortLine(status.message, 512),
    warnings: !warnings.every((warning) => isShortLine(warning, 256)),
    'annotation keys': !Object.keys(auditAnnotations).every((key) => /^[a-z][a-z-]{0,62}$/.test(key)),
    annotations: !Object.values(auditAnnotations).every((value) => value === '' || isShortLine(value, 1024)),
    'a denial outside enforce mode': mode !== 'enforce' && !allowed,
    'a warning in audit mode': mode === 'audit' && warnings.length > 0,
  };
  return Object.entries(breaches).flatMap(([name, broken]) => (broken ? [name] : []));
};

/** `answered` if the response is within all limits, or `malformed`. Any other error is thrown. */
const outcomeOf = async (body: unknown, context: ReviewContext): Promise<string> => {
  try {
    const { response: answer } = await reviewer.review(body, context, new AbortController().signal);
    return breachesOf(answer, context)[0] ?? 'answered';
  } catch (error) {
    if (error instanceof MalformedReview) return 'malformed';
    throw error;
  }
};

const image = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    'istio/proxyv2:1',
    'corp/proxyv2:1',
    'auto',
    'redis',
    `istio/proxyv2:${'9'.repeat(5000)}`,
    'istio/\u202e\n',
  ),
);
const name = fc.oneof(
  fc.constantFrom('istio-proxy', 'app', '__proto__', 'constructor'),
  fc.string({ unit: 'binary' }),
);
const containers = fc.array(
  fc.tuple(image, name).map(([text, called]) => container(text, called)),
  { maxLength: 12 },
);
const podSpec = fc.record({
  containers,
  initContainers: containers,
  ephemeralContainers: containers,
  volumes: fc.array(fc.tuple(image, name).map(([text, called]) => imageVolume(text, called))),
});

/** The paths of all members of a JSON value. */
const pathsOf = (value: unknown, path: readonly string[] = []): (readonly string[])[] =>
  typeof value === 'object' && value !== null
    ? [path, ...Object.entries(value).flatMap(([key, member]) => pathsOf(member, [...path, key]))]
    : [path];

const replaced = (value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown => {
  if (key === undefined) return by;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>;
  copy[key] = replaced(copy[key], rest, by);
  return copy;
};

describe('a review never throws anything but MalformedReview', () => {
  it('for any JSON value', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), contexts, async (body, context) => {
        expect(await outcomeOf(body, context)).toBe('malformed');
      }),
      { numRuns: 300 },
    );
  });

  it('for any images and names, and answers', async () => {
    await fc.assert(
      fc.asyncProperty(podSpec, podSpec, contexts, fc.boolean(), async (spec, before, context, update) => {
        const body = review(pod(spec), update ? { operation: 'UPDATE', oldObject: pod(before) } : {});
        expect(await outcomeOf(body, context)).toBe('answered');
      }),
      { numRuns: 300 },
    );
  });

  it('for a real review with any member replaced by any JSON value', async () => {
    const full = {
      containers: [container('istio/proxyv2:1', 'istio-proxy')],
      volumes: [imageVolume('istio/pilot:1')],
    };
    const real = [
      review(pod(full, { name: 'web', annotations: { 'kubernetes.io/config.mirror': 'a' } }), {
        userInfo: { username: 'system:node:a', groups: ['system:nodes'] },
      }),
      review(pod(full), { operation: 'UPDATE', oldObject: pod(full) }),
      review(deployment(full)),
    ];
    const mutated = fc
      .constantFrom(...real)
      .chain((body) =>
        fc
          .tuple(fc.constantFrom(...pathsOf(body)), fc.jsonValue())
          .map(([path, by]) => replaced(body, path, by)),
      );
    await fc.assert(
      fc.asyncProperty(mutated, contexts, async (body, context) => {
        expect(['answered', 'malformed']).toContain(await outcomeOf(body, context));
      }),
      { numRuns: 1000 },
    );
  });

  it('and none of these was an error of ours', () => {
    expect(reported).toEqual([]);
  });

  it('for names that JavaScript knows', async () => {
    const body: unknown = JSON.parse(
      '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","operation":"CREATE",' +
        '"kind":{"group":"","version":"v1","kind":"constructor"},"resource":{"group":"__proto__","version":"v1",' +
        '"resource":"constructor"},"object":{"__proto__":{"spec":{}}}}}',
    );
    expect(await outcomeOf(body, { mode: 'enforce', critical: false })).toBe('answered');
  });
});
