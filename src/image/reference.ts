import { type Digest, parseDigest } from './digest.ts';
import { nameProblem, tagProblem } from './grammar.ts';
import { createRepository, type Repository } from './repository.ts';

/** An image reference in Docker's normal form: `docker.io`, `index.docker.io` and no host at all name one registry. */
export interface ImageReference {
  /** The reference as it was written. */
  readonly text: string;
  readonly repository: Repository;
  /** `latest` if neither tag nor digest is written; undefined only if a digest is written without a tag. */
  readonly tag: string | undefined;
  /** If a digest is written, it alone counts: a tag beside it is ignored, as the kubelet does. */
  readonly digest: Digest | undefined;
}

export type ParsedReference =
  | { readonly ok: true; readonly reference: ImageReference }
  | { readonly ok: false; readonly problem: string };

/**
 * UTF-16 units. With a host that DNS allows, the grammar permits about 900. It does not limit a host, nor the zeros of
 * a port, so a runtime may pull a longer reference: the classifier must not ignore it.
 */
const MAX_TEXT_LENGTH = 4096;

/** Characters that no part of the grammar allows. */
const FORBIDDEN_CHARACTER = /[^\x21-\x7e]/;

/**
 * The ID of an image on a node. A runtime takes it for an image that is on the node already, the grammar takes it for a
 * tag of `library/sha256`: a verdict on the one would let the other run.
 */
const IMAGE_ID = /^(?:sha256:)?[0-9a-f]{64}$/;

const OTHER_DIGEST = /^sha(?:384|512):/;

const DOCKER_HUB = 'docker.io';

/**
 * Parses the whole grammar of distribution/reference (`reference.go`, its comment) and normalises as Docker does
 * (`normalize.go`, `ParseNormalizedNamed` and `TagNameOnly`). Never throws; linear in the length of the text. A
 * problem is one printable line that quotes nothing of the text.
 *
 * Two differences: the host is lower-cased, and an image ID (`sha256:<64 hex>` alone) is not a reference.
 */
export function parseImageReference(text: string): ParsedReference {
  const malformed = textProblem(text);
  if (malformed !== undefined) return { ok: false, problem: malformed };
  const [name, tag, digestText] = split(text);
  const [registry, path] = normalise(name);
  const problem =
    nameProblem(registry, path) ??
    (tag === undefined ? undefined : tagProblem(tag)) ??
    (digestText === undefined ? undefined : digestProblem(digestText));
  if (problem !== undefined) return { ok: false, problem };
  const digest = digestText === undefined ? undefined : parseDigest(digestText);
  const reference = {
    text,
    repository: createRepository(registry, path),
    tag: tag ?? (digest === undefined ? 'latest' : undefined),
    digest,
  };
  return { ok: true, reference };
}

/** Splits a text into name, tag and digest, and checks none of them. A colon before the last slash belongs to a port or an address. */
function split(text: string): [name: string, tag: string | undefined, digest: string | undefined] {
  const at = text.indexOf('@');
  const named = at === -1 ? text : text.slice(0, at);
  const digest = at === -1 ? undefined : text.slice(at + 1);
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  return colon === -1 ? [named, undefined, digest] : [named.slice(0, colon), named.slice(colon + 1), digest];
}

/** Returns registry and path in Docker's normal form, and checks neither. */
function normalise(name: string): [registry: string, path: string] {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const [registry, path] = isHost(first) ? [lowerHost(first), name.slice(slash + 1)] : [DOCKER_HUB, name];
  return registry === DOCKER_HUB && !path.includes('/') ? [registry, `library/${path}`] : [registry, path];
}

/** True if the text before the first slash is a host, not the first segment of a path on Docker Hub. */
const isHost = (first: string): boolean => /[.:A-Z]/.test(first) || first === 'localhost';

/** A name that is a host only because of its capitals (`FOO/bar`) keeps them: `foo/bar` is an image on Docker Hub. */
function lowerHost(host: string): string {
  const lower = host.toLowerCase();
  if (lower === 'index.docker.io') return DOCKER_HUB;
  return isHost(lower) ? lower : host;
}

function textProblem(text: string): string | undefined {
  if (text === '') return 'the text is empty';
  if (text.length > MAX_TEXT_LENGTH) return `the text is longer than ${MAX_TEXT_LENGTH} characters`;
  if (FORBIDDEN_CHARACTER.test(text))
    return 'the text contains a space, a control character or a character outside ASCII';
  if (text.includes('://')) return 'the text is a URL; remove the scheme';
  if (IMAGE_ID.test(text)) return 'the text is the ID of an image on a node, which names no repository';
  return undefined;
}

function digestProblem(text: string): string | undefined {
  if (parseDigest(text) !== undefined) return undefined;
  if (OTHER_DIGEST.test(text))
    return `the digest is ${text.slice(0, 6)}, but signatures cover sha256 digests only`;
  return 'the digest must be sha256: followed by 64 lower-case hexadecimal digits';
}
