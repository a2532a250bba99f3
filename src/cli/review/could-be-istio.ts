import { parseImageReference } from '../../image/index.ts';
import type { Classifier } from '../../istio/index.ts';

/** A function that tells if a text names an image that could be Istio's, for the hubs and mirrors of one configuration. */
export interface Recogniser {
  /** Of a field that is for an image: any name below a path, or with a tag or digest. */
  readonly isImage: (text: string) => boolean;
  /** Of any other field: a name with a path that has a host, a tag or a digest too. */
  readonly isClearlyImage: (text: string) => boolean;
  /** Of a field that is for a hub: the images below it would be Istio's. */
  readonly isHub: (text: string) => boolean;
  /** Of a field that may be for a hub: a hub or mirror. */
  readonly isKnownHub: (text: string) => boolean;
}

/** Characters; a longer text is no image reference. */
const MAX_TEXT = 4096;

const withoutScheme = (text: string): string => text.replace(/^(?:oci|docker):\/\//, '');

/** True if the first of several path segments is a host, as Docker decides it. */
const hasHost = (text: string): boolean => /^(?:[^/]*[.:][^/]*|localhost)\//.test(text);
const hasTagOrDigest = (text: string): boolean => /[:@][^/]*$/.test(text);

/** Creates the recogniser of a classifier. A look-alike could be Istio's, and so could a text that is no valid reference. */
export const createRecogniser = ({ classify, couldBeIstio }: Classifier): Recogniser => {
  const isIstios = (text: string): boolean => {
    const parsed = parseImageReference(text);
    return parsed.ok ? classify(parsed.reference).kind !== 'other' : couldBeIstio(text);
  };
  const parses = (text: string): boolean => parseImageReference(text).ok;
  const isKnownHub = (text: string): boolean => {
    const parsed = parseImageReference(`${withoutScheme(text)}/proxyv2`);
    return parsed.ok && classify(parsed.reference).kind === 'istio';
  };
  return {
    isImage: (text) => {
      const image = withoutScheme(text);
      return image.length <= MAX_TEXT && /[/:@]/.test(image) && isIstios(image);
    },
    isClearlyImage: (text) => {
      const image = withoutScheme(text);
      if (image.length > MAX_TEXT || !image.includes('/')) return false;
      return (hasHost(image) || hasTagOrDigest(image)) && parses(image) && isIstios(image);
    },
    isHub: (text) => isKnownHub(text) || (/istio/i.test(text) && parses(`${text}/proxyv2`)),
    isKnownHub,
  };
};
