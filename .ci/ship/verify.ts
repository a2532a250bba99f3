import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { chartArchive } from './chart.ts';
import { run, toolPath } from './command.ts';
import { BUNDLE, namesOf, SUMS } from './files.ts';
import { ARCHITECTURES, imageAnnotations } from './image.ts';
import { blobPath, findBadBlobs, type Index, type Manifest, readJsonBlob, sha256 } from './layout.ts';
import { PROVENANCE_TYPE, SBOM_TYPE } from './provenance.ts';
import { type Artifact, places, type Release } from './release-context.ts';
import { type Signer, verifyFile, verifyStatement } from './signing.ts';
import { CHART_PROVENANCE, filesProvenance, IMAGE_PROVENANCE, IMAGE_SBOM } from './statements.ts';

/*
 * Verifies the release where it lies, with nothing but the public key or identity, before anything is pushed.
 */

const expectSame = (what: string, found: unknown, expected: unknown): void => {
  if (JSON.stringify(found) !== JSON.stringify(expected))
    throw new Error(`${what} is ${JSON.stringify(found)}, and must be ${JSON.stringify(expected)}`);
};

const verifyLayout = ({ layout }: Artifact): void => {
  const bad = findBadBlobs(layout);
  if (bad.length > 0) throw new Error(bad.join('\n'));
};

interface ImageConfig {
  readonly architecture: string;
  readonly config: { readonly Labels?: Readonly<Record<string, string>>; readonly User?: string };
}

/** Picks of some labels those that a release has to have, in its order. */
const picked = (labels: Readonly<Record<string, string>> = {}, wanted: object): object =>
  Object.fromEntries(Object.keys(wanted).map((key) => [key, labels[key]]));

const verifyImage = (release: Release, image: Artifact): void => {
  verifyLayout(image);
  const annotations = imageAnnotations(release);
  const index = readJsonBlob<Index>(image.layout, image);
  expectSame('the annotations of the index', index.annotations, annotations);
  const found = index.manifests.map((descriptor) => {
    const manifest = readJsonBlob<Manifest>(image.layout, descriptor);
    const { architecture, config } = readJsonBlob<ImageConfig>(image.layout, manifest.config);
    expectSame(`the labels for ${architecture}`, picked(config.Labels, annotations), annotations);
    expectSame(`the user for ${architecture}`, config.User, '65532:65532');
    return architecture;
  });
  expectSame('the list of platforms', found, ARCHITECTURES);
};

const verifyChart = ({ version, out }: Release, chart: Artifact, image: Artifact): void => {
  verifyLayout(chart);
  const archive = join(places(out).files, chartArchive(version));
  const [layer] = readJsonBlob<Manifest>(chart.layout, chart).layers;
  expectSame('the archive of the chart', layer?.digest, `sha256:${sha256(readFileSync(archive))}`);
  const helm = toolPath('helm');
  const shown = load(run(helm, ['show', 'chart', archive])) as Readonly<Record<string, unknown>>;
  expectSame('the version of the chart', [shown['version'], shown['appVersion']], [version, version]);
  run(helm, ['lint', '--strict', archive]);
  const rendered = run(helm, ['template', 'sailmark', archive, '--namespace', 'sailmark']);
  const reference = `${image.repository}@${image.digest}`;
  if (!rendered.includes(`image: "${reference}"`) && !rendered.includes(`image: ${reference}`))
    throw new Error(`the chart does not render the image of the release, ${reference}`);
};

const verifyFiles = ({ version, out }: Release, signer: Signer): void => {
  const { files } = places(out);
  const sums = readFileSync(join(files, SUMS), 'utf8').trimEnd().split('\n');
  expectSame(
    'the list of files with a checksum',
    sums.map((line) => line.slice(66)),
    namesOf(files),
  );
  for (const name of [SUMS, ...namesOf(files)]) {
    const file = join(files, name);
    const sum = `${sha256(readFileSync(file))}  ${name}`;
    if (name !== SUMS && !sums.includes(sum)) throw new Error(`${name}: its checksum is another one`);
    verifyFile(signer, file, `${file}${BUNDLE}`);
    if (name !== SUMS) verifyStatement(signer, PROVENANCE_TYPE, file, filesProvenance(out, version));
  }
};

const verifyStatements = ({ out }: Release, image: Artifact, chart: Artifact, signer: Signer): void => {
  const { attestations } = places(out);
  const about = ({ layout }: Artifact, digest: string, type: string, bundle: string): void =>
    verifyStatement(signer, type, blobPath(layout, digest), join(attestations, bundle));
  for (const digest of [image.digest, ...image.platforms.map((one) => one.digest)]) {
    about(image, digest, PROVENANCE_TYPE, IMAGE_PROVENANCE);
    about(image, digest, SBOM_TYPE, IMAGE_SBOM);
  }
  about(chart, chart.digest, PROVENANCE_TYPE, CHART_PROVENANCE);
};

/** Verifies everything in the directory of a release. Throws at the first thing that is wrong. */
export const verifyMade = (release: Release, image: Artifact, chart: Artifact, signer: Signer): void => {
  verifyImage(release, image);
  verifyChart(release, chart, image);
  verifyFiles(release, signer);
  verifyStatements(release, image, chart, signer);
};
