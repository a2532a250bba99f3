import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { digestOf } from '../../src/image/index.ts';
import { fixturePath, readFixture } from './fixtures.ts';
import type { PushTarget } from './signing-kit.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';

/** A descriptor of `index.json`, which may be wrong. */
export interface Described {
  readonly mediaType?: string;
  readonly digest: string;
  readonly size?: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An OCI image layout made by hand. A pushed manifest is named by its tag; its repository is ignored. */
export interface LayoutOnDisk extends PushTarget {
  readonly directory: string;
  readonly descriptors: Described[];
  /** The path of a blob. */
  pathOf(digest: string): string;
  /** Adds descriptors to `index.json`, whether their blobs exist or not. */
  describe(...descriptors: readonly Described[]): void;
  /** Writes this content to `index.json`. */
  writeIndex(content: string | Uint8Array): void;
}

/** Creates a directory that is removed when the test ends. */
export const temporaryDirectory = (name: string): string => {
  const directory = mkdtempSync(join(tmpdir(), `sailmark-${name}-`));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};

export const createLayoutOnDisk = (directory = temporaryDirectory('layout')): LayoutOnDisk => {
  const blobs = join(directory, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  const descriptors: Described[] = [];
  const pathOf = (digest: string): string => join(blobs, digest.slice('sha256:'.length));
  const writeIndex = (content: string | Uint8Array): void =>
    writeFileSync(join(directory, 'index.json'), content);
  const describe = (...added: readonly Described[]): void => {
    descriptors.push(...added);
    writeIndex(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: descriptors }));
  };
  const pushBlob = (_: string, bytes: Uint8Array): void => writeFileSync(pathOf(digestOf(bytes)), bytes);
  writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  describe();
  return {
    directory,
    descriptors,
    pathOf,
    describe,
    writeIndex,
    pushBlob,
    pushManifest(repository, tag, bytes, mediaType) {
      pushBlob(repository, bytes);
      const annotations =
        tag === undefined ? {} : { annotations: { 'org.opencontainers.image.ref.name': tag } };
      describe({ mediaType, digest: digestOf(bytes), size: bytes.length, ...annotations });
    },
  };
};

interface Vector {
  readonly repository: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly manifests: readonly {
    readonly digest: string;
    readonly mediaType: string;
    readonly file: string;
  }[];
  readonly blobs: readonly { readonly file: string }[];
}

/** A vector of cosign as a layout: every manifest with each of its tags, or without a tag. */
export const layoutOfVector = (vector: string): LayoutOnDisk => {
  const { repository, tags, manifests, blobs } = readFixture<Vector>('cosign', vector, 'index.json');
  const layout = createLayoutOnDisk();
  for (const { file } of blobs)
    layout.pushBlob(repository, readFileSync(fixturePath('cosign', vector, file)));
  for (const { digest, mediaType, file } of manifests) {
    const named = Object.keys(tags).filter((tag) => tags[tag] === digest);
    for (const tag of named.length === 0 ? [undefined] : named)
      layout.pushManifest(repository, tag, readFileSync(fixturePath('cosign', vector, file)), mediaType);
  }
  return layout;
};
