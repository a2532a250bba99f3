import { type Digest, parseDigest } from './digest.ts';
import { hostProblem, pathProblem, tagProblem } from './grammar.ts';
import { createRepository, type Repository } from './repository.ts';

/**
 * An image reference in Docker's normal form. `docker.io`, `index.docker.io` and no host at all are one registry,
 * `library/` is written out, the host is in lower case.
 */
export interface ImageReference {
  /** As it was written. */
  readonly text: string;
  readonly repository: Repository;
  /** Undefined only where a digest is written and no tag; `latest` where neither is. */
  readonly tag: string | undefined;
  /** Where it is written it alone counts: a tag beside it is ignored, as the kubelet does. */
  readonly digest: Digest | undefined;
}

export type ParsedReference =
  | { readonly ok: true; readonly reference: ImageReference }
  | { readonly ok: false; readonly problem: string };

/** UTF-16 units. The grammar ends at about 900 with a host that DNS can hold; no registry takes more. */
const LONGEST_TEXT = 4096;

/** What no part of the grammar holds. */
const FOREIGN = /[^\x21-\x7e]/;

/**
 * An image's id on a node. The runtime takes it for an image that lies there already, and the grammar for a tag of
 * `library/sha256`: judging the one would let the other run.
 */
const IMAGE_ID = /^(?:sha256:)?[0-9a-f]{64}$/;

const OTHER_DIGEST = /^sha(?:384|512):/;

const DOCKER_HUB = 'docker.io';

/**
 * Parses the whole grammar of distribution/reference (`reference.go`, its comment) and normalises as Docker does
 * (`normalize.go`, `ParseNormalizedNamed` and `TagNameOnly`). Never throws; linear in the length of the text. A
 * problem is one printable line that repeats nothing of the text.
 *
 * Two differences: the host is lower-cased, and an image id (`sha256:<64 hex>` alone) is no reference.
 */
export function parseImageReference(text: string): ParsedReference {
  const unreadable = textProblem(text);
  if (unreadable !== undefined) return { ok: false, problem: unreadable };
  const [name, tag, digestText] = split(text);
  const [registry, path] = normalise(name);
  const problem =
    hostProblem(registry) ??
    pathProblem(path) ??
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

/** Name, tag and digest, none of them checked. A colon before the last slash belongs to a port or an address. */
function split(text: string): [name: string, tag: string | undefined, digest: string | undefined] {
  const at = text.indexOf('@');
  const named = at === -1 ? text : text.slice(0, at);
  const digest = at === -1 ? undefined : text.slice(at + 1);
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  return colon === -1 ? [named, undefined, digest] : [named.slice(0, colon), named.slice(colon + 1), digest];
}

/** Registry and path in Docker's normal form, neither of them checked. */
function normalise(name: string): [registry: string, path: string] {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const [registry, path] = isHost(first) ? [lowerHost(first), name.slice(slash + 1)] : [DOCKER_HUB, name];
  return registry === DOCKER_HUB && !path.includes('/') ? [registry, `library/${path}`] : [registry, path];
}

/** Whether what stands before the first slash is a host, and not the first segment of a path on Docker Hub. */
const isHost = (first: string): boolean => /[.:A-Z]/.test(first) || first === 'localhost';

/** A host that only its capitals make one (`FOO/bar`) keeps them: `foo/bar` is another image, on Docker Hub. */
function lowerHost(host: string): string {
  const lower = host.toLowerCase();
  if (lower === 'index.docker.io') return DOCKER_HUB;
  return isHost(lower) ? lower : host;
}

function textProblem(text: string): string | undefined {
  if (text === '') return 'it is empty';
  if (text.length > LONGEST_TEXT) return `it is longer than ${LONGEST_TEXT} characters`;
  if (FOREIGN.test(text)) return 'it holds a space, a control character or one outside ASCII';
  if (text.includes('://')) return 'it is a URL; write it without the scheme';
  if (IMAGE_ID.test(text)) return 'it is the id of an image on a node, and names no repository';
  return undefined;
}

function digestProblem(text: string): string | undefined {
  if (parseDigest(text) !== undefined) return undefined;
  if (OTHER_DIGEST.test(text))
    return `its digest is ${text.slice(0, 6)}, and signatures are made over sha256`;
  return 'what follows its "@" is not sha256: and 64 lower-case hexadecimal digits';
}
