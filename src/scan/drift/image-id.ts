import { type Digest, parseDigest, parseImageReference } from '../../image/index.ts';

/*
 * The `imageID` of a container status is the `ImageRef` that the runtime reports (kubernetes/kubernetes
 * `pkg/kubelet/kubelet_pods.go`, `convertToAPIContainerStatuses`).
 *
 * containerd (`internal/cri/server/container_status.go`): the first repository digest of the image, `name@sha256:…`, which is
 * the index of an image for several platforms; an image without one, as a loaded image is, by the digest of its
 * configuration, `sha256:…`.
 *
 * CRI-O (`server/container_create.go`, `internal/oci/container.go`): the first repository digest, of the index or of the
 * manifest of one platform; without one the ID of the image in its storage, 64 digits: the digest of the
 * configuration, or of something else for an image that was pulled in parts (zstd:chunked; containers/image
 * `storage/storage_dest.go`, `computeID`).
 *
 * Docker (Mirantis/cri-dockerd `core/convert.go`, `toPullableImageID`): `docker-pullable://name@sha256:…`, without a
 * repository digest `docker://sha256:…`: the digest of the configuration, or of the manifest or index if Docker keeps its
 * images in containerd.
 */

/** The image that a node says it runs. */
export type ImageId =
  /** The digest of a manifest or index. */
  | { readonly kind: 'manifest'; readonly digest: Digest }
  /** The digest of a configuration, a manifest or an index: the runtime does not say which. */
  | { readonly kind: 'any'; readonly digest: Digest }
  /** The same, or a digest that no registry has. */
  | { readonly kind: 'stored'; readonly digest: Digest };

/** Longer than any name with a digest that runtimes write. */
const MAX_LENGTH = 1_024;

const PULLABLE = 'docker-pullable://';
const DOCKER = 'docker://';
const BARE_HEX = /^[0-9a-f]{64}$/;

/** The digest of `name@sha256:…`. */
const digestOfName = (text: string): Digest | undefined => {
  const parsed = parseImageReference(text);
  return parsed.ok ? parsed.reference.digest : undefined;
};

const manifest = (digest: Digest | undefined): ImageId | undefined => digest && { kind: 'manifest', digest };
const any = (digest: Digest | undefined): ImageId | undefined => digest && { kind: 'any', digest };
const stored = (digest: Digest | undefined): ImageId | undefined => digest && { kind: 'stored', digest };

/** Parses the `imageID` of a container status; undefined for every form that no known runtime writes. Never throws. */
export const parseImageId = (text: string): ImageId | undefined => {
  if (text.length > MAX_LENGTH) return undefined;
  if (text.startsWith(PULLABLE)) return manifest(digestOfName(text.slice(PULLABLE.length)));
  if (text.startsWith(DOCKER)) return any(parseDigest(text.slice(DOCKER.length)));
  if (BARE_HEX.test(text)) return stored(parseDigest(`sha256:${text}`));
  return any(parseDigest(text)) ?? manifest(digestOfName(text));
};
