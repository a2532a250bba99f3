import { memberOf } from '../../base/index.ts';
import { type Digest, parseDigest } from '../../image/index.ts';
import { parseStrictJson } from '../encoding/strict-json.ts';
import { type ImageStart, UNKNOWN_START } from './image-start.ts';

/** Where the configuration of an image is found. */
export type ImageManifest =
  /** `children`: the manifests of its platforms, in the order they are tried. */
  | { readonly kind: 'index'; readonly children: readonly Digest[] }
  | { readonly kind: 'image'; readonly configuration: Digest }
  /** Not an image that a node could run: it starts nothing. */
  | { readonly kind: 'other' };

const OTHER: ImageManifest = { kind: 'other' };

/** Marks the manifest of an attestation in an index (moby/buildkit, attestation-storage.md). */
const ATTESTATION = 'vnd.docker.reference.type';

/** Bounds memory; the paths of Istio's programs have 30 characters. */
const MAX_WORD_LENGTH = 256;

const digestOf = (descriptor: unknown): Digest | undefined => {
  const digest = memberOf(descriptor, 'digest');
  return typeof digest === 'string' ? parseDigest(digest) : undefined;
};

const isPlatform = (descriptor: unknown, os: string, architecture: string): boolean => {
  const platform = memberOf(descriptor, 'platform');
  return memberOf(platform, 'os') === os && memberOf(platform, 'architecture') === architecture;
};

const isAttestation = (descriptor: unknown): boolean =>
  isPlatform(descriptor, 'unknown', 'unknown') ||
  memberOf(memberOf(descriptor, 'annotations'), ATTESTATION) !== undefined;

/** The platform that most nodes have comes first, and what names no platform last. */
const rankOf = (descriptor: unknown): number => {
  if (isPlatform(descriptor, 'linux', 'amd64')) return 0;
  return memberOf(descriptor, 'platform') === undefined ? 2 : 1;
};

/** The children of one index have one signer, so any of them proves the same: the order only has to be stable. */
const childrenOf = (descriptors: readonly unknown[]): readonly Digest[] =>
  descriptors
    .filter((descriptor) => !isAttestation(descriptor))
    .toSorted((left, right) => rankOf(left) - rankOf(right))
    .flatMap((descriptor) => digestOf(descriptor) ?? []);

/**
 * Parses the manifest or index of an image by its content (image-spec, manifest.md, image-index.md). What has the
 * members of both is neither: runtimes would disagree on it.
 */
export const parseImageManifest = (bytes: Uint8Array): ImageManifest => {
  const parsed = parseStrictJson(bytes);
  if (!parsed.ok) return OTHER;
  const manifests = memberOf(parsed.value, 'manifests');
  const config = memberOf(parsed.value, 'config');
  if (Array.isArray(manifests))
    return config === undefined ? { kind: 'index', children: childrenOf(manifests) } : OTHER;
  const configuration = digestOf(config);
  return configuration === undefined || manifests !== undefined ? OTHER : { kind: 'image', configuration };
};

/**
 * Parses what a configuration starts (image-spec, config.md, `config`): the first word of `Entrypoint`, or of `Cmd` if
 * there is no entry point. Anything malformed names no start; the signer of the image made it so.
 */
export const parseStart = (bytes: Uint8Array): ImageStart => {
  const parsed = parseStrictJson(bytes);
  const config = parsed.ok ? memberOf(parsed.value, 'config') : undefined;
  const entrypoint = memberOf(config, 'Entrypoint');
  const isEmpty = entrypoint === undefined || (Array.isArray(entrypoint) && entrypoint.length === 0);
  const words = isEmpty ? memberOf(config, 'Cmd') : entrypoint;
  const word: unknown = Array.isArray(words) ? words[0] : undefined;
  return typeof word === 'string' && word.length <= MAX_WORD_LENGTH ? { word } : UNKNOWN_START;
};
