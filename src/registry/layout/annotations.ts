/** What an entry of a layout is called (image-spec, annotations.md). */
export const NAME = 'org.opencontainers.image.ref.name';

/** How cosign marks what is in its layouts (cosign, pkg/oci/layout): `--local-image` reads the first of each. */
export const KIND = 'kind';
export const KINDS = {
  image: 'dev.cosignproject.cosign/image',
  index: 'dev.cosignproject.cosign/imageIndex',
  signatures: 'dev.cosignproject.cosign/sigs',
  attestations: 'dev.cosignproject.cosign/atts',
} as const;
