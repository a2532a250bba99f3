import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { makeChart } from './chart.ts';
import { messageOf, Refusal, run, say, toolPath } from './command.ts';
import { makeFiles, namesOf } from './files.ts';
import { makeImage } from './image.ts';
import { sha256 } from './layout.ts';
import { checkRelease } from './preflight.ts';
import { prepare } from './prepare.ts';
import { chartsUrl, imageRepository } from './project.ts';
import { provenanceOf } from './provenance.ts';
import { publish } from './publish.ts';
import { digestOfTag } from './registry.ts';
import { type Artifact, places, type Release } from './release-context.ts';
import { findSigner, type Signer } from './signing.ts';
import { signMade } from './statements.ts';
import { verifyMade } from './verify.ts';

/* `.ci/release`, whose help says what it does. */

const now = (): number => Math.floor(Date.now() / 1000);

/** The versions of the tools, as provenance has them. */
const toolVersions = (): Readonly<Record<string, string>> => ({
  buildah: run(toolPath('buildah'), ['--version']).trim(),
  cosign: /GitVersion:\s*(\S+)/.exec(run(toolPath('cosign'), ['version']))?.[1] ?? 'unknown',
  helm: run(toolPath('helm'), ['version', '--short']).trim(),
});

/** The release notes: the changelog's section, and what else whoever downloads the release has to know. */
const notesOf = (
  { version, tag, project, notes }: Release,
  image: Artifact,
  chart: Artifact,
  signer: Signer,
) => `${notes}

### Download

* Image: \`${image.repository}:${version}@${image.digest}\`
* Chart: \`oci://${chart.repository}\`, version ${version}, \`${chart.digest}\`
* Signed by ${signer.name}: [check what you download](${project.sources}/blob/${tag}/docs/download.md)
`;

/** Writes what was made, by digest, for whoever publishes the files and for comparing two runs. */
const writeSummary = ({ version, tag, commit, out }: Release, image: Artifact, chart: Artifact): void => {
  const { files, summary } = places(out);
  const of = ({ repository, digest, platforms }: Artifact) => ({ repository, digest, platforms });
  const digests = namesOf(files).map((name) => [name, `sha256:${sha256(readFileSync(join(files, name)))}`]);
  const made = {
    version,
    tag,
    commit,
    image: of(image),
    chart: of(chart),
    files: Object.fromEntries(digests),
  };
  writeFileSync(summary, `${JSON.stringify(made, null, 2)}\n`);
};

const make = async (version: string, out: string, dryRun: boolean): Promise<void> => {
  const startedOn = now();
  const release = checkRelease(version, out, process.env);
  const { files, work } = places(out);
  const signer = findSigner(process.env, join(files, 'sailmark.pub'));
  const { registry } = release.project;
  // A registry that cannot be read is found out now, and a tag with another digest when the digests are known.
  if (!dryRun)
    for (const repository of [
      imageRepository(registry),
      `${chartsUrl(registry).replace('oci://', '')}/sailmark`,
    ])
      digestOfTag(repository, version);

  say(`making sailmark ${version} from ${release.commit} in ${out}`);
  mkdirSync(work, { recursive: true });
  await makeFiles(release);
  say('  files');
  const image = makeImage(release);
  say(`  image ${image.digest}`);
  const chart = makeChart(release, image);
  say(`  chart ${chart.digest}`);
  if (signer.publicKey !== undefined) writeFileSync(join(files, 'sailmark.pub'), signer.publicKey);
  signMade(release, image, chart, provenanceOf(release, toolVersions(), startedOn, process.env), signer);
  writeSummary(release, image, chart);
  writeFileSync(places(out).notes, notesOf(release, image, chart, signer));
  rmSync(work, { recursive: true, force: true });
  verifyMade(release, image, chart, signer);
  say('  signed and verified');
  if (dryRun) say('published nothing (--dry-run)');
  else publish(release, image, chart, signer);
};

const main = async (): Promise<void> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      prepare: { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false },
      out: { type: 'string' },
    },
  });
  const [version, ...others] = positionals;
  if (version === undefined || others.length > 0)
    throw new Refusal('one version is needed, such as `.ci/release 1.2.3` (--help says more)');
  if (values.prepare) prepare(version, new Date().toISOString().slice(0, 10));
  else await make(version, resolve(values.out ?? join('release', version)), values['dry-run']);
};

try {
  if (!existsSync('package.json')) throw new Refusal('run .ci/release of the checkout that is released');
  await main();
} catch (error) {
  const published = error instanceof Refusal ? '\nNothing was published.' : '';
  say(`.ci/release: ${messageOf(error)}${published}`);
  process.exitCode = 1;
}
