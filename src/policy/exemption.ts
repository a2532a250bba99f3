import { DAY_MS } from '../base/index.ts';
import type { Digest, ImageReference } from '../image/index.ts';
import type { ReasonCode } from './reason.ts';
import type { Exemption } from './rules.ts';

/** Reasons that no exemption lifts: exemptions are for signatures and names, not for what is known to be bad. */
const NEVER_LIFTED: ReadonlySet<ReasonCode> = new Set([
  'image-revoked',
  'image-reference-invalid',
  'too-many-images',
]);

/** True if `text` matches `pattern`, in which `*` is any run of characters. Linear in practice, and never a regex. */
const matchesRun = (pattern: string, text: string): boolean => {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return first === text;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
    return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const part of rest) {
    const start = text.indexOf(part, at);
    if (start === -1 || start + part.length > end) return false;
    at = start + part.length;
  }
  return true;
};

interface Pattern {
  readonly host: string;
  readonly path: readonly string[];
  /** `:1.11.*` or `@sha256:…`; empty means every tag and every digest. */
  readonly version: string;
}

const parsePattern = (text: string): Pattern => {
  const [host = '', ...segments] = text.split('/');
  const name = segments.at(-1) ?? '';
  const at = name.search(/[:@]/);
  const [last, version] = at === -1 ? [name, ''] : [name.slice(0, at), name.slice(at)];
  return { host, path: [...segments.slice(0, -1), last], version };
};

/**
 * The digest alone counts if there is one: the tag beside it is not verified. It counts too if it is known to resolve to
 * that digest, because a tag is then pinned and not a name for another image.
 */
const versionsOf = ({ digest, tag = 'latest' }: ImageReference, tagDigest?: Digest): readonly string[] => {
  if (digest === undefined) return [`:${tag}`];
  return digest === tagDigest ? [`@${digest}`, `:${tag}`] : [`@${digest}`];
};

/**
 * True if an exemption's pattern covers an image. The pattern is in normal form (`docker.io/istio/proxyv2:1.11.*`);
 * its host is literal, and `*` matches within one path segment, or within the tag or digest. A pattern with neither
 * tag nor digest covers every tag and digest.
 */
export const matchesImage = (text: string, reference: ImageReference, tagDigest?: Digest): boolean => {
  const { host, path, version } = parsePattern(text);
  const segments = reference.repository.path.split('/');
  return (
    host === reference.repository.registry &&
    path.length === segments.length &&
    path.every((part, index) => matchesRun(part, segments[index] ?? '')) &&
    (version === '' || versionsOf(reference, tagDigest).some((written) => matchesRun(version, written)))
  );
};

/**
 * True if an exemption is for the tag of an image that has a digest too: it applies only if the tag resolves to that
 * digest.
 */
export const needsTagDigest = (exemptions: readonly Exemption[], reference: ImageReference): boolean => {
  const { digest } = reference;
  if (digest === undefined) return false;
  return exemptions.some(({ images }) =>
    images.some((pattern) => matchesImage(pattern, reference, digest) && !matchesImage(pattern, reference)),
  );
};

const CHECKS: readonly {
  readonly fails: (pattern: Pattern, text: string) => boolean;
  readonly problem: string;
}[] = [
  { fails: (_, text) => /[\s\p{C}]/u.test(text), problem: 'must not contain spaces or control characters' },
  {
    fails: ({ host }) => host.includes('*'),
    problem: 'must have a literal host: * matches within one path segment',
  },
  {
    fails: ({ host }) => !/[.:]/.test(host) && host !== 'localhost',
    problem: 'must be in normal form, with its registry: docker.io/istio/proxyv2:1.11.*',
  },
  { fails: ({ host }) => host === 'index.docker.io', problem: 'must name Docker Hub as docker.io' },
  { fails: ({ host }) => host !== host.toLowerCase(), problem: 'must have its host in lower case' },
  { fails: ({ path }) => path.includes(''), problem: 'has an empty path segment' },
  { fails: ({ version }) => version === ':' || version === '@', problem: 'has an empty tag or digest' },
  {
    fails: ({ version }) => version.startsWith(':') && version.includes('@'),
    problem: 'must have a tag or a digest, not both: the tag is ignored beside a digest',
  },
];

/** Returns the problem with an exemption's pattern, for an error message, or undefined if there is none. */
export const patternProblem = (text: string): string | undefined => {
  const pattern = parsePattern(text);
  return CHECKS.find(({ fails }) => fails(pattern, text))?.problem;
};

/** Returns the end of an exemption, 00:00 UTC after its date, in milliseconds; NaN if the date is invalid. */
export const endOf = (exemption: Exemption): number => Date.parse(`${exemption.expires}T00:00:00Z`) + DAY_MS;

/** Finds the exemption that lifts this reason for this image in this namespace now. `tagDigest` is that of the judgement. */
export const findExemption = (
  exemptions: readonly Exemption[],
  code: ReasonCode,
  reference: ImageReference | undefined,
  namespace: string,
  now: number,
  tagDigest?: Digest,
): Exemption | undefined =>
  reference === undefined || NEVER_LIFTED.has(code)
    ? undefined
    : exemptions.find(
        (exemption) =>
          now < endOf(exemption) &&
          (exemption.namespaces.includes('*') || exemption.namespaces.includes(namespace)) &&
          exemption.images.some((pattern) => matchesImage(pattern, reference, tagDigest)),
      );
