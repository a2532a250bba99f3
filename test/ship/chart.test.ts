import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { chartOf, readmeOfChart } from '../../.ci/ship/chart.ts';
import type { Artifact, Release } from '../../.ci/ship/release-context.ts';
import { unacceptable } from '../chart/artifact-hub.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

const SOURCES = 'https://git.example/owner/sailmark';

/** A release, as far as its chart needs it. */
const release = {
  version: '0.2.0-rc.1',
  tag: 'v0.2.0-rc.1',
  project: {
    home: 'https://sailmark.example',
    sources: SOURCES,
    registry: 'registry.example/owner',
    maintainers: [{ name: 'A Maintainer', email: 'maintainer@sailmark.example' }],
    security: undefined,
    vendor: 'Sailmark',
  },
  notes:
    '### Added\n\n* `scan`: a page.\n  Its second line.\n\n### Security\n\n* A way past a refusal: closed.\n',
} as unknown as Release;

const image: Artifact = {
  layout: '',
  repository: 'registry.example/owner/sailmark',
  digest: `sha256:${'b'.repeat(64)}`,
  platforms: [{ platform: 'linux/amd64' }, { platform: 'linux/arm64' }] as unknown as Artifact['platforms'],
};

describe('the chart of a release', () => {
  const chart = chartOf(read('charts/sailmark/Chart.yaml'), release, image);

  it('has annotations that Artifact Hub accepts, and all that it shows', () => {
    const { annotations = {} } = chart;
    expect(unacceptable(annotations)).toEqual([]);
    expect(Object.keys(annotations).toSorted()).toEqual(
      [
        'category',
        'changes',
        'containsSecurityUpdates',
        'images',
        'license',
        'links',
        'operator',
        'prerelease',
      ].map((name) => `artifacthub.io/${name}`),
    );
    expect(annotations).toMatchObject({
      'artifacthub.io/prerelease': 'true',
      'artifacthub.io/containsSecurityUpdates': 'true',
      'artifacthub.io/images': expect.stringContaining(`:0.2.0-rc.1@${image.digest}`),
      'artifacthub.io/changes': expect.stringMatching(/kind: added\n[\s\S]*kind: security\n/),
    });
  });

  it('names home, sources, maintainers and an icon that is in the sources, and keeps the rest', () => {
    expect(chart).toMatchObject({
      name: 'sailmark',
      kubeVersion: '>=1.30.0-0',
      version: '0.2.0-rc.1',
      appVersion: '0.2.0-rc.1',
      home: 'https://sailmark.example',
      sources: [SOURCES],
      maintainers: [{ name: 'A Maintainer', email: 'maintainer@sailmark.example' }],
    });
    const { icon } = chart as unknown as { readonly icon: string };
    expect(icon.startsWith(`${SOURCES}/raw/v0.2.0-rc.1/`)).toBe(true);
    expect(read(icon.slice(`${SOURCES}/raw/v0.2.0-rc.1/`.length))).toContain('<svg ');
  });
});

describe('the README of a packaged chart', () => {
  const readme = readmeOfChart(read('charts/sailmark/README.md'), release);
  const links = [...readme.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);

  it('has no link to a page that is not packaged', () => {
    expect(links.filter((link) => !/^(?:https:\/\/|#)/.test(link))).toEqual([]);
  });

  it('links to the pages of its own release', () => {
    expect(links).toContain(`${SOURCES}/blob/v0.2.0-rc.1/docs/emergency.md`);
    expect(links).toContain(`${SOURCES}/blob/v0.2.0-rc.1/docs/stability.md#upgrades`);
  });
});
