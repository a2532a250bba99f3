import * as fc from 'fast-check';

/*
 * Texts that a pod may have as an image: well-formed references with the names, places and vendors of Istio images,
 * others, and both with small damage. Many are near the border between Istio's images and others, or between valid
 * and invalid.
 */

const HUBS = [
  'istio',
  'gcr.io/istio-release',
  'registry.istio.io/testing',
  'ghcr.io/istio/prerelease-testing',
];
const VENDORS = [
  'gcr.io/gke-release/asm',
  'mcr.microsoft.com/oss/istio',
  'registry.redhat.io/openshift-service-mesh',
  'quay.io/maistra',
  'maistra',
  'rancher',
  'dhi.io',
  'cgr.dev/chainguard/deep',
  'registry1.dso.mil/ironbank/tetrate',
];
const OTHERS = [
  'library',
  'acme',
  'ghcr.io/acme/app',
  'localhost:5000',
  '[::1]:5000',
  'registry.corp.example',
  'my_registry.corp.example',
  'my_registry.corp.example/istio',
  'my_registry.corp.example:5000/istio',
  'user@evil.example//istio',
  'x',
];

const NAMES = [
  'pilot',
  'proxyv2',
  'install-cni',
  'ztunnel',
  'istioctl',
  'operator',
  'app_sidecar_debian_12',
  'proxy',
  'cni',
  'auto',
  'mesh-a',
  'nginx',
  'copilot',
  'examples-bookinfo-details-v1',
];
const WORDS = ['istio', 'mirrored', 'debug', 'distroless', 'fips', 'rhel9', 'my'];
const SEPARATORS = ['-', '_', '.', '__', '--'];

const separator = fc.constantFrom(...SEPARATORS);

/** A last path segment: a name as vendors write it, with words around it and its dashes replaced. */
const segment = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom(...WORDS), separator), { maxLength: 2 }),
    fc.constantFrom(...NAMES),
    separator,
    fc.array(fc.tuple(separator, fc.constantFrom(...WORDS)), { maxLength: 2 }),
  )
  .map(([before, name, dash, behind]) =>
    [...before.flat(), name.replace('-', dash), ...behind.flat()].join(''),
  );

const ending = fc.constantFrom(
  '',
  ':1.28.0',
  ':latest',
  `@sha256:${'ab'.repeat(32)}`,
  `@sha512:${'0'.repeat(128)}`,
  ':',
);

/**
 * Characters to insert anywhere in a text. Leaves out the two characters outside ASCII whose lower case begins with
 * an ASCII letter (U+0130, U+212A): RE2, JavaScript's expressions and its `toLowerCase` differ on them, and no
 * runtime pulls an image whose name contains one.
 */
const scrap = fc.oneof(
  fc.constantFrom(' ', '\n', '\u00a0', '\ufeff', '/', '//', '@', ':', '.', '-', '_', 'A', '://', 'ſ', '\0'),
  fc.string({ unit: 'grapheme-ascii', maxLength: 3 }),
);

const insert = (text: string, [at, added]: readonly [number, string]): string => {
  const place = at % (text.length + 1);
  return text.slice(0, place) + added + text.slice(place);
};

const capitalise = (text: string, at: number): string =>
  text.slice(0, at) + text.slice(at, at + 1).toUpperCase() + text.slice(at + 1);

const blanks = fc.constantFrom(' ', '\t\n', '\u00a0', '\ufeff', '\u2003');

const damaged = (text: string): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(text) },
    { weight: 1, arbitrary: fc.constant(text.toUpperCase()) },
    { weight: 1, arbitrary: blanks.map((blank) => `${blank}${text}${blank}`) },
    { weight: 1, arbitrary: fc.nat({ max: text.length }).map((at) => capitalise(text, at)) },
    {
      weight: 1,
      arbitrary: fc.nat({ max: text.length }).map((at) => text.slice(0, at) + text.slice(at + 1)),
    },
    {
      weight: 3,
      arbitrary: fc
        .array(fc.tuple(fc.nat(), scrap), { minLength: 1, maxLength: 2 })
        .map((all) => all.reduce(insert, text)),
    },
  );

/** Image texts with these places (as a configuration writes them), Istio's, vendors' and others. */
export const imageTexts = (places: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom(
        '',
        '',
        '',
        'docker.io/',
        'index.docker.io/',
        'Docker.IO/',
        'registry-1.docker.io/',
        'a/',
      ),
      fc.constantFrom(...places, ...HUBS, ...VENDORS, ...OTHERS, ''),
      segment,
      ending,
    )
    .chain(([host, place, name, end]) => damaged(`${host}${place}${place === '' ? '' : '/'}${name}${end}`));
