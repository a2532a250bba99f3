import { type Digest, digestOf } from '../../src/image/index.ts';
import { bundleOf, pushBundle } from '../support/bundle-kit.ts';
import {
  createSigner,
  imageManifest,
  type PushTarget,
  push,
  pushSignatures,
  sign,
} from '../support/signing-kit.ts';

export const REPOSITORIES = ['pilot', 'proxyv2', 'ztunnel'] as const;
export type RepositoryName = (typeof REPOSITORIES)[number];

export interface StoredManifest {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

/** The contents of a repository besides the tags of images. */
export interface Content {
  readonly manifests: ReadonlyMap<string, StoredManifest>;
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  /** The tags of signatures: `sha256-….sig`. */
  readonly tags: ReadonlyMap<string, Digest>;
  /** The lists of referrers, by the digest that they refer to. */
  readonly referrers: ReadonlyMap<string, StoredManifest>;
}

/** The images of a repository, by number: 0 to 5 are signed, 6 and 7 are not, 8 and 9 are signed in the course of a schedule. */
export const SIGNED = [0, 1, 2, 3, 4, 5] as const;
export const UNSIGNED = [6, 7] as const;
export const SIGNED_LATER = [8, 9] as const;

/** The tags of a repository at first, and the images that they stand for. */
export const FIRST_TAGS: Readonly<Record<string, number>> = {
  v0: 0,
  v1: 1,
  v2: 2,
  v3: 3,
  u: 6,
  later: 8,
  late: 9,
};

const INDEX = 'application/vnd.oci.image.index.v1+json';
export const NO_REFERRERS = storedOf(
  INDEX,
  JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [] }),
);

export function storedOf(mediaType: string, text: string): StoredManifest {
  const bytes = Buffer.from(text);
  return { digest: digestOf(bytes), bytes, mediaType };
}

/** The list of referrers that a registry with the API responds with. */
export const referrersListOf = (manifests: readonly StoredManifest[]): StoredManifest =>
  storedOf(
    INDEX,
    JSON.stringify({
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: manifests.map(({ digest, bytes, mediaType }) => ({ mediaType, digest, size: bytes.length })),
    }),
  );

export const signer = createSigner();

const createContent = (repository: RepositoryName) => {
  const manifests = new Map<string, StoredManifest>();
  const blobs = new Map<string, Uint8Array>();
  const tags = new Map<string, Digest>();
  const referrers = new Map<string, StoredManifest>();
  const target: PushTarget = {
    pushBlob: (_name, bytes) => void blobs.set(digestOf(bytes), bytes),
    pushManifest(_name, tag, bytes, mediaType) {
      const digest = digestOf(bytes);
      manifests.set(digest, { digest, bytes, mediaType });
      if (tag !== undefined) tags.set(tag, digest);
    },
  };
  const images = Array.from({ length: 10 }, (_, number) => {
    const digest = push(target, repository, imageManifest(`${repository} ${number}`));
    if ((UNSIGNED as readonly number[]).includes(number)) return digest;
    // Even ones by a `.sig` tag, odd ones by a bundle.
    if (number % 2 === 0)
      pushSignatures(target, repository, digest, [sign(signer, `docker.io/istio/${repository}`, digest)]);
    else {
      const bundle = pushBundle(target, repository, digest, bundleOf(signer, digest));
      referrers.set(digest, referrersListOf([manifests.get(bundle.digest) as StoredManifest]));
    }
    return digest;
  });
  return { content: { manifests, blobs, tags, referrers } satisfies Content, images };
};

const made = new Map(REPOSITORIES.map((repository) => [repository, createContent(repository)]));

const madeOf = (repository: RepositoryName) => made.get(repository) as ReturnType<typeof createContent>;

export const contentOf = (repository: RepositoryName): Content => madeOf(repository).content;

export const digestOfImage = (repository: RepositoryName, image: number): Digest =>
  madeOf(repository).images[image] as Digest;

/** The number of the image with this digest; undefined if there is none. */
export const imageOfDigest = (repository: RepositoryName, digest: string): number | undefined => {
  const number = madeOf(repository).images.indexOf(digest as Digest);
  return number === -1 ? undefined : number;
};
