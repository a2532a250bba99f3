import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { pod, review } from '../support/builders.ts';
import { reasonsOf } from '../support/in-process-webhook.ts';
import { createLayoutOnDisk, type LayoutOnDisk, temporaryDirectory } from '../support/layout.ts';
import { type Mirror, type MirroredImage, startMirror } from '../support/mirror.ts';
import {
  allowed,
  drop,
  hang,
  limitRate,
  refused,
  type Verdict,
  warned,
} from '../support/mirror-and-webhook.ts';
import { createSigner, pushSignatures, sign } from '../support/signing-kit.ts';
import { createTls } from '../support/tls.ts';
import { startWebhook, type Webhook } from '../support/webhook.ts';

/*
 * `serve` as a process of its own, with evidence: read while its registry is down, and written for the next start.
 */

const tls = createTls();
/** Milliseconds a review may take; the webhook responds a second earlier. */
const TIMEOUT = 2000;

const openMirror = async (): Promise<Mirror> => {
  const mirror = await startMirror();
  onTestFinished(() => mirror.registry.close());
  return mirror;
};

/** `TIMEOUT` is shorter than the default of `registrySilence`. */
const LIMITS = { registrySilence: '500ms', drain: '0s' };

const start = async (
  { configuration }: Mirror,
  { limits = {}, ...added }: { readonly limits?: object; readonly [key: string]: unknown },
): Promise<Webhook> => {
  const webhook = await startWebhook({ ...configuration, ...added, limits: { ...LIMITS, ...limits } }, tls);
  onTestFinished(() => webhook.stop());
  return webhook;
};

const verdictOn = async (webhook: Webhook, image: string): Promise<Verdict> => {
  const path = `/validate/enforce?timeout=${TIMEOUT / 1000}s`;
  const { response, milliseconds } = await webhook.sendReview(path, review(pod([image])));
  expect(milliseconds).toBeLessThan(TIMEOUT - 100);
  return { verdict: response.auditAnnotations?.['verdict'], reasons: reasonsOf(response) };
};

/** Adds an image's signature to a layout. */
const addSignature = (layout: LayoutOnDisk, { digest }: MirroredImage, by: Mirror['release']): void =>
  void pushSignatures(layout, '', digest, [sign(by, 'docker.io/istio/proxyv2', digest)]);

const stopRegistry = async ({ registry }: Mirror): Promise<void> => registry.close();

describe('evidence that is read', () => {
  it.each<[string, (layout: LayoutOnDisk, image: MirroredImage, mirror: Mirror) => void]>([
    ['is not a layout', (layout) => rmSync(join(layout.directory, 'index.json'))],
    ['has half an index', (layout) => layout.writeIndex('{"manifests":[{')],
    ['holds nothing', () => {}],
    ['holds a stranger’s signature', (layout, image) => addSignature(layout, image, createSigner())],
    [
      'was tampered with',
      (layout, image, { release }) => {
        addSignature(layout, image, release);
        for (const { digest } of layout.descriptors) {
          const path = layout.pathOf(digest);
          writeFileSync(path, readFileSync(path, 'utf8').replace('"schemaVersion":2', '"schemaVersion":3'));
        }
      },
    ],
    [
      'holds the signature of another image under this one’s name',
      (layout, image, mirror) => {
        const other = mirror.add();
        addSignature(layout, other, mirror.release);
        const index = readFileSync(join(layout.directory, 'index.json'), 'utf8');
        layout.writeIndex(index.replaceAll(other.digest.slice(7), image.digest.slice(7)));
      },
    ],
  ])('never verifies and never blocks where it %s', async (_, spoil) => {
    const mirror = await openMirror();
    const layout = createLayoutOnDisk();
    const [signed, unsigned] = [mirror.add(), mirror.add({ by: false })];
    spoil(layout, unsigned, mirror);
    const webhook = await start(mirror, { evidence: { read: [layout.directory] } });
    expect(await verdictOn(webhook, unsigned.byDigest)).toEqual(refused('signature-missing'));
    expect(await verdictOn(webhook, signed.byDigest)).toEqual(allowed);
    await stopRegistry(mirror);
    expect((await verdictOn(webhook, mirror.add({ by: false }).byDigest)).verdict).toBe('deny');
  });

  it('verifies by digest with the registry away, and says nothing of a tag', async () => {
    const mirror = await openMirror();
    const layout = createLayoutOnDisk();
    const [known, unknown] = [mirror.add(), mirror.add()];
    addSignature(layout, known, mirror.release);
    await stopRegistry(mirror);
    const webhook = await start(mirror, { evidence: { read: [layout.directory] } });
    expect(await verdictOn(webhook, known.byDigest)).toEqual(allowed);
    expect(await verdictOn(webhook, known.byTag)).toEqual(refused('registry-unavailable'));
    expect(await verdictOn(webhook, unknown.byDigest)).toEqual(refused('registry-unavailable'));
  });

  it('asks no registry for what it verifies', async () => {
    const mirror = await openMirror();
    const layout = createLayoutOnDisk();
    const image = mirror.add();
    addSignature(layout, image, mirror.release);
    const webhook = await start(mirror, { evidence: { read: [layout.directory] } });
    expect(await verdictOn(webhook, image.byDigest)).toEqual(allowed);
    expect(mirror.registry.requests).toEqual([]);
  });

  it('is read again when it changes, as a kubelet changes it, while serve runs', async () => {
    const mirror = await openMirror();
    const directory = temporaryDirectory('mounted');
    let version = 0;
    const swap = (...images: readonly MirroredImage[]): void => {
      version += 1;
      mkdirSync(join(directory, `..v${version}`));
      const layout = createLayoutOnDisk(join(directory, `..v${version}`));
      for (const image of images) addSignature(layout, image, mirror.release);
      symlinkSync(`..v${version}`, join(directory, '..next'));
      renameSync(join(directory, '..next'), join(directory, '..data'));
    };
    const [first, second] = [mirror.add(), mirror.add()];
    swap(first);
    for (const name of ['oci-layout', 'index.json', 'blobs'])
      symlinkSync(join('..data', name), join(directory, name));
    await stopRegistry(mirror);
    const webhook = await start(mirror, {
      evidence: { read: [directory] },
      limits: { rejectedMemory: '1s' },
    });
    expect(await verdictOn(webhook, first.byDigest)).toEqual(allowed);
    expect(await verdictOn(webhook, second.byDigest)).toEqual(refused('registry-unavailable'));
    swap(first, second);
    const isSeen = async () => (await verdictOn(webhook, second.byDigest)).verdict === 'allow';
    await vi.waitUntil(isSeen, { timeout: 15_000, interval: 50 });
  });
});

const TABLE = 'sailmark-tags.json';

/** Makes every entry of the table this much older. */
const age = (directory: string, milliseconds: number): void => {
  const path = join(directory, TABLE);
  const table = JSON.parse(readFileSync(path, 'utf8')) as { tags: { at: number }[] };
  const tags = table.tags.map((tag) => ({ ...tag, at: tag.at - milliseconds }));
  writeFileSync(path, JSON.stringify({ ...table, tags }));
};

const HOUR = 3_600_000;

/** Outages of a registry, with the reason that an unknown image then gets. */
const OUTAGES: readonly [string, (mirror: Mirror) => Promise<void> | void, string][] = [
  ['stopped', stopRegistry, 'registry-unavailable'],
  ['hanging', ({ registry }) => void (registry.fault = hang), 'registry-unavailable'],
  ['rate-limiting', ({ registry }) => void (registry.fault = limitRate), 'registry-rate-limited'],
  ['dropping every connection', ({ registry }) => void (registry.fault = drop), 'registry-unavailable'],
];

describe('evidence that is written', () => {
  /** Runs a first process that verifies one image by tag, and stops it. */
  const writeEvidence = async (mirror: Mirror, directory: string, image: MirroredImage): Promise<void> => {
    const webhook = await start(mirror, { evidence: { write: directory } });
    expect(await verdictOn(webhook, image.byTag)).toEqual(allowed);
    await webhook.stop();
    expect(readdirSync(directory).toSorted()).toEqual(['blobs', 'index.json', 'oci-layout', TABLE]);
  };

  it.each(OUTAGES)('lets known images start after a restart, registry %s', async (_, strike, reason) => {
    const mirror = await openMirror();
    const directory = join(temporaryDirectory('written'), 'evidence');
    const [known, unknown] = [mirror.add(), mirror.add()];
    await writeEvidence(mirror, directory, known);
    await strike(mirror);
    const webhook = await start(mirror, { evidence: { write: directory } });
    expect(await verdictOn(webhook, known.byTag)).toEqual(warned(reason));
    expect(await verdictOn(webhook, known.byDigest)).toEqual(allowed);
    expect(await verdictOn(webhook, unknown.byTag)).toEqual(refused(reason));
    expect(await verdictOn(webhook, unknown.byDigest)).toEqual(refused(reason));
  });

  it.each(OUTAGES)('refuses a tag past tagOutageWindow, registry %s', async (_, strike, reason) => {
    const mirror = await openMirror();
    const directory = join(temporaryDirectory('written'), 'evidence');
    const known = mirror.add();
    await writeEvidence(mirror, directory, known);
    age(directory, 25 * HOUR);
    await strike(mirror);
    const webhook = await start(mirror, { evidence: { write: directory } });
    expect(await verdictOn(webhook, known.byTag)).toEqual(refused(reason));
    expect(await verdictOn(webhook, known.byDigest)).toEqual(allowed);
  });

  it.each(OUTAGES)(
    'refuses a tag whose last answer is dated in the future, registry %s',
    async (_, strike, reason) => {
      const mirror = await openMirror();
      const directory = join(temporaryDirectory('written'), 'evidence');
      const known = mirror.add();
      await writeEvidence(mirror, directory, known);
      age(directory, -HOUR);
      await strike(mirror);
      const webhook = await start(mirror, { evidence: { write: directory } });
      expect(await verdictOn(webhook, known.byTag)).toEqual(refused(reason));
      expect(await verdictOn(webhook, known.byDigest)).toEqual(allowed);
    },
  );

  it('gives the configured answer to what is unknown', async () => {
    const mirror = await openMirror();
    const directory = join(temporaryDirectory('written'), 'evidence');
    const [known, unknown] = [mirror.add(), mirror.add()];
    await writeEvidence(mirror, directory, known);
    await stopRegistry(mirror);
    const allowing = await start(mirror, {
      evidence: { write: directory },
      undetermined: { enforce: 'allow' },
    });
    expect(await verdictOn(allowing, unknown.byDigest)).toEqual(warned('registry-unavailable'));
    await allowing.stop();
    const denying = await start(mirror, {
      evidence: { write: directory },
      undetermined: { enforce: 'deny' },
    });
    expect(await verdictOn(denying, known.byTag)).toEqual(refused('registry-unavailable'));
    expect(await verdictOn(denying, known.byDigest)).toEqual(allowed);
  });

  it('does not answer a tag while its registry does', async () => {
    const mirror = await openMirror();
    const directory = join(temporaryDirectory('written'), 'evidence');
    const known = mirror.add({ tag: 'moving' });
    await writeEvidence(mirror, directory, known);
    mirror.add({ tag: 'moving', by: false });
    const webhook = await start(mirror, { evidence: { write: directory } });
    expect(await verdictOn(webhook, known.byTag)).toEqual(refused('signature-missing'));
  });

  it('proves a tag’s digest: the table alone lets nothing start', async () => {
    const mirror = await openMirror();
    const directory = join(temporaryDirectory('written'), 'evidence');
    const [known, unsigned] = [mirror.add(), mirror.add({ by: false })];
    await writeEvidence(mirror, directory, known);
    const table = join(directory, TABLE);
    writeFileSync(table, readFileSync(table, 'utf8').replaceAll(known.digest, unsigned.digest));
    await stopRegistry(mirror);
    const webhook = await start(mirror, { evidence: { write: directory } });
    expect(await verdictOn(webhook, known.byTag)).toEqual(refused('registry-unavailable'));
    expect(await verdictOn(webhook, unsigned.byDigest)).toEqual(refused('registry-unavailable'));
  });

  it('counts for nothing as a table where it is only read', async () => {
    const mirror = await openMirror();
    const directory = join(temporaryDirectory('written'), 'evidence');
    const known = mirror.add();
    await writeEvidence(mirror, directory, known);
    await stopRegistry(mirror);
    const webhook = await start(mirror, { evidence: { read: [directory] } });
    expect(await verdictOn(webhook, known.byTag)).toEqual(refused('registry-unavailable'));
    expect(await verdictOn(webhook, known.byDigest)).toEqual(allowed);
  });

  it('is judged by the keys of the next start', async () => {
    const mirror = await openMirror();
    const directory = join(temporaryDirectory('written'), 'evidence');
    const known = mirror.add();
    await writeEvidence(mirror, directory, known);
    await stopRegistry(mirror);
    const keys = [{ inline: createSigner().publicPem }];
    const webhook = await start(mirror, { evidence: { write: directory }, keys });
    expect((await verdictOn(webhook, known.byDigest)).verdict).toBe('deny');
    expect((await verdictOn(webhook, known.byTag)).verdict).toBe('deny');
  });

  it.each<[string, (directory: string) => void]>([
    ['its index is cut off', (directory) => writeFileSync(join(directory, 'index.json'), '{"manifests":[')],
    ['its table is cut off', (directory) => writeFileSync(join(directory, TABLE), '{"schema":')],
    ['its blobs are gone', (directory) => rmSync(join(directory, 'blobs'), { recursive: true })],
    [
      'it became somebody’s file',
      (directory) => {
        rmSync(directory, { recursive: true });
        writeFileSync(directory, 'x');
      },
    ],
  ])('stops nothing where %s, and what a registry proves still starts', async (_, spoil) => {
    const mirror = await openMirror();
    const directory = join(temporaryDirectory('written'), 'evidence');
    const [known, next] = [mirror.add(), mirror.add()];
    await writeEvidence(mirror, directory, known);
    spoil(directory);
    const webhook = await start(mirror, { evidence: { write: directory } });
    expect(await verdictOn(webhook, known.byTag)).toEqual(allowed);
    expect(await verdictOn(webhook, next.byDigest)).toEqual(allowed);
    await webhook.stop();
  });
});
