import { join } from 'node:path';
import { say } from './command.ts';
import { PROVENANCE_TYPE, SBOM_TYPE } from './provenance.ts';
import { pushByDigest, pushTag, refuseOtherDigest } from './registry.ts';
import { type Artifact, places, type Release } from './release-context.ts';
import { attach, type Signer, signReference, verifyAttestation, verifyReference } from './signing.ts';
import { CHART_PROVENANCE, IMAGE_PROVENANCE, IMAGE_SBOM } from './statements.ts';

/** `REPOSITORY@DIGEST` of an artifact, and of every platform of an index. */
const referencesOf = ({ repository, digest, platforms }: Artifact): readonly string[] =>
  [digest, ...platforms.map((one) => one.digest)].map((one) => `${repository}@${one}`);

/** Pushes an artifact and what is signed about it, and verifies it where it is now. It gets no tag yet. */
const pushSigned = (
  { version, out }: Release,
  artifact: Artifact,
  statements: Readonly<Record<string, string>>,
  signer: Signer,
): void => {
  pushByDigest(artifact, version);
  signReference(signer, `${artifact.repository}@${artifact.digest}`);
  for (const reference of referencesOf(artifact)) {
    for (const bundle of Object.values(statements)) attach(join(places(out).attestations, bundle), reference);
    verifyReference(signer, reference);
    for (const type of Object.keys(statements)) verifyAttestation(signer, type, reference);
  }
};

/**
 * Publishes the image and the chart. Both are pushed by digest, signed and verified in the registry before either gets its tag, so
 * that no tag ever names what is not signed, and no chart an image that is not there.
 */
export const publish = (release: Release, image: Artifact, chart: Artifact, signer: Signer): void => {
  for (const artifact of [image, chart]) refuseOtherDigest(artifact, release.version);
  pushSigned(release, image, { [PROVENANCE_TYPE]: IMAGE_PROVENANCE, [SBOM_TYPE]: IMAGE_SBOM }, signer);
  pushSigned(release, chart, { [PROVENANCE_TYPE]: CHART_PROVENANCE }, signer);
  for (const artifact of [image, chart]) {
    pushTag(artifact, release.version);
    say(`published ${artifact.repository}:${release.version}@${artifact.digest}`);
  }
};
