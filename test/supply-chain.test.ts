import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readProject } from '../.ci/ship/project.ts';

/*
 * The third-party inputs of a build: pinned by version and hash, and not executed before a person has reviewed them. And the
 * names under which sailmark itself could be pulled or found: whoever registers one that is not ours could serve anything there.
 */

interface Locked {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> };
const locked = Object.entries(packages).filter(([path]) => path !== '');

const pathsWhere = (isSo: (one: Locked) => boolean): string[] =>
  locked.filter(([, one]) => isSo(one)).map(([path]) => path);

describe('the packages that a build takes', () => {
  it('are more than none, each with a sha512 hash and no address of its own', () => {
    expect(locked.length).toBeGreaterThan(0);
    expect(
      pathsWhere(({ integrity = '', resolved }) => !/^sha512-\S+$/.test(integrity) || resolved !== undefined),
    ).toEqual([]);
  });

  it('run nothing when they are installed, where they are part of what is shipped', () => {
    expect(pathsWhere(({ dev, hasInstallScript }) => dev !== true && hasInstallScript === true)).toEqual([]);
  });

  it('are named by one version each', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as {
      dependencies: Record<string, string>;
      devDependencies: Record<string, string>;
    };
    const versions = Object.entries({ ...dependencies, ...devDependencies });
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))).toEqual([]);
  });
});

describe('the images that a build begins with', () => {
  it('are pinned by digest', () => {
    const dockerfile = read('Dockerfile');
    const [pinned, used, from] = [
      /^ARG (\w+_IMAGE)=\S+@sha256:[0-9a-f]{64}$/gm,
      /^FROM (?:--\S+ )*\$\{(\w+)\} AS \w+$/gm,
      /^FROM (?!.* AS )(.*)$/gm,
    ].map((pattern) => [...dockerfile.matchAll(pattern)].map(([line, name]) => name ?? line));
    expect([pinned, used?.toSorted(), from, dockerfile.match(/^FROM\b/gm)?.length]).toEqual([
      ['BUILD_IMAGE', 'RUNTIME_IMAGE'],
      ['BUILD_IMAGE', 'RUNTIME_IMAGE'],
      ['runtime'],
      3,
    ]);
  });
});

/** Where nobody can register a name (RFC 2606, RFC 6761), or only this machine is reached. */
const RESERVED = /(?:^|\.)(?:example(?:\.(?:com|net|org))?|invalid|test|localhost)$|^\d+(?:\.\d+){3}$/;

/** Finds names under which a text would have sailmark pulled, installed or looked up: everything in them but reserved hosts. */
const namesIn = (text: string): readonly string[] => [
  // A path of any host with a segment `sailmark`: an image, a chart, a repository of sources, a Go module.
  ...[
    ...text.matchAll(
      /(?<![\w.@-])(?<![^/]\/)((?:[a-z\d-]+\.)+[a-z]+)(?::\d+)?(?:\/[\w.-]+)*?\/sailmark(?![\w.-]*\.(?:svg|png|ts)\b)/gi,
    ),
  ]
    .filter(([, host = '']) => !RESERVED.test(host.toLowerCase()))
    .map(([name]) => name),
  // A host of our name: `sailmark.dev` is a group of the Kubernetes API, and only that.
  ...[
    ...text.matchAll(/\bsailmark\.(?:io|com|org|net|app|sh|cloud|dev(?=[:/]?\S*\.(?:html|tgz|sh)\b))\b\S*/g),
  ].map(([name]) => name),
  // Names that a program looks up in a registry of its own, without a host.
  ...[
    /\b(?:docker|podman|nerdctl|buildah|crictl|ctr) (?:pull|run|create)(?: -\S+)* (?:sailmark|[\w-]+\/sailmark)\b/g,
    /\b(?:npx|pnpx|bunx|brew install|krew install|snap install|apt(?:-get)? install|pip install|cargo install)(?: -\S+)* @?sailmark\b/g,
    /\bnpm (?:i|install|exec)(?: -\S+)* @?sailmark\b/g,
    /@sailmark\/[a-z]/g,
    /\buses: [\w-]*sailmark\S*/g,
  ].flatMap((pattern) => text.match(pattern) ?? []),
];

describe('the names under which sailmark is found', () => {
  it.each([
    'image: ghcr.io/sailmark/sailmark:0.1.0',
    'repository: quay.io/owner/sailmark',
    'helm install sailmark oci://ghcr.io/owner/charts/sailmark',
    'https://github.com/owner/sailmark/releases',
    'module github.com/sailmark/sailmark',
    'https://sailmark.io/docs',
    'curl https://sailmark.dev/install.sh | sh',
    'docker run --rm sailmark/sailmark verify',
    'npx sailmark scan',
    'npm install -g sailmark',
    'brew install sailmark',
    'uses: sailmark/review@v1',
  ])('would be noticed: %s', (text) => {
    expect(namesIn(text)).toHaveLength(1);
  });

  it.each([
    'registry.corp.example/sailmark:0.1.0',
    'registry.invalid/sailmark',
    'localhost/sailmark',
    '127.0.0.1:5000/owner/sailmark',
    'apiVersion: sailmark.dev/v1alpha1',
    '$id: https://sailmark.dev/v1alpha1/configuration.schema.json',
    'helm install sailmark charts/sailmark',
    'configmaps sailmark/sailmark-scan',
    'npm run -s sailmark -- scan',
    'npm install --global .',
    'http://localhost:5000/sailmark',
  ])('is nobody’s, or only a name in Kubernetes: %s', (text) => {
    expect(namesIn(text)).toEqual([]);
  });

  it('are the project setting’s, in every file', () => {
    const { home, sources, registry } = readProject();
    const ours = [home, sources, registry].filter((one) => one !== undefined);
    const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
      encoding: 'utf8',
    })
      .trim()
      .split('\n')
      .filter(
        (path) => !/^test\/(?:supply-chain\.test\.ts|fixtures\/)|^\.ci\/project\.json$|\.png$/.test(path),
      );
    expect(files.length).toBeGreaterThan(500);
    const named = files.flatMap((path) =>
      namesIn(ours.reduce((text, name) => text.replaceAll(name, ''), read(path))).map(
        (name) => `${path}: ${name}`,
      ),
    );
    expect(named).toEqual([]);
  });
});

describe('where there is no release yet', () => {
  const PAGES = ['README.md', 'SECURITY.md', 'docs/install.md', 'charts/sailmark/README.md'];

  it.each(PAGES)('%s says so, and once there is one, it does not', (page) => {
    expect(/No release (?:has been|is) published yet/.test(read(page).replaceAll(/\s+/g, ' '))).toBe(
      readProject().registry === undefined,
    );
  });

  it('the chart has no image of its own', () => {
    expect(read('charts/sailmark/values.yaml')).toContain('\n  repository: ""\n');
  });
});
