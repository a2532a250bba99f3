import { parseImageReference } from '../../image/index.ts';
import type { Classifier, ImageClass } from '../../istio/index.ts';

/** A function that tells if a text names an image that could be Istio's, for the hubs and mirrors of one configuration. */
export interface Recogniser {
  /** For a field that names an image: takes any name below a path, or with a tag or digest. */
  readonly isImage: (text: string) => boolean;
  /** For any other field: takes a name below a hub with a host, a tag or a digest, or a look-alike with one of the last two. */
  readonly isClearlyImage: (text: string) => boolean;
  /** For a field that names a hub (`hub`): takes a place with a host, whatever its path. */
  readonly isHub: (text: string) => boolean;
  /** For a field that names any registry: takes one whose images would be Istio's. */
  readonly isIstioRegistry: (text: string) => boolean;
  /** For a field that may name a hub: takes a hub or mirror alone. */
  readonly isKnownHub: (text: string) => boolean;
}

/** Characters; a longer text is no image reference. */
const MAX_TEXT = 4096;

interface SchemedText {
  /** In lower case; empty if there is none. */
  readonly scheme: string;
  readonly name: string;
}

const parseScheme = (text: string): SchemedText => {
  const [whole = '', scheme = ''] = /^([a-z][a-z\d+.-]*):\/\//i.exec(text) ?? [];
  return { scheme: scheme.toLowerCase(), name: text.slice(whole.length) };
};

/** Schemes before the name of an image. With any other the text is an address: of a page, a repository of code. */
const IMAGE_SCHEMES: ReadonlySet<string> = new Set(['', 'oci', 'docker']);

const FILE_PATH = /^(?:~|\.{0,2})\//;
/** Patterns of policies (Kyverno, Ratify): wildcards, and the beginning of a regular expression. */
const PATTERN = /[*?]|^\^/;
/** Hosts of source code that are no registries; those have other hosts (`ghcr.io`). */
const CODE_HOST = /^(?:[\w.-]+@)?(?:www\.)?(?:github\.com|gitlab\.com|bitbucket\.org|codeberg\.org)[/:]/i;

const isNoImage = (name: string): boolean =>
  FILE_PATH.test(name) || PATTERN.test(name) || CODE_HOST.test(name);

/** True for a Helm chart, or the repository of charts (`gcr.io/istio-release/charts/ztunnel`). */
const isChart = (name: string): boolean => /\/charts(?:\/[^/]*)?$/.test(name);

/** True if the first of several path segments is a host, as Docker decides it. */
export const hasHost = (text: string): boolean => /^(?:[^/]*[.:][^/]*|localhost)\//.test(text);
const hasTagOrDigest = (text: string): boolean => /[:@][^/]*$/.test(text);

/** Creates the recogniser of a classifier. A look-alike could be Istio's, and so could a text that is no valid reference. */
export const createRecogniser = ({ classify, couldBeIstio }: Classifier): Recogniser => {
  /** Undefined for a text that is no valid reference. */
  const kindOf = (text: string): ImageClass['kind'] | undefined => {
    const parsed = parseImageReference(text);
    return parsed.ok ? classify(parsed.reference).kind : undefined;
  };
  const isIstios = (text: string): boolean => {
    const kind = kindOf(text);
    return kind === undefined ? couldBeIstio(text) : kind !== 'other';
  };
  const isKnownHub = (text: string): boolean => kindOf(`${parseScheme(text).name}/proxyv2`) === 'istio';
  const isIstioRegistry = (text: string): boolean =>
    isKnownHub(text) || (/istio/i.test(text) && kindOf(`${text}/proxyv2`) !== undefined);
  return {
    isImage: (text) => {
      const { scheme, name } = parseScheme(text);
      if (name.length > MAX_TEXT || isNoImage(name)) return false;
      if (!IMAGE_SCHEMES.has(scheme)) return hasTagOrDigest(name) && isIstios(name);
      return /[/:@]/.test(name) && !(scheme !== '' && isChart(name)) && isIstios(name);
    },
    isClearlyImage: (text) => {
      const { scheme, name } = parseScheme(text);
      if (name.length > MAX_TEXT || !name.includes('/') || !IMAGE_SCHEMES.has(scheme)) return false;
      if (isNoImage(name) || isChart(name)) return false;
      const kind = kindOf(name);
      if (kind === 'look-alike') return hasTagOrDigest(name);
      return kind === 'istio' && (hasHost(name) || hasTagOrDigest(name));
    },
    isHub: (text) =>
      isIstioRegistry(text) || (hasHost(`${text}/`) && kindOf(`${text}/proxyv2`) === 'look-alike'),
    isIstioRegistry,
    isKnownHub,
  };
};
