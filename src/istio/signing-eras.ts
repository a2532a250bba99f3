/** Consecutive releases that were signed in the same way. */
export interface SigningEra {
  /** The first release, as [major, minor]; it ends where the next begins. */
  readonly from: readonly [major: number, minor: number];
  /** `index`: the multi-arch index alone, not the images of its platforms. */
  readonly signed: 'nothing' | 'index' | 'everything';
  /** The explanation, if something is not signed. */
  readonly why?: string;
}

/*
 * Sources: istio/release-builder branches release-1.12 to release-1.31 (`pkg/publish/docker.go`), the cosign in each
 * one's build image (istio/tools `docker/build-tools/Dockerfile`), release-builder pull requests 1155 (multi-arch) and
 * 1457 (`--recursive`).
 */
export const signingEras: readonly SigningEra[] = [
  { from: [0, 0], signed: 'nothing', why: 'Istio signed no release before 1.12' },
  // One platform, `.sig` tag, not in the transparency log (cosign 1).
  { from: [1, 12], signed: 'everything' },
  // Signed by tag: `.sig` tag of the index, not in the log.
  {
    from: [1, 15],
    signed: 'index',
    why: 'Istio 1.15 to 1.17 signed the index only: pin its digest, not that of one platform',
  },
  // Signed by digest, recursively: `.sig` tags in the log to 1.28 (cosign 2), bundles from 1.29 (cosign 3).
  { from: [1, 18], signed: 'everything' },
];

/** The first release that is signed by bundles. */
export const firstBundles: SigningEra['from'] = [1, 29];

/** Releases that were published without the signatures of their era. */
export const unsignedReleases: ReadonlyMap<string, string> = new Map([
  // istio/release-builder pull request 1455 quotes the log of the failed `cosign public-key`.
  ['1.18.0-alpha.0', 'a failure of the release job left 1.18.0-alpha.0 unsigned'],
  // Inferred: tagged four minutes before the job was given the role it needs (istio/test-infra pull request 4849).
  ['1.19.0-alpha.0', 'a failure of the release job probably left 1.19.0-alpha.0 unsigned'],
]);

/** `1.28.0`, `1.31.0-rc.0`, `1.28.0-distroless` (istio/istio `tools/docker-builder/types.go`). */
export const releaseTag =
  /^(?<release>(?<major>\d{1,3})\.(?<minor>\d{1,3})\.\d{1,4}(?:-(?:alpha|beta|rc)\.\d{1,4})?)(?:-(?:debug|distroless))?$/;

/** `latest`, a commit, `1.28-dev`, `1.28-alpha.<commit>`, `1.31.0-alpha.<commit>` (istio/istio `prow/release-commit.sh`). */
export const developmentTag =
  /^(?:latest|[0-9a-f]{40}|\d{1,3}\.\d{1,3}-dev|\d{1,3}\.\d{1,3}(?:\.0)?-alpha\.[0-9a-f]{40})(?:-(?:debug|distroless))?$/;
