import { afterAll, describe, expect, it } from 'vitest';
import { compose } from '../../src/compose.ts';
import { parseConfig } from '../../src/config/index.ts';
import { explain } from '../../src/policy/index.ts';
import { bundleOf, pushBundle } from '../support/bundle-kit.ts';
import { readFixture } from '../support/fixtures.ts';
import { startRegistry } from '../support/registry-server.ts';
import {
  type Artifact,
  createSigner,
  imageIndex,
  imageManifest,
  push,
  pushSignatures,
  type Signer,
  sign,
} from '../support/signing-kit.ts';

/*
 * Every era of Istio's signing, as its releases are published: the signed manifests, the format, the key. Each is
 * pushed to a mirror and verified by every name a pod can have for it.
 */

interface Era {
  readonly versions: string;
  /** A string if the images are probably not signed. */
  readonly signed: boolean | string;
  readonly key?: string;
  readonly format?: string;
  readonly multiArch?: boolean;
  readonly signedDigests?: string;
}

const { eras } = readFixture<{ readonly eras: readonly Era[] }>('istio/signing-eras.json');

/** The first and the last version of an era: `1.12.x` is 1.12.0. */
const versionsOf = ({ versions }: Era): readonly string[] =>
  [...versions.matchAll(/\d+\.\d+\.(?:x|\d+)(?:-(?:alpha|beta|rc)\.\d+)?/g)].map(([version]) =>
    version.replace('.x', '.0'),
  );

const isSigned = ({ signed }: Era): boolean => signed === true;
const isBundled = ({ format }: Era): boolean => format?.startsWith('sigstore bundle') === true;
const isIndexOnly = ({ signedDigests }: Era): boolean => signedDigests?.startsWith('index only') === true;

const registry = await startRegistry();
const keys: Readonly<Record<string, Signer>> = { v1: createSigner(), v2: createSigner() };
const config = await parseConfig(
  JSON.stringify({
    apiVersion: 'sailmark.dev/v1alpha1',
    kind: 'Configuration',
    keys: Object.values(keys).map(({ publicPem }) => ({ inline: publicPem })),
    mirrors: [{ mirror: `${registry.host}/istio`, of: 'docker.io/istio' }],
    registries: [{ host: registry.host, plainHTTP: true }],
    // The same tag is pushed twice: with Docker's media types and with OCI's.
    tagMemory: '0s',
  }),
  () => Promise.reject(new Error('there are no files in this test')),
);
const core = compose(config, { report: String, onKeyEvent: () => undefined, now: Date.now });
await core.load();
afterAll(async () => {
  await core.close();
  await registry.close();
});

const COMPONENT = 'pilot';
const REPOSITORY = `istio/${COMPONENT}`;

const signDigest = (era: Era, digest: string): void => {
  const signer = keys[era.key?.slice(0, 2) ?? ''];
  if (signer === undefined) throw new Error(`no key of ${era.versions}`);
  if (isBundled(era)) pushBundle(registry, REPOSITORY, digest, bundleOf(signer, digest));
  else pushSignatures(registry, REPOSITORY, digest, [sign(signer, `docker.io/${REPOSITORY}`, digest)]);
};

/** Pushes a release of an era as it was published: the manifest of its tag, and the images of its platforms. */
const publish = (era: Era, version: string, docker: boolean): Artifact => {
  const seed = `${version} ${docker ? 'docker' : 'oci'}`;
  const image = era.multiArch === false ? imageManifest(seed, { docker }) : imageIndex(seed, { docker });
  push(registry, REPOSITORY, image, version);
  if (!isSigned(era)) return image;
  signDigest(era, image.digest);
  if (!isIndexOnly(era)) for (const child of image.children) signDigest(era, child.digest);
  return image;
};

/** Returns the verdict on `<tag>` or `@<digest>` of the repository. */
const judge = async (name: string) => {
  const { verification } = await core.judge.judge(
    `${registry.host}/${REPOSITORY}${name}`,
    AbortSignal.timeout(5000),
  );
  return verification?.outcome === 'verified'
    ? { word: 'verified', digest: verification.digest, format: verification.signatures[0].format, text: '' }
    : {
        word: verification?.reason.code ?? 'not judged',
        digest: verification?.digest,
        format: undefined,
        text: verification === undefined ? '' : explain(verification.reason),
      };
};

const releases = eras.flatMap((era) =>
  versionsOf(era).flatMap((version) =>
    [true, false].map((docker) => ({ era, version, docker, types: docker ? 'Docker' : 'OCI' })),
  ),
);
const signed = releases.filter(({ era }) => isSigned(era));
const formatOf = (era: Era): string => (isBundled(era) ? 'sigstore-bundle' : 'simple-signing');

describe('the table of eras', () => {
  it('holds every shape there is', () => {
    const shapes = signed.map(({ era }) =>
      era.multiArch === false ? 'single' : isIndexOnly(era) ? 'index' : `recursive ${formatOf(era)}`,
    );
    expect([...new Set(shapes)]).toEqual([
      'single',
      'index',
      'recursive simple-signing',
      'recursive sigstore-bundle',
    ]);
    expect([...new Set(signed.map(({ era }) => era.key?.slice(0, 2)))]).toEqual(['v1', 'v2']);
    expect(releases).toHaveLength(26);
  });
});

describe('a release that nobody signed', () => {
  it.each(releases.filter(({ era }) => !isSigned(era)))(
    '$version ($types) is refused, and its tag tells why',
    async ({ era, version, docker }) => {
      const image = publish(era, version, docker);
      const byTag = await judge(`:${version}`);
      expect(byTag).toMatchObject({ word: 'image-never-signed', digest: image.digest });
      expect(byTag.text).toMatch(/Istio signed no release before 1\.12|a failure of the release job/);
      expect((await judge(`@${image.digest}`)).word).toBe('signature-missing');
    },
  );
});

describe('a signed release', () => {
  it.each(signed)('$version ($types) is verified by tag', async ({ era, version, docker }) => {
    const { digest } = publish(era, version, docker);
    expect(await judge(`:${version}`)).toEqual({ word: 'verified', digest, format: formatOf(era), text: '' });
  });

  it.each(signed)('$version ($types) is verified by digest', async ({ era, version, docker }) => {
    const { digest } = publish(era, version, docker);
    for (const name of [`@${digest}`, `:${version}@${digest}`])
      expect(await judge(name)).toEqual({ word: 'verified', digest, format: formatOf(era), text: '' });
  });

  it.each(signed.filter(({ era }) => era.multiArch !== false && !isIndexOnly(era)))(
    '$version ($types) is verified by the digest of each platform',
    async ({ era, version, docker }) => {
      const { children } = publish(era, version, docker);
      expect(children).toHaveLength(2);
      for (const { digest } of children)
        expect(await judge(`@${digest}`)).toEqual({
          word: 'verified',
          digest,
          format: formatOf(era),
          text: '',
        });
    },
  );

  it.each(signed.filter(({ era }) => isIndexOnly(era)))(
    '$version ($types) is refused by the digest of a platform, and the answer says what to pin',
    async ({ era, version, docker }) => {
      const WHY = 'Istio 1.15 to 1.17 signed the index only: pin its digest, not that of one platform';
      const { children } = publish(era, version, docker);
      expect(children).toHaveLength(2);
      for (const { digest } of children) {
        expect(await judge(`@${digest}`)).toEqual({
          word: 'signature-missing',
          digest,
          format: undefined,
          text: `no signature was found (signature-missing); use a released Istio image; copy its signatures along when mirroring (cosign copy); ${WHY}`,
        });
        expect(await judge(`:${version}@${digest}`)).toEqual({
          word: 'image-never-signed',
          digest,
          format: undefined,
          text: `no signature was found, and none is expected: ${WHY} (image-never-signed); use a signed release of Istio, or exempt it`,
        });
      }
    },
  );
});
