import { cpSync, readdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dump, load } from 'js-yaml';
import { changesOf } from './changelog.ts';
import { run, toolPath } from './command.ts';
import { type Annotations, MANIFEST_TYPE, type Manifest, writeBlob, writeEntry } from './layout.ts';
import { chartsUrl } from './project.ts';
import { type Artifact, places, type Release, timestampOf } from './release-context.ts';

/** Media types of a chart in a registry (Helm Improvement Proposal 6). */
const CONFIG_TYPE = 'application/vnd.cncf.helm.config.v1+json';
const CONTENT_TYPE = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';

interface ChartFile {
  readonly version: string;
  readonly description: string;
  readonly annotations?: Annotations;
}

/** Returns Chart.yaml of a release: its version, where the project lives, and what Artifact Hub shows. */
export const chartOf = (source: string, release: Release, image: Artifact): ChartFile => {
  const { version, tag, project, notes } = release;
  const chart = load(source) as ChartFile;
  const changes = changesOf(notes);
  const annotations = {
    ...chart.annotations,
    'artifacthub.io/images': dump([
      {
        name: 'sailmark',
        image: `${image.repository}:${version}@${image.digest}`,
        platforms: image.platforms.map(({ platform }) => platform),
      },
    ]),
    'artifacthub.io/changes': dump(changes, { lineWidth: -1 }),
    'artifacthub.io/links': dump([
      { name: 'Documentation', url: `${project.sources}/blob/${tag}/README.md` },
      { name: 'Check what you download', url: `${project.sources}/blob/${tag}/docs/download.md` },
    ]),
    'artifacthub.io/prerelease': String(version.includes('-')),
    'artifacthub.io/containsSecurityUpdates': String(changes.some(({ kind }) => kind === 'security')),
  };
  const { home, sources, maintainers } = project;
  const icon = `${sources}/raw/${tag}/charts/sailmark/icon.svg`;
  const ofRelease = {
    version,
    appVersion: version,
    home,
    sources: [sources],
    maintainers,
    icon,
    annotations,
  };
  return {
    ...chart,
    ...ofRelease,
  };
};

/** Returns values.yaml with the image of a release as the default, by its digest. Its comments stay. */
export const valuesOf = (source: string, { repository, digest }: Artifact): string => {
  const set = (text: string, key: string, value: string): string => {
    const line = new RegExp(`^(image:\\n(?: .*\\n|\\n)*?  ${key}: ).*$`, 'm');
    if (!line.test(text)) throw new Error(`values.yaml has no image.${key}`);
    return text.replace(line, (_line, before: string) => `${before}${JSON.stringify(value)}`);
  };
  return set(set(source, 'repository', repository), 'digest', digest);
};

/**
 * Returns the chart's README with links to the sources of the release: the packaged chart has no other page beside it. Anchors stay
 * as they are.
 */
export const readmeOfChart = (source: string, { tag, project }: Pick<Release, 'tag' | 'project'>): string => {
  const place = `${project.sources}/blob/${tag}/charts/sailmark/`;
  return source.replaceAll(
    /\]\((?![a-z]+:|#)([^)\s]+)\)/g,
    (_link, path: string) => `](${new URL(path, place).href})`,
  );
};

/** The annotations that Helm gives a chart in a registry. */
const annotationsOf = ({ version, epoch, project }: Release, { description }: ChartFile): Annotations =>
  Object.fromEntries(
    Object.entries({
      created: timestampOf(epoch),
      description,
      source: project.sources,
      title: 'sailmark',
      url: project.home,
      version,
    }).map(([key, value]) => [`org.opencontainers.image.${key}`, value]),
  );

/** Returns the name of the chart's archive. npm's package has the name that Helm would choose. */
export const chartArchive = (version: string): string => `sailmark-chart-${version}.tgz`;

/**
 * Packages the chart, and writes it as an artifact into a layout. Helm 4 takes the times in the archive from the files, which all
 * get the time of the commit.
 */
export const makeChart = (release: Release, image: Artifact): Artifact => {
  const { files, chart: layout, work } = places(release.out);
  const directory = join(work, 'sailmark');
  cpSync('charts/sailmark', directory, { recursive: true });
  const edit = (name: string, change: (source: string) => string): void =>
    writeFileSync(join(directory, name), change(readFileSync(join(directory, name), 'utf8')));
  const source = readFileSync(join(directory, 'Chart.yaml'), 'utf8');
  const chart = chartOf(source, release, image);
  edit('Chart.yaml', () => dump(chart));
  edit('values.yaml', (values) => valuesOf(values, image));
  edit('README.md', (readme) => readmeOfChart(readme, release));
  for (const entry of readdirSync(directory, { recursive: true, encoding: 'utf8' }))
    utimesSync(join(directory, entry), release.epoch, release.epoch);
  run(toolPath('helm'), ['package', directory, '--destination', work]);
  const archive = join(files, chartArchive(release.version));
  renameSync(join(work, `sailmark-${release.version}.tgz`), archive);

  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: writeBlob(layout, CONFIG_TYPE, JSON.stringify(chart)),
    layers: [writeBlob(layout, CONTENT_TYPE, readFileSync(archive))],
    annotations: annotationsOf(release, chart),
  } satisfies Manifest;
  const descriptor = writeBlob(layout, MANIFEST_TYPE, JSON.stringify(manifest));
  writeEntry(layout, release.version, descriptor);
  return {
    layout,
    repository: `${chartsUrl(release.project.registry).replace('oci://', '')}/sailmark`,
    digest: descriptor.digest,
    platforms: [],
  };
};
