import { mkdirSync, rmSync } from 'node:fs';
import { imageFor } from './base-images.ts';
import { run, toolPath } from './command.ts';
import {
  type Annotations,
  type Descriptor,
  INDEX_TYPE,
  type Index,
  type Manifest,
  readEntries,
  readJsonBlob,
  writeBlob,
  writeEntry,
} from './layout.ts';
import { imageRepository } from './project.ts';
import { type Artifact, isLoopback, places, type Release, timestampOf } from './release-context.ts';

/** The platforms of the image, by their names in Go. */
export const ARCHITECTURES = ['amd64', 'arm64'] as const;

/** Returns the predefined annotations that the index, its images (as labels too) and nothing else carry. */
export const imageAnnotations = ({ version, tag, commit, epoch, project, bases }: Release): Annotations =>
  Object.fromEntries(
    Object.entries({
      title: 'sailmark',
      description: "Lets a pod start only when every Istio image in it is signed by Istio's release key",
      licenses: 'Apache-2.0',
      version,
      revision: commit,
      created: timestampOf(epoch),
      source: project.sources,
      url: project.home,
      documentation: `${project.sources}/blob/${tag}/README.md`,
      vendor: project.vendor,
      'base.name': bases.runtime.repository,
      'base.digest': bases.runtime.digest,
    }).map(([key, value]) => [`org.opencontainers.image.${key}`, value]),
  );

/** Go's name of this machine's architecture. */
const machine = process.arch === 'x64' ? 'amd64' : process.arch;

/** Builds the Dockerfile for one platform, and returns the id of the image in buildah's store. */
const buildFor = (release: Release, store: readonly string[], architecture: string): string => {
  const { version, commit, epoch, bases } = release;
  const pairs = Object.entries(imageAnnotations(release)).map(([key, value]) => `${key}=${value}`);
  const argumentsOfBuild = {
    BUILDPLATFORM: `linux/${machine}`,
    BUILD_IMAGE: imageFor(bases.build, machine),
    RUNTIME_IMAGE: imageFor(bases.runtime, architecture),
    VERSION: version,
    COMMIT: commit,
  };
  const platform = ['--platform', `linux/${architecture}`];
  const flags = [
    ...platform,
    '--quiet',
    '--isolation=chroot',
    `--timestamp=${epoch}`,
    ...(isLoopback(bases.runtime.repository) ? ['--tls-verify=false'] : []),
    ...Object.entries(argumentsOfBuild).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]),
    ...pairs.flatMap((pair) => ['--label', pair, '--annotation', pair]),
  ];
  return (
    run(toolPath('buildah'), [...store, 'build', ...flags, '.'])
      .trim()
      .split('\n')
      .at(-1) ?? ''
  );
};

const platformOf = (layout: string, descriptor: Descriptor): Required<Descriptor>['platform'] => {
  const { config } = readJsonBlob<Manifest>(layout, descriptor);
  const { os, architecture } = readJsonBlob<Required<Descriptor>['platform']>(layout, config);
  return { os, architecture };
};

/**
 * Builds the image for every platform and writes one index of them into a layout. Nothing of the machine's own images is used:
 * buildah gets a store of its own, which is empty.
 */
export const makeImage = (release: Release): Artifact => {
  const { image: layout, work } = places(release.out);
  const store = ['--root', `${work}/images`, '--runroot', `${work}/run`, '--storage-driver', 'vfs'];
  const buildah = toolPath('buildah');
  mkdirSync(layout, { recursive: true });
  for (const architecture of ARCHITECTURES) {
    const id = buildFor(release, store, architecture);
    run(buildah, [...store, 'push', '--quiet', '--format', 'oci', id, `oci:${layout}:${architecture}`]);
  }
  run(buildah, [...store, 'rmi', '--all', '--force']);
  rmSync(work, { recursive: true, force: true });
  const manifests = readEntries(layout).map(({ mediaType, digest, size }) => {
    const descriptor = { mediaType, digest, size };
    return { ...descriptor, platform: platformOf(layout, descriptor) };
  });
  const index = {
    schemaVersion: 2,
    mediaType: INDEX_TYPE,
    manifests: manifests.toSorted((a, b) => (a.platform.architecture < b.platform.architecture ? -1 : 1)),
    annotations: imageAnnotations(release),
  } satisfies Index;
  const descriptor = writeBlob(layout, INDEX_TYPE, JSON.stringify(index));
  writeEntry(layout, release.version, descriptor);
  return {
    layout,
    repository: imageRepository(release.project.registry),
    digest: descriptor.digest,
    platforms: index.manifests.map(({ platform, digest }) => ({
      platform: `${platform.os}/${platform.architecture}`,
      digest,
    })),
  };
};
