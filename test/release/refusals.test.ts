import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { refuseOtherDigest } from '../../.ci/ship/registry.ts';
import { runOrThrow, runProgram } from '../e2e/tools.ts';
import { tagsOf } from './registry.ts';
import { made, readSummary } from './tools.ts';

/* Why `.ci/release` refuses: a sentence, before anything is made. */

const git = (...argv: readonly string[]): Promise<string> => runOrThrow('git', argv, { cwd: made().clone });

const release = async (argv: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  const { code, stdout, stderr } = await runProgram('bash', ['.ci/release', ...argv], {
    cwd: made().clone,
    env: { ...made().env, ...env },
  });
  return { code, stdout, stderr };
};

/** The sentence in which a release is refused. Fails unless it says that nothing was published, and nothing else. */
const refusal = async (...given: Parameters<typeof release>): Promise<string> => {
  const { code, stdout, stderr } = await release(...given);
  const [, sentence = stderr] = /^\.ci\/release: (.*)\nNothing was published\.\n$/s.exec(stderr) ?? [];
  expect({ code, stdout, lines: sentence.split('\n').length }).toEqual({ code: 1, stdout: '', lines: 1 });
  return sentence;
};

let before: unknown;
const published = () => Promise.all(['owner/sailmark', 'owner/charts/sailmark'].map(tagsOf(made().host)));
beforeAll(async () => {
  before = await published();
});
afterEach(async () => {
  const { version } = made();
  await git('checkout', '--quiet', '--force', `v${version}`);
  await git('clean', '--quiet', '--force', '-d');
});

describe('a release is refused', () => {
  it.each(['v9.8.7', '9.8', '9.8.7+build', '09.8.7', '9.8.7-', 'latest', '9.8.7 '])(
    'of %j, which is no version',
    async (version) => {
      expect(await refusal([version])).toMatch(/ is no version: it must be MAJOR\.MINOR\.PATCH/);
    },
  );

  it('of no version, and of two', async () => {
    expect(await refusal([])).toContain('one version is needed');
    expect(await refusal(['9.8.7', '9.8.8'])).toContain('one version is needed');
  });

  it('from a tree with a file that is in no commit, or changed', async () => {
    const { clone, version } = made();
    await writeFile(join(clone, 'note'), '');
    expect(await refusal([version])).toBe(
      'the tree has uncommitted changes (?? note): commit them, or clone the repository anew',
    );
    await rm(join(clone, 'note'));
    await writeFile(join(clone, 'Dockerfile'), '# changed\n');
    expect(await refusal([version])).toContain('(M Dockerfile)');
  });

  it('from a commit without a tag, and with the tag of another version', async () => {
    expect(await refusal(['9.8.8'])).toBe('this commit is tagged v9.8.7, and not v9.8.8');
    await git('checkout', '--quiet', '--detach');
    await git('commit', '--quiet', '--allow-empty', '--message', 'more');
    expect(await refusal(['9.8.7'])).toBe(
      'this commit has no tag: check out v9.8.7, or tag it (git tag v9.8.7)',
    );
  });

  it('if a file names another version', async () => {
    await git('tag', '--force', 'v9.8.8');
    expect(await refusal(['9.8.8'])).toBe(
      'package.json says 9.8.7, and not 9.8.8: `.ci/release --prepare 9.8.8` sets it',
    );
    await git('tag', '--delete', 'v9.8.8');
  });

  it('if the changelog has no section for it', async () => {
    await git('checkout', '--quiet', '--detach');
    await runOrThrow('sed', ['-i', '/^## 9.8.7/d', 'CHANGELOG.md'], { cwd: made().clone });
    await git('commit', '--quiet', '--all', '--message', 'no section');
    await git('tag', 'unprepared');
    await git('tag', '--force', 'v9.8.7-kept', 'v9.8.7');
    await git('tag', '--force', 'v9.8.7');
    const sentence = await refusal(['9.8.7']);
    await git('tag', '--force', 'v9.8.7', 'v9.8.7-kept');
    await git('tag', '--delete', 'unprepared', 'v9.8.7-kept');
    expect(sentence).toContain('CHANGELOG.md has no section for 9.8.7');
  });

  it('if the project setting does not say where the project lives, or names no registry', async () => {
    expect(await refusal(['9.8.7'], { SAILMARK_PROJECT: '' })).toMatch(
      /does not say where the project lives: set home, sources, registry, maintainers, security, vendor in \.ci\/project\.json/,
    );
    const wrong = join(made().home, 'wrong.json');
    await writeFile(wrong, JSON.stringify({ registry: 'https://registry.example/owner' }));
    expect(await refusal(['9.8.7'], { SAILMARK_PROJECT: wrong })).toContain('registry: must be');
  });

  it('without a key, with a key that is not there, and with a wrong password', async () => {
    expect(await refusal(['9.8.7'], { COSIGN_KEY: '' })).toContain('there is no key to sign with');
    for (const env of [{ COSIGN_KEY: '/nowhere/cosign.key' }, { COSIGN_PASSWORD: 'wrong' }])
      expect(await refusal(['9.8.7'], env)).toContain('the key that COSIGN_KEY names cannot be used');
  });

  it.each(['buildah', 'skopeo', 'helm', 'cosign'])('without %s', async (tool) => {
    expect(await refusal(['9.8.7'], { [tool.toUpperCase()]: '/nowhere/tool' })).toMatch(
      new RegExp(`^${tool} is missing, which .*: install it, or name its path in ${tool.toUpperCase()}$`),
    );
  });

  it('from a base image that is not pinned', async () => {
    expect(await refusal(['9.8.7'], { RUNTIME_IMAGE: 'registry.example/base:latest' })).toContain(
      'RUNTIME_IMAGE must be pinned by a digest',
    );
  });

  it('into a directory that holds something', async () => {
    const { out } = made();
    expect(await refusal(['--out', out, '9.8.7'])).toBe(
      `${out} is not empty: name another directory with --out, or remove it`,
    );
  });

  it('for a registry that cannot be read', async () => {
    const setting = join(made().home, 'unreachable.json');
    const { registry: _registry, ...project } = JSON.parse(
      await runOrThrow('cat', [made().env['SAILMARK_PROJECT'] ?? '']),
    ) as Record<string, unknown>;
    await writeFile(setting, JSON.stringify({ ...project, registry: '127.0.0.1:1/owner' }));
    expect(await refusal(['9.8.7'], { SAILMARK_PROJECT: setting })).toContain('cannot be read');
  });

  it('for a tag that is published with another digest, and not with its own', () => {
    const { image, version } = readSummary();
    expect(() => refuseOtherDigest(image, version)).not.toThrow();
    const other = `sha256:${'0'.repeat(64)}`;
    expect(() => refuseOtherDigest({ ...image, digest: other }, version)).toThrow(
      `${image.repository}:${version} is published already, as ${image.digest}; this release is ${other}`,
    );
  });
});

describe('--prepare refuses', () => {
  it('what is no version, and a version that the changelog has already', async () => {
    expect(await refusal(['--prepare', 'v9.8.8'])).toContain('is no version');
    expect(await refusal(['--prepare', '9.8.7'])).toContain('has a section for 9.8.7 already');
  });

  it('an empty "Unreleased", and changes nothing', async () => {
    expect(await refusal(['--prepare', '9.9.0'])).toBe('CHANGELOG.md says nothing under "## Unreleased"');
    expect(await git('status', '--porcelain')).toBe('');
  });
});

it('--help says what it takes', async () => {
  const { code, stdout } = await release(['--help']);
  expect(code).toBe(0);
  for (const name of ['--prepare', '--dry-run', '--out', 'COSIGN_KEY', 'SAILMARK_PROJECT', 'SIGNING_CONFIG'])
    expect(stdout).toContain(name);
});

it('no refusal published anything', async () => {
  expect(await published()).toEqual(before);
});
