import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { readBases } from './base-images.ts';
import { releaseNotes } from './changelog.ts';
import { Refusal, run, type Tool, toolPath } from './command.ts';
import { readProject, unsetFields } from './project.ts';
import type { Release, SetProject } from './release-context.ts';

/*
 * Refuses what would make a wrong release, before anything is made. Each refusal is one sentence that names the place and the remedy.
 */

/** https://semver.org, without build metadata: a `+` cannot stand in a tag of a registry. */
const VERSION =
  /^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}(?:-(?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*))*)?$/;

/** Refuses what is no version. */
export const checkVersion = (version: string): void => {
  if (!VERSION.test(version))
    throw new Refusal(
      `${JSON.stringify(version)} is no version: it must be MAJOR.MINOR.PATCH or MAJOR.MINOR.PATCH-PRERELEASE, without "v" and build metadata`,
    );
};

const git = (...argv: readonly string[]): string => run(toolPath('git'), argv).trim();

const checkTree = (version: string): void => {
  const changed = git('status', '--porcelain');
  if (changed !== '')
    throw new Refusal(
      `the tree has uncommitted changes (${changed.split('\n')[0]?.trim()}): commit them, or clone the repository anew`,
    );
  const tags = git('tag', '--points-at', 'HEAD').split('\n').filter(Boolean);
  if (tags.length === 0)
    throw new Refusal(`this commit has no tag: check out v${version}, or tag it (git tag v${version})`);
  if (!tags.includes(`v${version}`))
    throw new Refusal(`this commit is tagged ${tags.join(', ')}, and not v${version}`);
};

/** The versions that files name, by the place where they do. */
export const versionsInFiles = (): Readonly<Record<string, string | undefined>> => {
  const text = (path: string): string => readFileSync(path, 'utf8');
  const { version } = JSON.parse(text('package.json')) as { readonly version: string };
  const lock = JSON.parse(text('package-lock.json')) as { readonly version: string };
  const chart = load(text('charts/sailmark/Chart.yaml')) as Readonly<Record<string, string>>;
  return {
    'package.json': version,
    'package-lock.json': lock.version,
    'version in charts/sailmark/Chart.yaml': chart['version'],
    'appVersion in charts/sailmark/Chart.yaml': chart['appVersion'],
    'ARG VERSION in the Dockerfile': /^ARG VERSION=(\S+)$/m.exec(text('Dockerfile'))?.[1],
  };
};

const checkFiles = (version: string): void => {
  const other = Object.entries(versionsInFiles()).find(([, found]) => found !== version);
  if (other !== undefined)
    throw new Refusal(
      `${other[0]} says ${other[1] ?? 'nothing'}, and not ${version}: \`.ci/release --prepare ${version}\` sets it`,
    );
};

const readSetProject = (): SetProject => {
  let project;
  try {
    project = readProject();
  } catch (error) {
    throw new Refusal((error as Error).message, { cause: error });
  }
  const unset = unsetFields(project);
  if (unset.length > 0)
    throw new Refusal(
      `the project setting does not say where the project lives: set ${unset.join(', ')} in .ci/project.json (or in the file that SAILMARK_PROJECT names)`,
    );
  return project as SetProject;
};

const checkOut = (out: string): void => {
  if (existsSync(out) && readdirSync(out).length > 0)
    throw new Refusal(`${out} is not empty: name another directory with --out, or remove it`);
};

const checkTools = (tools: readonly Tool[]): void => {
  for (const tool of tools) toolPath(tool);
  const helm = run(toolPath('helm'), ['version', '--short']).trim();
  if (/^v[0-3]\./.test(helm))
    throw new Refusal(
      `Helm 4 is needed, and this is ${helm}, which writes the time of packaging into a chart`,
    );
};

/** Checks everything that can be known before anything is made. Refuses, or returns the release. */
export const checkRelease = (version: string, out: string, env: NodeJS.ProcessEnv): Release => {
  checkVersion(version);
  checkTools(['git', 'buildah', 'skopeo', 'helm', 'cosign']);
  checkTree(version);
  checkFiles(version);
  checkOut(out);
  return {
    version,
    tag: `v${version}`,
    commit: git('rev-parse', 'HEAD'),
    epoch: Number(git('log', '-1', '--format=%ct')),
    notes: releaseNotes(readFileSync('CHANGELOG.md', 'utf8'), version),
    project: readSetProject(),
    bases: readBases(readFileSync('Dockerfile', 'utf8'), env),
    out,
  };
};
