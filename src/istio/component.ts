import { componentPrefixes, components, samplePrefixes, samples } from './components.ts';

/** Returns the known component that a path segment names, or undefined. */
export const findComponent = (segment: string): string | undefined =>
  components.has(segment) || componentPrefixes.some((prefix) => segment.startsWith(prefix))
    ? segment
    : undefined;

/** True if a path segment names a known component. */
export const isComponent = (segment: string): boolean => findComponent(segment) !== undefined;

/** True if a path segment directly below a built-in hub names a sample or base image, which is not verified there. */
export const isSample = (segment: string): boolean =>
  samples.has(segment) || samplePrefixes.some((prefix) => segment.startsWith(prefix));

const before = (text: string, mark: string): string => {
  const end = text.indexOf(mark);
  return end === -1 ? text : text.slice(0, end);
};

/**
 * The last path segment of a signed `docker-reference`, which names its component. The registry and path before it are
 * ignored: a mirror's copy keeps the reference of the hub that it was signed for. Never throws.
 */
export const lastSegmentOf = (signedReference: string): string => {
  const named = before(signedReference, '@');
  return before(named.slice(named.lastIndexOf('/') + 1), ':');
};
