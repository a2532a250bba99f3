import type { Repository } from '../image/index.ts';
import { ambiguousNames, distinctiveNames, knownPrefixes, knownSuffixes, vendorNames } from './components.ts';
import { type Vendor, type VendorSigning, vendors } from './vendors.ts';

export interface LookAlike {
  readonly component: string;
  /** The name of a known vendor. */
  readonly vendor: string | undefined;
  /** How that vendor signs. */
  readonly signing?: VendorSigning;
}

/** A last path segment without the words that vendors put around a component's name. */
interface Bare {
  readonly name: string;
  /** True if `istio` was one of those words. */
  readonly besideIstio: boolean;
}

/**
 * Returns the component whose name an image on no hub or mirror has, or undefined. The name must be the whole last
 * segment, except for the words that the tables list (`istio-proxyv2`, `proxyv2_debug`, `mirrored-istio-pilot`,
 * `proxyv2-fips`): a name that only contains it (`payments-proxyv2-exporter`) is unrelated. So a renamed image is not
 * a look-alike; if it runs in a container of Istio's, the container's name reveals it.
 */
export function findLookAlike(repository: Repository): LookAlike | undefined {
  const segments = repository.path.split('/');
  const { name, besideIstio } = strip(segments.at(-1) ?? '');
  if (distinctiveNames.has(name)) return lookAlike(name, findVendor(repository));
  if (ambiguousNames.has(name)) {
    const vendor = findVendor(repository);
    const isIstios = besideIstio || vendor !== undefined || segments.slice(0, -1).some(mentionsIstio);
    return isIstios ? lookAlike(name, vendor) : undefined;
  }
  const component = besideIstio ? vendorNames.get(name) : undefined;
  const vendor = component === undefined ? undefined : findVendor(repository);
  return component === undefined || vendor === undefined ? undefined : lookAlike(component, vendor);
}

const mentionsIstio = (segment: string): boolean => segment.includes('istio');

const lookAlike = (component: string, vendor: Vendor | undefined): LookAlike =>
  vendor === undefined ? { component, vendor } : { component, vendor: vendor.name, signing: vendor.signing };

const findVendor = ({ name: repository }: Repository): Vendor | undefined =>
  vendors.find(({ places }) => places.some((place) => repository.startsWith(`${place}/`)));

function strip(segment: string): Bare {
  const words = segment.split(/[._-]+/);
  const start = words.findIndex((word) => !knownPrefixes.has(word));
  const end = words.findLastIndex((word) => !knownSuffixes.has(word));
  return {
    name: words.slice(Math.max(start, 0), end + 1).join('-'),
    besideIstio: words.slice(0, Math.max(start, 0)).includes('istio'),
  };
}
