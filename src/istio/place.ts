import { parseImageReference } from '../image/index.ts';

type ParsedPlace =
  | { readonly ok: true; readonly place: string }
  | { readonly ok: false; readonly problem: string };

/**
 * The normal form of the name of a hub or mirror: `istio` and `index.docker.io/istio` are `docker.io/istio`,
 * `registry.corp.example:5000` is itself. A problem is one printable line that repeats nothing of the text.
 */
export function parsePlace(text: string): ParsedPlace {
  const problem = placeProblem(text);
  if (problem !== undefined) return { ok: false, problem };
  // A place is the beginning of an image's name, so it is parsed and normalised by the grammar of images.
  const parsed = parseImageReference(`${text}/x`);
  if (!parsed.ok) return { ok: false, problem: 'it is not a registry host and a lower-case path' };
  const { name } = parsed.reference.repository;
  if (name === 'docker.io/library/x')
    return {
      ok: false,
      problem: 'it is all of Docker Hub, or its official images; write a path, as in docker.io/istio',
    };
  return { ok: true, place: name.slice(0, -'/x'.length) };
}

function placeProblem(text: string): string | undefined {
  if (text === '') return 'it is empty';
  if (text.includes('://')) return 'it is a URL; write it without the scheme';
  if (text.endsWith('/')) return 'it ends with "/"';
  if (text.includes('@')) return 'it has a digest; name the path that holds the images, not an image';
  const colon = text.lastIndexOf(':');
  const isTag = colon > text.lastIndexOf('/') && colon > text.lastIndexOf(']') && !isPort(text, colon);
  return isTag ? 'it has a tag; name the path that holds the images, not an image' : undefined;
}

/** Only a host has a port, and the host ends at the first slash. */
const isPort = (text: string, colon: number): boolean =>
  !text.includes('/') && /^\d+$/.test(text.slice(colon + 1));
