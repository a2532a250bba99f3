import { Refusal } from './command.ts';

/*
 * CHANGELOG.md has a section for each version, `## 1.2.3 – 2026-11-30`, the newest first, and one for what no release holds yet,
 * `## Unreleased`.
 */

const HEADING = /^## (?<title>.+)$/gm;

interface Section {
  /** `Unreleased` or a version. */
  readonly name: string;
  readonly body: string;
}

const sectionsOf = (changelog: string): readonly Section[] => {
  const headings = [...changelog.matchAll(HEADING)];
  return headings.map((heading, index) => ({
    name: heading.groups?.['title']?.split(' ')[0] ?? '',
    body: changelog.slice(heading.index + heading[0].length, headings[index + 1]?.index).trim(),
  }));
};

/** Returns the section of a version, without its heading: the release notes. Refuses if there is none, or an empty one. */
export const releaseNotes = (changelog: string, version: string): string => {
  const section = sectionsOf(changelog).find(({ name }) => name === version);
  if (section === undefined)
    throw new Refusal(
      `CHANGELOG.md has no section for ${version}: \`.ci/release --prepare ${version}\` makes it from "Unreleased"`,
    );
  if (section.body === '') throw new Refusal(`CHANGELOG.md says nothing below its heading for ${version}`);
  return section.body;
};

/** Gives what is under "Unreleased" the heading of a version, and leaves an empty "Unreleased" above it. */
export const cutRelease = (changelog: string, version: string, date: string): string => {
  const sections = sectionsOf(changelog);
  if (sections.some(({ name }) => name === version))
    throw new Refusal(`CHANGELOG.md has a section for ${version} already`);
  const unreleased = sections.find(({ name }) => name === 'Unreleased');
  if (unreleased === undefined || unreleased.body === '')
    throw new Refusal('CHANGELOG.md says nothing under "## Unreleased"');
  return changelog.replace(/^## Unreleased$/m, () => `## Unreleased\n\n## ${version} – ${date}`);
};

/** A change, as Artifact Hub lists it in a chart's annotation. */
export interface Change {
  readonly kind: 'added' | 'changed' | 'deprecated' | 'removed' | 'fixed' | 'security';
  readonly description: string;
}

const KINDS: Readonly<Record<string, Change['kind']>> = {
  Added: 'added',
  Changed: 'changed',
  Deprecated: 'deprecated',
  Removed: 'removed',
  Fixed: 'fixed',
  Security: 'security',
};

/** The text of Markdown: a link becomes its words, and the marks of code and emphasis go. */
const plain = (markdown: string): string =>
  markdown
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/\*\*|`/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();

/** Returns the entries of release notes by their kind. A heading that is no kind counts as `changed`. */
export const changesOf = (notes: string): readonly Change[] =>
  notes.split(/^### /m).flatMap((part, index) => {
    const kind = (index > 0 && KINDS[part.split('\n', 1)[0]?.trim() ?? '']) || 'changed';
    return [...part.matchAll(/^\* ((?:.|\n(?! *\*|\n))*)/gm)].map(([, text = '']) => ({
      kind,
      description: plain(text),
    }));
  });
