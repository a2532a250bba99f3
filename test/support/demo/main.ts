import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { review } from '../builders.ts';
import { patchOf } from '../pinning.ts';
import { startRegistry } from '../registry-server.ts';
import { createTls } from '../tls.ts';
import { type ReviewResponse, startWebhook } from '../webhook.ts';
import { pushDemoImages } from './images.ts';
import { injectedPod } from './pods.ts';
import { screen } from './screen.ts';

/*
 * Demonstrates the webhook on this machine alone: a registry, `serve` over TLS, and AdmissionReviews of pods that Istio's
 * own injector made. Each row is a request to the webhook, and its verdict is compared with the expected one.
 */

/** Long enough to show a tag resolved from memory, short enough to show it move. */
const TAG_MEMORY_MS = 1000;

const POD = 'auth.yaml.injected';
const OTHER_POD = 'hello-multi.yaml.injected';

const registry = await startRegistry();
const images = pushDemoImages(registry, registry.host);
const tls = createTls();
const evidence = await mkdtemp(join(tmpdir(), 'sailmark-demo-'));
const configuration = {
  keys: [{ inline: images.publicPem }],
  mirrors: [{ mirror: `${registry.host}/istio`, of: 'docker.io/istio' }],
  registries: [{ host: registry.host, plainHTTP: true }],
  evidence: { write: evidence },
  tagMemory: `${TAG_MEMORY_MS}ms`,
};
let webhook = await startWebhook(configuration, tls);

let wrongRows = 0;

const verdictOf = ({ allowed, auditAnnotations, patch }: ReviewResponse): string => {
  if (!allowed) return 'refused';
  if (patch !== undefined) return 'pinned';
  const verdict = auditAnnotations?.['verdict'];
  return { warn: 'warned', audit: 'audited' }[verdict ?? ''] ?? 'allowed';
};

/** Sends a review of a pod with this image, prints the row, and counts it as wrong if it is not as expected. */
const show = async (
  image: string,
  expected: { readonly verdict: string; readonly code?: string; readonly requests?: number },
  options: { readonly path?: string; readonly pod?: string; readonly why?: string } = {},
): Promise<ReviewResponse> => {
  const before = registry.requests.length;
  const pod = injectedPod(options.pod ?? POD, image) as Parameters<typeof review>[0];
  const { response, milliseconds } = await webhook.sendReview(
    options.path ?? '/validate/enforce',
    review(pod),
  );
  const requests = registry.requests.length - before;
  const code = response.auditAnnotations?.['reason'] ?? '';
  const verdict = verdictOf(response);
  const isExpected =
    verdict === expected.verdict &&
    code === (expected.code ?? '') &&
    (expected.requests === undefined || requests === expected.requests);
  if (!isExpected) wrongRows += 1;
  const name = image.replace(`${registry.host}/`, '').replace(/@sha256:(.{8}).*/, '@sha256:$1…');
  const why = [code, options.why].filter((text) => text !== undefined && text !== '').join(': ');
  screen.row({ image: name, verdict: isExpected ? verdict : `${verdict}!`, why, milliseconds, requests });
  return response;
};

screen.title('sailmark: a pod starts only if every Istio image in it is signed');
screen.text(
  `The registry on ${registry.host} is a mirror of docker.io/istio. Its images are signed as cosign signs them, with a key made for this run.`,
);
screen.text(
  `The webhook on ${webhook.url} receives AdmissionReviews of pods that Istio's own injector made.`,
);

screen.step('Signed by the trusted key: the pod starts');
screen.head();
await show(images.signed, { verdict: 'allowed' }, { why: 'a multi-arch image by tag' });
await show(images.signedByDigest, { verdict: 'allowed' }, { why: 'an image by digest' });
await show(
  images.signedByBundle,
  { verdict: 'allowed' },
  { why: 'signed with a cosign 3 bundle, as Istio 1.29 and later are' },
);
await show(
  images.signed,
  { verdict: 'allowed', requests: 0 },
  { pod: OTHER_POD, why: 'another pod with the same image: from memory' },
);

screen.step('Not signed, or not by the trusted key for this image: the pod does not start');
screen.head();
const refusal = await show(
  images.unsigned,
  { verdict: 'refused', code: 'signature-missing' },
  { why: 'no signature' },
);
await show(
  images.signedByOtherKey,
  { verdict: 'refused', code: 'signer-untrusted' },
  { why: 'signed by another key' },
);
await show(
  images.lookAlike,
  { verdict: 'refused', code: 'image-look-alike' },
  { why: 'named proxyv2, but on no hub or mirror' },
);
await show(
  images.otherComponent,
  { verdict: 'refused', code: 'component-mismatch' },
  { why: 'a valid signature, but for ztunnel' },
);
await show(
  images.startsOtherComponent,
  { verdict: 'refused', code: 'component-mismatch' },
  { why: 'a valid bundle, but its configuration starts ztunnel' },
);
screen.label('The message for the first of these pods:');
screen.quote(refusal.status?.message ?? '');

screen.step(
  'A tag moves to an unsigned image: its earlier verdict does not count, and a pod that was pinned keeps its digest',
);
screen.head();
await show(images.moving, { verdict: 'allowed' }, { why: 'the tag resolves to a signed image' });
const pinning = await show(
  images.moving,
  { verdict: 'pinned', requests: 0 },
  { path: '/mutate/pin', why: 'the mutating webhook appends the digest' },
);
const pinned = patchOf(pinning)[0]?.value ?? images.moving;
images.moveTag();
await delay(TAG_MEMORY_MS + 100);
await show(
  images.moving,
  { verdict: 'refused', code: 'signature-missing' },
  { why: 'the same tag after the move' },
);
await show(
  pinned,
  { verdict: 'allowed', requests: 0 },
  { why: 'the pinned pod after the move: the node pulls the signed digest' },
);
screen.label('The image of the pinned pod:');
screen.quote(pinned);

screen.step(
  'Before you enforce: warn mode shows the refusal to the user, audit mode records it in the audit log',
);
screen.head();
const warned = await show(
  images.unsigned,
  { verdict: 'warned', code: 'signature-missing' },
  { path: '/validate/warn', why: 'starts, with a warning' },
);
const audited = await show(
  images.unsigned,
  { verdict: 'audited', code: 'signature-missing' },
  { path: '/validate/audit', why: 'starts, recorded' },
);
screen.label('The warning:');
screen.quote(warned.warnings?.[0] ?? '');
screen.label('The audit annotations:');
screen.quote(JSON.stringify(audited.auditAnnotations));

screen.step('The registry is down: verified images still start, unknown ones are refused with the reason');
await registry.close();
screen.head();
await show(images.signedByDigest, { verdict: 'allowed', requests: 0 }, { why: 'a digest, from memory' });
const stale = await show(
  images.signed,
  { verdict: 'warned', code: 'registry-unavailable' },
  { why: 'a tag, as last resolved' },
);
await show(
  images.signed,
  { verdict: 'pinned' },
  { path: '/mutate/pin', why: 'the same tag, pinned to its last digest' },
);
const unknown = await show(
  images.neverRequested,
  { verdict: 'refused', code: 'registry-unavailable' },
  { why: 'not verified before' },
);
screen.label('The warning, and the refusal:');
screen.quote(stale.warnings?.[0] ?? '');
screen.quote(unknown.status?.message ?? '');

screen.step(
  'The webhook restarts while the registry is down: it verifies images again, from the evidence that it stored',
);
await webhook.stop();
webhook = await startWebhook(configuration, tls);
screen.head();
await show(images.signedByDigest, { verdict: 'allowed', requests: 0 }, { why: 'a digest, from evidence' });
await show(
  images.signedByBundle,
  { verdict: 'warned', code: 'registry-unavailable' },
  { why: 'a tag, as last resolved' },
);
await show(
  images.neverRequested,
  { verdict: 'refused', code: 'registry-unavailable' },
  { why: 'no evidence' },
);

await webhook.stop();
await rm(evidence, { recursive: true });

if (wrongRows > 0) {
  screen.step(`${wrongRows} rows are not as expected (marked "!").`);
  process.exitCode = 1;
} else {
  screen.step('Every row is as expected. Next:');
  for (const [argv, does] of [
    ['verify docker.io/istio/pilot:1.28.0', "a real release, by Istio's release keys (needs the network)"],
    ['review -f pod.yaml', 'how the webhook would respond to a manifest'],
    ['--help', 'everything else; see README.md'],
  ] as const) {
    screen.text(`  npm run -s sailmark -- ${argv}`);
    screen.quote(does);
  }
}
