import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KubernetesObject, review } from '../support/builders.ts';
import { readFixture } from '../support/fixtures.ts';
import { startRegistry, type TestRegistry } from '../support/registry-server.ts';
import { runCli } from '../support/run-cli.ts';
import {
  createSigner,
  imageManifest,
  push,
  pushSignatures,
  type Signer,
  sign,
} from '../support/signing-kit.ts';
import { createTls } from '../support/tls.ts';
import { startWebhook, type Webhook } from '../support/webhook.ts';

/*
 * Every pod that Istio's own injector made, in four states, by the webhook as a process over HTTPS and by `review`. Its
 * Istio images are replaced by one that was pushed for this pod and state alone, so that every verdict on it is a real
 * verification: a tag resolved, a signature fetched, bytes hashed and verified.
 */

interface InjectedPod {
  readonly file: string;
  readonly pod: KubernetesObject & {
    readonly spec: Readonly<Record<string, readonly Container[] | undefined>>;
  };
}

interface Container {
  readonly name: string;
  readonly image?: string;
}

const STATES = ['signed', 'unsigned', 'signed by a stranger', 'signed as another component'] as const;
type State = (typeof STATES)[number];

const REASONS: Readonly<Record<State, string>> = {
  signed: '',
  unsigned: 'signature-missing',
  'signed by a stranger': 'signer-untrusted',
  'signed as another component': 'component-mismatch',
};

/** The tag and its signatures; a payload with another component's name cannot be rebuilt, so it is fetched. */
const REQUESTS: Readonly<Record<State, number>> = {
  signed: 3,
  unsigned: 3,
  'signed by a stranger': 3,
  'signed as another component': 4,
};

interface Expected {
  readonly verdict: string;
  readonly reasons: readonly string[];
  readonly requests: number;
}

const PODS = readFixture<readonly InjectedPod[]>('istio', 'pods.json');

/** The proxy on Istio's hubs, by the names that the injector's test data give it. */
const ISTIO_IMAGE = /^registry\.istio\.io\/(?:testing|release)\/prox[^/]*$/;
const ISTIO_CONTAINERS = ['istio-proxy', 'istio-init', 'istio-validation', 'discovery'];

const containersOf = ({ pod: { spec } }: InjectedPod): readonly Container[] => [
  ...(spec['initContainers'] ?? []),
  ...(spec['containers'] ?? []),
];
const hasIstioImages = (pod: InjectedPod): boolean =>
  containersOf(pod).some(({ image = '' }) => ISTIO_IMAGE.test(image));
/** True if a container has one of Istio's names and an image that is not Istio's: that is always a warning. */
const hasStrangeContainer = (pod: InjectedPod): boolean =>
  containersOf(pod).some(
    ({ name, image }) => image !== undefined && ISTIO_CONTAINERS.includes(name) && !ISTIO_IMAGE.test(image),
  );

const replaceImages = ({ pod }: InjectedPod, image: string): KubernetesObject =>
  JSON.parse(
    JSON.stringify(pod, (name, value: unknown) =>
      name === 'image' && typeof value === 'string' && ISTIO_IMAGE.test(value) ? image : value,
    ),
  ) as KubernetesObject;

/** The result that the webhook and `review` must have for a pod in a state. */
const expectedOf = (pod: InjectedPod, state: State): Expected => {
  const strange = hasStrangeContainer(pod) ? ['image-unrecognised'] : [];
  const reason = hasIstioImages(pod) ? REASONS[state] : '';
  const verdict = reason === '' ? (strange.length === 0 ? 'allow' : 'warn') : 'deny';
  const reasons = [...(reason === '' ? [] : [reason]), ...strange].toSorted();
  return { verdict, reasons, requests: hasIstioImages(pod) ? REQUESTS[state] : 0 };
};

interface Case {
  readonly name: string;
  readonly review: object;
  readonly expected: Expected;
}

const release = createSigner();
const stranger = createSigner();

const pushImage = (registry: TestRegistry, tag: string, state: State): string => {
  const digest = push(registry, 'istio/proxyv2', imageManifest(tag), tag);
  const put = (signer: Signer, component: string): void =>
    void pushSignatures(registry, 'istio/proxyv2', digest, [
      sign(signer, `docker.io/istio/${component}`, digest),
    ]);
  if (state === 'signed') put(release, 'proxyv2');
  if (state === 'signed by a stranger') put(stranger, 'proxyv2');
  if (state === 'signed as another component') put(release, 'ztunnel');
  return `${registry.host}/istio/proxyv2:${tag}`;
};

const casesOf = (registry: TestRegistry): readonly Case[] =>
  PODS.flatMap((pod, index) =>
    STATES.map((state, place) => {
      const image = pushImage(registry, `1.28.${index}-${place}`, state);
      const name = `${pod.file} #${index}, ${state}`;
      return { name, review: review(replaceImages(pod, image)), expected: expectedOf(pod, state) };
    }),
  );

interface Outcome {
  readonly verdict: string | undefined;
  readonly reasons: readonly string[];
  readonly requests: number;
  readonly message: string | null;
}

/** An object in the output of `review --output json`, limited to what is compared. */
interface Printed {
  readonly verdict: string;
  readonly message: string | null;
  readonly requests: number;
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

const reasonsOf = (annotations: Readonly<Record<string, string>> | undefined): readonly string[] =>
  (annotations?.['reason'] ?? '')
    .split(', ')
    .filter((code) => code !== '')
    .toSorted();

const countSignatureRequests = (registry: TestRegistry): number =>
  new Set(registry.requests.filter(({ path }) => path.endsWith('.sig')).map(({ path }) => path)).size;

describe('each of the injector’s 127 pods, in four states', () => {
  let registry: TestRegistry;
  let webhook: Webhook;
  let directory: string;
  let cases: readonly Case[];
  let configuration: object;

  beforeAll(async () => {
    registry = await startRegistry();
    directory = await mkdtemp(join(tmpdir(), 'sailmark-journey-'));
    configuration = {
      // Every pod is of one namespace, and most are refused.
      limits: { requestBudget: 100_000, drain: '0s' },
      keys: [{ inline: release.publicPem }],
      mirrors: [{ mirror: `${registry.host}/istio`, of: 'docker.io/istio' }],
      registries: [{ host: registry.host, plainHTTP: true }],
    };
    cases = casesOf(registry);
    webhook = await startWebhook(configuration, createTls());
  });
  afterAll(async () => {
    await webhook.stop();
    await registry.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('are 127: 116 hold Istio’s images, some none, one a container without an image, one no container', () => {
    const has = (test: (pod: InjectedPod) => boolean): number => PODS.filter(test).length;
    expect({
      pods: PODS.length,
      ofIstio: has(hasIstioImages),
      strange: has(hasStrangeContainer),
      withoutImage: has((pod) => containersOf(pod).some(({ image }) => image === undefined)),
      withoutContainers: has(({ pod: { spec } }) => (spec['containers'] ?? []).length === 0),
    }).toEqual({ pods: 127, ofIstio: 116, strange: 2, withoutImage: 1, withoutContainers: 1 });
  });

  /** Sends the cases one after the other, so that the requests at the registry belong to one case. */
  const reviewByWebhook = async (): Promise<readonly Outcome[]> => {
    const outcomes: Outcome[] = [];
    for (const { review: body } of cases) {
      const before = registry.requests.length;
      const { response } = await webhook.sendReview('/validate/enforce?timeout=10s', body);
      const { auditAnnotations, status } = response;
      outcomes.push({
        verdict: auditAnnotations?.['verdict'],
        reasons: reasonsOf(auditAnnotations),
        requests: registry.requests.length - before,
        message: status?.message ?? null,
      });
    }
    return outcomes;
  };

  /** Runs `review` on the same cases, in a process with a memory of its own. */
  const reviewByCommand = async (): Promise<{
    readonly code: number;
    readonly outcomes: readonly Outcome[];
  }> => {
    const config = join(directory, 'config.yaml');
    const head = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };
    await writeFile(config, JSON.stringify({ ...head, ...configuration }));
    const stdin = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: cases.map((one) => one.review) });
    const argv = ['review', '-f', '-', '--output', 'json', '--config', config];
    const { code, stdout } = await runCli(argv, { stdin });
    const { objects } = JSON.parse(stdout) as { readonly objects: readonly Printed[] };
    const outcomes = objects.map(({ verdict, message, requests, auditAnnotations }) => ({
      verdict,
      reasons: reasonsOf(auditAnnotations),
      requests,
      message,
    }));
    return { code, outcomes };
  };

  it('get the expected answer over HTTPS and the same from review, by more than 400 real verifications each', async () => {
    const overHttps = await reviewByWebhook();
    const withoutMessages = overHttps.map(({ message: _message, ...rest }, index) => ({
      name: cases[index]?.name,
      ...rest,
    }));
    expect(withoutMessages).toEqual(cases.map(({ name, expected }) => ({ name, ...expected })));
    const verifications = countSignatureRequests(registry);
    expect(verifications).toBe(4 * 116);
    expect(verifications).toBeGreaterThan(400);

    registry.clearRequests();
    const fromReview = await reviewByCommand();
    expect(fromReview.outcomes).toEqual(overHttps);
    expect(fromReview.code).toBe(12);
    expect(countSignatureRequests(registry)).toBe(verifications);
  });
});
