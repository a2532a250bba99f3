import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { review } from '../builders.ts';
import { startRegistry } from '../registry-server.ts';
import { createTls } from '../tls.ts';
import { type Answer, startWebhook } from '../webhook.ts';
import { pushDemoImages } from './images.ts';
import { injectedPod } from './pods.ts';
import { screen } from './screen.ts';

/*
 * The main job on screen, with nothing but this machine: a registry, `serve` over TLS, AdmissionReviews of pods that
 * Istio's own injector made. Every row is asked of the webhook, and compared with what it must be.
 */

/** Long enough to see a tag answered from memory, short enough to see it move. */
const TAG_MEMORY_MS = 1000;

const POD = 'auth.yaml.injected';
const OTHER_POD = 'hello-multi.yaml.injected';

const registry = await startRegistry();
const stage = pushDemoImages(registry, registry.host);
const tls = createTls();
const evidence = await mkdtemp(join(tmpdir(), 'sailmark-demo-'));
const configuration = {
  keys: [{ inline: stage.publicPem }],
  mirrors: [{ mirror: `${registry.host}/istio`, of: 'docker.io/istio' }],
  registries: [{ host: registry.host, plainHTTP: true }],
  evidence: { write: evidence },
  tagMemory: `${TAG_MEMORY_MS}ms`,
};
let webhook = await startWebhook(configuration, tls);

let wrong = 0;

const verdictOf = ({ allowed, auditAnnotations }: Answer): string => {
  if (!allowed) return 'refused';
  const verdict = auditAnnotations?.['verdict'];
  return { warn: 'warned', audit: 'audited' }[verdict ?? ''] ?? 'allowed';
};

/** Asks about a pod with this image, prints the row, and notes where it is not what it must be. */
const show = async (
  image: string,
  expected: { readonly verdict: string; readonly code?: string; readonly requests?: number },
  options: { readonly path?: string; readonly pod?: string; readonly why?: string } = {},
): Promise<Answer> => {
  const before = registry.requests.length;
  const pod = injectedPod(options.pod ?? POD, image) as Parameters<typeof review>[0];
  const { answer, milliseconds } = await webhook.ask(options.path ?? '/validate/enforce', review(pod));
  const requests = registry.requests.length - before;
  const code = answer.auditAnnotations?.['reason'] ?? '';
  const verdict = verdictOf(answer);
  const right =
    verdict === expected.verdict &&
    code === (expected.code ?? '') &&
    (expected.requests === undefined || requests === expected.requests);
  if (!right) wrong += 1;
  const name = image.replace(`${registry.host}/`, '').replace(/@sha256:(.{8}).*/, '@sha256:$1…');
  const why = [code, options.why].filter((part) => part !== undefined && part !== '').join(': ');
  screen.row({ image: name, verdict: right ? verdict : `${verdict}!`, why, milliseconds, requests });
  return answer;
};

screen.title('sailmark: a pod starts only when every Istio image in it is signed by a trusted key');
screen.text(
  `A registry on ${registry.host}, a mirror of docker.io/istio, images signed as cosign signs them with a key made just now.`,
);
screen.text(
  `The webhook on ${webhook.url} gets real AdmissionReviews of pods that Istio's own injector made.`,
);

screen.step('Signed by the trusted key: the pod starts');
screen.head();
await show(stage.signed, { verdict: 'allowed' }, { why: 'a multi-arch image by tag, verified' });
await show(stage.signedByDigest, { verdict: 'allowed' }, { why: 'an image by digest, verified' });
await show(
  stage.signedByBundle,
  { verdict: 'allowed' },
  { why: 'a bundle of cosign 3, as Istio 1.29 and later have' },
);
await show(
  stage.signed,
  { verdict: 'allowed', requests: 0 },
  { pod: OTHER_POD, why: 'another pod, same image: from memory' },
);

screen.step('Not signed, or not as it should be: the pod does not start');
screen.head();
const refusal = await show(
  stage.unsigned,
  { verdict: 'refused', code: 'signature-missing' },
  { why: 'nobody signed it' },
);
await show(
  stage.byAStranger,
  { verdict: 'refused', code: 'signer-untrusted' },
  { why: 'signed by somebody else' },
);
await show(
  stage.lookAlike,
  { verdict: 'refused', code: 'image-look-alike' },
  { why: 'called proxyv2, from no hub we know' },
);
await show(
  stage.otherComponent,
  { verdict: 'refused', code: 'component-mismatch' },
  { why: "ztunnel's genuine signature on proxyv2" },
);
screen.text('\n  What the first of these pods is told:');
screen.quote(refusal.status?.message ?? '');

screen.step('A tag that moves to an unsigned image takes no verdict with it');
screen.head();
await show(stage.moving, { verdict: 'allowed' }, { why: 'the tag names a signed image' });
stage.moveTag();
await delay(TAG_MEMORY_MS + 100);
await show(stage.moving, { verdict: 'refused', code: 'signature-missing' }, { why: 'the same tag, moved' });

screen.step('Before you enforce: warn shows it to whoever applies the pod, audit to the audit log alone');
screen.head();
const warned = await show(
  stage.unsigned,
  { verdict: 'warned', code: 'signature-missing' },
  { path: '/validate/warn', why: 'starts, with a warning' },
);
const audited = await show(
  stage.unsigned,
  { verdict: 'audited', code: 'signature-missing' },
  { path: '/validate/audit', why: 'starts, noted' },
);
screen.text('\n  The warning:');
screen.quote(warned.warnings?.[0] ?? '');
screen.text('  The audit annotations:');
screen.quote(JSON.stringify(audited.auditAnnotations));

screen.step('The registry is gone: what is known still starts, what is not is refused and says so');
await registry.close();
screen.head();
await show(stage.signedByDigest, { verdict: 'allowed', requests: 0 }, { why: 'a digest that is remembered' });
const stale = await show(
  stage.signed,
  { verdict: 'warned', code: 'registry-unavailable' },
  { why: 'a tag, as it was last answered, with a warning' },
);
const unknown = await show(
  stage.neverAsked,
  { verdict: 'refused', code: 'registry-unavailable' },
  { why: 'never asked about before' },
);
screen.text('\n  The warning, and the refusal:');
screen.quote(stale.warnings?.[0] ?? '');
screen.quote(unknown.status?.message ?? '');

screen.step(
  'The webhook starts anew while the registry is gone: what it verified was kept as evidence, and is verified again',
);
await webhook.stop();
webhook = await startWebhook(configuration, tls);
screen.head();
await show(stage.signedByDigest, { verdict: 'allowed', requests: 0 }, { why: 'a digest, from evidence' });
await show(
  stage.signedByBundle,
  { verdict: 'warned', code: 'registry-unavailable' },
  { why: 'a tag, as last answered' },
);
await show(
  stage.neverAsked,
  { verdict: 'refused', code: 'registry-unavailable' },
  { why: 'of this there is none' },
);

await webhook.stop();
await rm(evidence, { recursive: true });

if (wrong > 0) {
  screen.text(`\n${wrong} rows are not what they must be (marked "!").`);
  process.exitCode = 1;
} else {
  screen.text('\nEvery row is what it must be. Next:');
  screen.text(
    "  npm run -s sailmark -- verify docker.io/istio/pilot:1.28.0    a real release, by Istio's release keys (needs the network)",
  );
  screen.text(
    '  npm run -s sailmark -- review -f pod.yaml                     how the webhook would respond to a manifest',
  );
  screen.text(
    '  npm run -s sailmark -- --help                                 everything else; see README.md',
  );
}
