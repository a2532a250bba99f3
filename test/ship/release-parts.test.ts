import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { readBases } from '../../.ci/ship/base-images.ts';
import { valuesOf } from '../../.ci/ship/chart.ts';
import { checkVersion } from '../../.ci/ship/preflight.ts';
import { isLoopback } from '../../.ci/ship/release-context.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('a version', () => {
  it.each([
    '',
    '1',
    '1.2',
    'v1.2.3',
    '1.2.3.4',
    '01.2.3',
    '1.2.3-',
    '1.2.3-01',
    '1.2.3-a..b',
    '1.2.3+4',
    ' 1.2.3',
    '1.2.3\n',
  ])('is not %j', (version) => {
    expect(() => checkVersion(version)).toThrow('is no version');
  });

  it.each(['0.1.0', '10.20.30', '1.2.3-rc.1', '1.2.3-0', '1.2.3-x-y.0a'])('is %j', (version) => {
    expect(() => checkVersion(version)).not.toThrow();
  });
});

describe('the base images of a release', () => {
  const dockerfile = read('Dockerfile');

  it('are refused without a digest', () => {
    for (const reference of [
      'registry.example/base',
      'registry.example/base:1',
      'registry.example/base@sha256:1',
    ])
      expect(() => readBases(dockerfile, { RUNTIME_IMAGE: reference })).toThrow(
        `RUNTIME_IMAGE must be pinned by a digest (NAME@sha256:…), got "${reference}"`,
      );
    expect(() => readBases('', {})).toThrow('BUILD_IMAGE must be pinned');
  });

  it('are the Dockerfile’s own, or those of the environment', () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const { build, runtime } = readBases(dockerfile, {
      BUILD_IMAGE: `registry.example:5000/node:26@${digest}`,
    });
    expect(build).toEqual({ repository: 'registry.example:5000/node', digest });
    expect(dockerfile).toContain(`${runtime.repository}:nonroot@${runtime.digest}`);
  });
});

describe('plain HTTP', () => {
  it.each([
    'registry.example/owner',
    '127.0.0.1.example/owner',
    'localhost.example:5000/x',
    '10.0.0.1:5000/x',
  ])('is not spoken to %s', (repository) => {
    expect(isLoopback(repository)).toBe(false);
  });

  it.each(['127.0.0.1:5000/owner', 'localhost/x', 'localhost:5000/x', '[::1]:5000/x'])(
    'is spoken to %s',
    (repository) => {
      expect(isLoopback(repository)).toBe(true);
    },
  );
});

describe('the chart’s default image', () => {
  const image = {
    layout: '',
    repository: 'registry.example/owner/sailmark',
    digest: `sha256:${'b'.repeat(64)}`,
    platforms: [],
  };

  it('is not set where values.yaml has no place for it', () => {
    expect(() => valuesOf('images:\n  repository: ""\n', image)).toThrow(
      'values.yaml has no image.repository',
    );
  });

  it('is that of the release, and no other value changes', () => {
    const before = load(read('charts/sailmark/values.yaml')) as { readonly image: object };
    const after = load(valuesOf(read('charts/sailmark/values.yaml'), image));
    const { repository, digest } = image;
    expect(after).toEqual({ ...before, image: { ...before.image, repository, digest } });
  });
});
