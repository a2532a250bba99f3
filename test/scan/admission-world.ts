import { type Arbitrary, array, constantFrom, record, tuple } from 'fast-check';
import { onTestFinished } from 'vitest';
import { type Core, compose } from '../../src/compose.ts';
import { type Config, parseConfig } from '../../src/config/index.ts';
import type { Mode } from '../../src/policy/index.ts';
import { container, imageVolume, type KubernetesObject, pod, review } from '../support/builders.ts';
import { type InProcessWebhook, startInProcessWebhook } from '../support/in-process-webhook.ts';
import { type Mirror, startMirror } from '../support/mirror.ts';
import { respondWith } from '../support/mirror-and-webhook.ts';
import { applyPatch } from '../support/pinning.ts';
import { createSigner, imageManifest } from '../support/signing-kit.ts';
import type { ReviewResponse } from '../support/webhook.ts';

/*
 * Images of every kind, pods that use them in every place, and the real webhook over HTTPS that is asked about these pods:
 * its mutating path where a namespace is pinned, then its validating path with what the first one made of the pod.
 */

/** How a webhook is asked about the pods of a namespace. */
export interface TestNamespace {
  readonly mode: Mode;
  readonly critical: boolean;
  readonly excluded: boolean;
  readonly pinned: boolean;
}

/** Images, two registries of which one is down, and a configuration that trusts both. */
export interface World {
  readonly mirror: Mirror;
  readonly images: readonly string[];
  readonly configuration: object;
}

const HEX = 'ab'.repeat(32);

/** Pushes images to a mirror, one of each kind that verification tells apart. */
const pushImages = (mirror: Mirror): readonly string[] => {
  const stranger = createSigner();
  const signed = [
    mirror.add({ tag: '1.28.1' }),
    mirror.add({ component: 'pilot' }),
    mirror.add({ bundle: true }),
  ];
  const refused = [
    mirror.add({ by: false, tag: 'unsigned' }),
    mirror.add({ by: stranger, tag: 'stranger' }),
    mirror.add({ signedAs: 'docker.io/istio/ztunnel', tag: 'other-component' }),
    mirror.add({ component: 'ztunnel', by: false, tag: 'exempt' }),
    mirror.add({ component: 'ztunnel', by: false, tag: 'exempt-in-shop' }),
  ];
  return [...signed, ...refused].flatMap(({ byTag, byDigest }) => [byTag, byDigest]);
};

/** Images that are never asked about, or not there. */
const otherImages = (host: string): readonly string[] => [
  `${host}/istio/proxyv2:absent`,
  `${host}/istio/proxyv2@sha256:${HEX}`,
  'registry.corp.example/istio/proxyv2:1.28.1',
  'registry.corp.example/mesh/istio/pilot:1.28.1',
  'docker.io/library/nginx:1.27',
  'auto',
  `${host}/istio/proxyv2@sha256:short`,
  `${host}/istio/PROXYv2:1.28.1`,
  `busybox with spaces`,
  `${host}/istio/proxyv2:${'x'.repeat(200)}`,
  `${'registry.corp.example/'.repeat(180)}istio/proxyv2`,
];

/** Starts both registries. The second one answers 503 to everything. `more` is laid over the configuration. */
export const startWorld = async (more: object = {}): Promise<World> => {
  const mirror = await startMirror();
  const down = await startMirror();
  onTestFinished(async () => void (await Promise.all([mirror.registry.close(), down.registry.close()])));
  // Digests of its own: one that the other registry proves would be verified without a request.
  const unreachable = ['one', 'two']
    .map((name) => down.add({ image: imageManifest(name) }))
    .flatMap(({ byTag, byDigest }) => [byTag, byDigest]);
  down.registry.fault = respondWith(503);
  const [host, downHost] = [mirror.registry.host, down.registry.host];
  const images = [...pushImages(mirror), ...otherImages(host), ...unreachable];
  return {
    mirror,
    images,
    configuration: {
      ...mirror.configuration,
      mirrors: [host, downHost].map((each) => ({ mirror: `${each}/istio`, of: 'docker.io/istio' })),
      registries: [host, downHost].map((each) => ({ host: each, plainHTTP: true })),
      exemptions: [
        {
          images: [`${host}/istio/ztunnel:exempt`],
          namespaces: ['*'],
          reason: 'old',
          owner: 'mesh',
          expires: '2099-01-01',
        },
        {
          images: [`${host}/istio/ztunnel:exempt-in-shop`],
          namespaces: ['shop'],
          reason: 'old',
          owner: 'mesh',
          expires: '2099-01-01',
        },
      ],
      // The webhook keeps namespaces apart; a scan is not the pods' author.
      limits: { drain: '0s', requestBudget: 100_000, imagesPerReview: 3, registrySilence: '500ms' },
      ...more,
    },
  };
};

/** Creates the core of a scan: the configuration of the webhook, and a memory of its own. */
export const startCore = async ({
  configuration,
}: Pick<World, 'configuration'>): Promise<{ core: Core; config: Config }> => {
  const head = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };
  const config = await parseConfig(JSON.stringify({ ...head, ...configuration }), () =>
    Promise.reject(new Error('there are no files in this test')),
  );
  const report = (error: unknown): string => {
    console.error(error);
    return 'incident-1';
  };
  const core = compose(config, { report, onKeyEvent: () => {}, now: Date.now });
  onTestFinished(() => core.close());
  await core.load();
  return { core, config };
};

const NAMES = ['app', 'istio-proxy', 'istio-init', 'discovery', 'ztunnel'];

/** Pods that use these images in every list that can hold one, with a name of its own for each. */
export const podsOf = (
  images: readonly string[],
  namespaces: readonly string[],
): Arbitrary<readonly KubernetesObject[]> => {
  const image = constantFrom(...images);
  const containerOf = tuple(image, constantFrom(...NAMES)).map(([of, name]) => container(of, name));
  const containers = array(containerOf, { maxLength: 3 });
  const spec = record({
    containers: array(containerOf, { minLength: 1, maxLength: 5 }),
    initContainers: containers,
    ephemeralContainers: containers,
    volumes: array(
      image.map((of) => imageVolume(of)),
      { maxLength: 2 },
    ),
  });
  const one = tuple(spec, constantFrom(...namespaces));
  return array(one, { minLength: 40, maxLength: 60 }).map((list) =>
    list.map(([content, namespace], index) => pod(content, { name: `pod-${index}`, namespace })),
  );
};

export const nameOf = ({ metadata }: KubernetesObject): string =>
  `${String(metadata['namespace'])}/${String(metadata['name'])}`;

/** Asks the webhook about a pod as the API server would: the mutating path, then the validating one. */
export const askWebhook = async (
  webhook: InProcessWebhook,
  object: KubernetesObject,
  { mode, critical, pinned }: TestNamespace,
): Promise<ReviewResponse> => {
  const place = critical ? 'critical/' : '';
  const request = { namespace: object.metadata['namespace'] };
  const pinning = pinned
    ? await webhook.sendReview(`/mutate/${place}pin?timeout=10s`, review(object, request))
    : undefined;
  const sentOn = pinning === undefined ? object : applyPatch(object, pinning);
  return webhook.sendReview(`/validate/${place}${mode}?timeout=10s`, review(sentOn, request));
};

/** The denials of a webhook by pod: what it answered, verbatim. */
export const denialsOf = async (
  webhook: InProcessWebhook,
  pods: readonly KubernetesObject[],
  namespaceOf: (name: string) => TestNamespace,
): Promise<ReadonlyMap<string, string>> => {
  const denials = new Map<string, string>();
  const waiting = pods.values();
  const work = async (): Promise<void> => {
    for (const one of waiting) {
      const namespace = namespaceOf(String(one.metadata['namespace']));
      if (namespace.excluded) continue;
      const { allowed, status } = await askWebhook(webhook, one, namespace);
      if (!allowed) denials.set(nameOf(one), status?.message ?? '');
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return denials;
};

export const startWebhookOf = ({ configuration }: Pick<World, 'configuration'>): Promise<InProcessWebhook> =>
  startInProcessWebhook(configuration);
