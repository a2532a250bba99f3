/** The annotation with the name of a layout's entry (image-spec, annotations.md). */
export const NAME = 'org.opencontainers.image.ref.name';

/** cosign's annotation for the kind of an entry (cosign, pkg/oci/layout): `--local-image` reads the first of each kind. */
export const KIND = 'kind';
export const KINDS = {
  image: 'dev.cosignproject.cosign/image',
  index: 'dev.cosignproject.cosign/imageIndex',
  signatures: 'dev.cosignproject.cosign/sigs',
  attestations: 'dev.cosignproject.cosign/atts',
} as const;
