import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { changesOf, cutRelease, releaseNotes } from '../../.ci/ship/changelog.ts';

const CHANGELOG = `# Changelog

## Unreleased

### Added

* A *flag* \`--more\` ([docs](docs/commands.md)), which
  goes on in a second line.
* Another.

### Fixed

* A fault.

## 0.1.0 – 2026-01-02

* The first.

## 0.0.1 – 2026-01-01
`;

describe('the changelog', () => {
  it('has no release notes for a version without a section, or with an empty one', () => {
    expect(() => releaseNotes(CHANGELOG, '0.2.0')).toThrow(/^CHANGELOG\.md has no section for 0\.2\.0: /);
    expect(() => releaseNotes(CHANGELOG, '0.1')).toThrow('has no section for 0.1');
    expect(() => releaseNotes(CHANGELOG, '0.0.1')).toThrow(
      'CHANGELOG.md says nothing below its heading for 0.0.1',
    );
  });

  it('is not cut for a version that is there, or from an empty "Unreleased"', () => {
    expect(() => cutRelease(CHANGELOG, '0.1.0', '2026-02-03')).toThrow('has a section for 0.1.0 already');
    const cut = cutRelease(CHANGELOG, '0.2.0', '2026-02-03');
    expect(() => cutRelease(cut, '0.3.0', '2026-02-04')).toThrow('says nothing under "## Unreleased"');
    expect(() => cutRelease('# Changelog\n', '0.1.0', '2026-02-03')).toThrow('says nothing under');
  });

  it('gives what is unreleased the heading of a version, and nothing else changes', () => {
    const cut = cutRelease(CHANGELOG, '0.2.0', '2026-02-03');
    expect(cut).toBe(CHANGELOG.replace('## Unreleased\n', '## Unreleased\n\n## 0.2.0 – 2026-02-03\n'));
    expect(releaseNotes(cut, '0.2.0')).toMatch(/^### Added\n[^]*\* A fault\.$/);
    expect(releaseNotes(cut, '0.1.0')).toBe('* The first.');
  });

  it('lists each change with its kind, as plain text', () => {
    expect(changesOf(releaseNotes(cutRelease(CHANGELOG, '0.2.0', '2026-02-03'), '0.2.0'))).toEqual([
      { kind: 'added', description: 'A *flag* --more (docs), which goes on in a second line.' },
      { kind: 'added', description: 'Another.' },
      { kind: 'fixed', description: 'A fault.' },
    ]);
    expect(changesOf('* The first.')).toEqual([{ kind: 'changed', description: 'The first.' }]);
  });

  it('of this project lists every entry', () => {
    const changelog = readFileSync(new URL('../../CHANGELOG.md', import.meta.url), 'utf8');
    const changes = changesOf(changelog);
    expect(changes).toHaveLength(changelog.split('\n').filter((line) => line.startsWith('* ')).length);
    expect(changes.filter(({ description }) => description.length < 10)).toEqual([]);
  });
});
