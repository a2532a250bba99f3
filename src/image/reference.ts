import type { Digest } from './digest.ts';

/**
 * An image reference in Docker's normal form. `docker.io`, `index.docker.io` and no host at all are one registry,
 * `library/` is written out, the host is in lower case.
 */
export interface ImageReference {
  /** As it was written. */
  readonly text: string;
  /** Host and port: `docker.io`, `registry.corp.example:5000`, `[::1]:5000`. */
  readonly registry: string;
  /** Path below the registry: `istio/proxyv2`. */
  readonly path: string;
  /** `registry/path`. */
  readonly repository: string;
  /** Undefined only where a digest is written and no tag; `latest` where neither is. */
  readonly tag: string | undefined;
  /** Where it is written it alone counts: a tag beside it is ignored, as the kubelet does. */
  readonly digest: Digest | undefined;
}

export type ParsedReference =
  | { readonly ok: true; readonly reference: ImageReference }
  | { readonly ok: false; readonly problem: string };

/** Parses the whole grammar of distribution/reference and normalises as Docker does. Never throws. */
export declare function parseImageReference(text: string): ParsedReference;

/** The reference in normal form: `docker.io/istio/proxyv2:1.28.0@sha256:…`. */
export declare function formatReference(reference: ImageReference): string;
