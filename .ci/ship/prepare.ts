import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cutRelease } from './changelog.ts';
import { run, say, toolPath } from './command.ts';
import { checkVersion, versionsInFiles } from './preflight.ts';

const edit = (path: string, change: (text: string) => string): void => {
  const before = readFileSync(path, 'utf8');
  const after = change(before);
  if (after === before) return;
  writeFileSync(path, after);
  say(`  ${path}`);
};

/** Gives the first version that a pattern finds another value. The pattern has two groups, around the version. */
const setVersion =
  (pattern: RegExp, version: string) =>
  (text: string): string =>
    text.replace(pattern, (_line, before: string, after: string) => `${before}${version}${after}`);

const JSON_VERSION = /^( {2}"version": ")[^"]+(")/m;
const JSON_PACKAGE_VERSION = /^( {4}"": \{\n {6}"name": "sailmark",\n {6}"version": ")[^"]+(")/m;

const isPage = (path: string): boolean => path.endsWith('.md');

/** The pages that say that nothing has been released. A first release makes that untrue. */
const pagesWithoutRelease = (): readonly string[] =>
  run(toolPath('git'), ['ls-files', '*.md'])
    .trim()
    .split('\n')
    .filter((page) =>
      /no release (?:has been|is) published/i.test(readFileSync(page, 'utf8').replaceAll(/\s+/g, ' ')),
    );

/** Sets the version in every file that names it, and makes the section of the changelog. Commits nothing. */
export const prepare = (version: string, date: string): void => {
  checkVersion(version);
  const helm = toolPath('helm');
  const changelog = cutRelease(readFileSync('CHANGELOG.md', 'utf8'), version, date);
  const before = versionsInFiles()['package.json'] ?? '';
  say(`Files of version ${version}:`);
  edit('CHANGELOG.md', () => changelog);
  edit('package.json', setVersion(JSON_VERSION, version));
  edit('package-lock.json', setVersion(JSON_VERSION, version));
  edit('package-lock.json', setVersion(JSON_PACKAGE_VERSION, version));
  edit('charts/sailmark/Chart.yaml', setVersion(/^(version: )\S+()$/m, version));
  edit('charts/sailmark/Chart.yaml', setVersion(/^(appVersion: )\S+()$/m, version));
  edit('Dockerfile', setVersion(/^(ARG VERSION=)\S+()$/m, version));
  for (const page of ['README.md', ...readdirSync('docs').map((name) => `docs/${name}`)].filter(isPage))
    edit(page, (text) =>
      text.replaceAll(
        /(\bsailmark[:-]|--version |\bVERSION=)(\d+\.\d+\.\d+[\w.-]*?)(?=\.tgz|\.tar|\s|$|[`)@])/g,
        (found, place, named) => (named === before ? `${place}${version}` : found),
      ),
    );
  const missed = Object.entries(versionsInFiles()).filter(([, found]) => found !== version);
  if (missed.length > 0)
    throw new Error(`${missed.map(([place]) => place).join(', ')}: the version is not set`);
  run(process.execPath, ['.ci/chart-files.ts'], { env: { HELM: helm } });
  say('  what .ci/chart-files.ts generates');
  for (const page of pagesWithoutRelease()) say(`  ${page} says that no release is published: correct it`);
  say('Read the changelog; then:');
  say(`  git commit -a -m 'release: ${version}' && git tag v${version}`);
};
