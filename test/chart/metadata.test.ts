import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { unacceptable } from './artifact-hub.ts';
import { helm, render } from './helm.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

interface Chart {
  readonly annotations: Readonly<Record<string, string>>;
  readonly keywords: readonly string[];
  readonly [key: string]: unknown;
}
const chart = load(read('charts/sailmark/Chart.yaml')) as Chart;

describe('the versions of Kubernetes that the chart admits', () => {
  it.each(['v1.29.15', 'v1.29.9-gke.1000', 'v1.28.13-eks-a737599', '1.29.0+k3s1', 'v1.9.0'])(
    'are not older than 1.30: %s is refused',
    async (kubernetes) => {
      await expect(render({}, { kubernetes })).rejects.toThrow('kubeVersion: >=1.30.0-0');
    },
  );

  it.each([
    'v1.30.0',
    'v1.30.0-rc.1',
    'v1.33.1-gke.100',
    'v1.33.5-gke.1201000',
    'v1.31.2-eks-7f9249a',
    'v1.34.1+k3s1',
    'v1.32.9+rke2r1',
    'v1.30.14-aliyun.1',
    'v1.31.7-mirantis-1',
    'v1.37.2',
    'v2.0.0',
  ])('are those from 1.30 on, whatever a provider appends: %s', async (kubernetes) => {
    expect((await render({}, { kubernetes })).length).toBeGreaterThan(5);
  });
});

describe('the annotations for Artifact Hub', () => {
  it.each([
    { changes: '- kind: improved\n  description: x' },
    { changes: '- kind: added' },
    { changes: 'text' },
    { images: '- image: registry.example/sailmark:1' },
    { images: '- {name: sailmark, image: registry.example:5000/sailmark}' },
    { images: '- {name: sailmark, image: "registry.example/sailmark:1", platforms: [amd64]}' },
    { links: '- {name: Documentation, url: docs/}' },
    { links: '- {name: Documentation, url: "http://insecure.example"}' },
    { category: 'gate' },
    { operator: 'no' },
    { prerelease: 'yes' },
    { signKey: 'fingerprint: ABC' },
    { unheardOf: 'true' },
  ])('are not such as it leaves out: %j', (wrong) => {
    const [[name, text]] = Object.entries(wrong) as [[string, string]];
    expect(unacceptable({ [`artifacthub.io/${name}`]: text })).toEqual([`artifacthub.io/${name}`]);
  });

  it('are accepted as a release writes them', () => {
    const annotations = {
      changes: '- kind: added\n  description: something\n- {kind: security, description: "closed: x"}\n',
      images: `- name: sailmark\n  image: registry.example/sailmark:1@sha256:${'a'.repeat(64)}\n  platforms: [linux/amd64, linux/arm64]\n`,
      links: '- name: Documentation\n  url: https://sailmark.example/docs\n',
      prerelease: 'false',
      containsSecurityUpdates: 'true',
      signKey: 'fingerprint: 0123456789ABCDEF\nurl: https://sailmark.example/key.asc\n',
    };
    const named = Object.entries(annotations).map(([name, text]) => [`artifacthub.io/${name}`, text]);
    expect(unacceptable(Object.fromEntries(named) as Record<string, string>)).toEqual([]);
  });

  it('that the chart has by itself are accepted, and have category, licence and what it is', () => {
    expect(unacceptable(chart.annotations)).toEqual([]);
    expect(chart.annotations).toMatchObject({
      'artifacthub.io/category': 'security',
      'artifacthub.io/license': 'Apache-2.0',
      'artifacthub.io/operator': 'false',
    });
    expect(new Set(chart.keywords).size).toBe(chart.keywords.length);
  });
});

describe('the icon', () => {
  const icon = read('charts/sailmark/icon.svg');

  it('is a small picture that runs nothing and fetches nothing', () => {
    expect(Buffer.byteLength(icon)).toBeLessThan(4096);
    expect(icon).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 96 96">/);
    expect(icon.replace('http://www.w3.org/2000/svg', '')).not.toMatch(
      /script|href|url\(|https?:|on\w+=|style/i,
    );
  });
});

describe('what `helm show` prints', () => {
  it('is a README that begins with what it is and how to install it, and lints without an error', async () => {
    const { stdout } = await helm(['show', 'readme', 'charts/sailmark']);
    expect(stdout).toMatch(/^\n*# The sailmark chart\n/);
    expect(stdout.slice(0, 800)).toContain('helm install sailmark ');
    const lint = await helm(['lint', 'charts/sailmark', '--strict']);
    expect([lint.code, lint.stdout]).toEqual([0, expect.not.stringMatching(/\[(?:ERROR|WARNING)\]/)]);
  });
});
