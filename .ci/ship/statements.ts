import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUNDLE, bundleSbom, namesOf, SUMS, writeSums } from './files.ts';
import { sha256 } from './layout.ts';
import {
  PROVENANCE_TYPE,
  SBOM_TYPE,
  type Statement,
  type Subject,
  statementOf,
  subjectOf,
} from './provenance.ts';
import { type Artifact, places, type Release } from './release-context.ts';
import { type Signer, signFile, signStatement } from './signing.ts';

/** The bundles of the statements on the image and the chart. */
export const IMAGE_PROVENANCE = 'image-provenance.sigstore.json';
export const IMAGE_SBOM = 'image-sbom.sigstore.json';
export const CHART_PROVENANCE = 'chart-provenance.sigstore.json';

/** Returns the path of the signed provenance of the files. */
export const filesProvenance = (out: string, version: string): string =>
  join(places(out).files, `sailmark-${version}.provenance${BUNDLE}`);

const subjectsOf = ({ repository, digest, platforms }: Artifact): readonly Subject[] =>
  [digest, ...platforms.map((one) => one.digest)].map((one) => subjectOf(repository, one));

/**
 * Writes and signs what is said about a release: the provenance of the image, the chart and the files, the SBOM of the image, the
 * checksums, and each file.
 */
export const signMade = (
  { version, out }: Release,
  image: Artifact,
  chart: Artifact,
  provenance: unknown,
  signer: Signer,
): void => {
  const { attestations, files } = places(out);
  mkdirSync(attestations, { recursive: true });
  const sign = (statement: Statement, bundle: string): void =>
    signStatement(
      signer,
      statement,
      join(attestations, `${bundle.replace(BUNDLE, '')}.json`),
      join(attestations, bundle),
    );
  const sbom: unknown = JSON.parse(readFileSync(join(files, bundleSbom(version)), 'utf8'));
  sign(statementOf(subjectsOf(image), PROVENANCE_TYPE, provenance), IMAGE_PROVENANCE);
  sign(statementOf(subjectsOf(image), SBOM_TYPE, sbom), IMAGE_SBOM);
  sign(statementOf(subjectsOf(chart), PROVENANCE_TYPE, provenance), CHART_PROVENANCE);

  writeSums(files);
  const subjects = namesOf(files).map((name) => subjectOf(name, sha256(readFileSync(join(files, name)))));
  signStatement(
    signer,
    statementOf(subjects, PROVENANCE_TYPE, provenance),
    join(attestations, 'files-provenance.json'),
    filesProvenance(out, version),
  );
  for (const name of [SUMS, ...namesOf(files)])
    signFile(signer, join(files, name), join(files, `${name}${BUNDLE}`));
};
