/** A registry path under which Istio publishes images; names in normal form. */
export interface Hub {
  readonly name: string;
  /** Other names of the same content: a digest that is signed at one of them is signed at all. */
  readonly aliases: readonly string[];
  /** True if it holds releases, so that the signing eras apply to its tags. */
  readonly releases: boolean;
  /** The reason why nothing in it is signed; undefined if its images are signed. */
  readonly neverSigned: string | undefined;
}

/*
 * Sources: istio/release-builder `release/publish.sh` and `release/build.sh`; istio/istio `prow/release-commit.sh`;
 * istio/test-infra `infra/cf/cncf-istio/main.tf` (the registry.istio.io redirector) and its prow jobs; istio.io blog
 * 2026 "retirement-of-gcp" (gcr.io/istio-release and registry.istio.io end in December 2026). `registry-1.docker.io`
 * is the host of Docker Hub's API.
 */
export const hubs: readonly Hub[] = [
  {
    name: 'docker.io/istio',
    aliases: ['gcr.io/istio-release', 'registry.istio.io/release', 'registry-1.docker.io/istio'],
    releases: true,
    neverSigned: undefined,
  },
  {
    name: 'gcr.io/istio-testing',
    aliases: ['registry.istio.io/testing'],
    releases: false,
    neverSigned: "Istio's testing hub holds nightly and development builds, which are not signed",
  },
  {
    name: 'gcr.io/istio-prerelease-testing',
    aliases: ['registry.istio.io/prerelease-testing'],
    releases: false,
    neverSigned: 'prerelease builds have not been signed since June 2023',
  },
  {
    name: 'ghcr.io/istio/prerelease-testing',
    aliases: [],
    releases: false,
    neverSigned: 'prerelease builds are not signed',
  },
];

/** Every name of the built-in hubs. */
export const builtInHubNames: readonly string[] = hubs.flatMap(({ name, aliases }) => [name, ...aliases]);

/** The names of the built-in hubs, without their aliases: a configuration's default. */
export const builtInHubs: readonly string[] = hubs.map(({ name }) => name);
