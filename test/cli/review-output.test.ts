import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { review as admissionReview, container, deployment, pod } from '../support/builders.ts';
import { HOSTILE } from '../support/example-report.ts';
import { type Mirror, startMirror } from '../support/mirror.ts';
import { runCli } from '../support/run-cli.ts';

let mirror: Mirror;
let directory: string;
let signed: string;
let unsigned: string;
beforeAll(async () => {
  mirror = await startMirror();
  directory = await mkdtemp(join(tmpdir(), 'sailmark-output-'));
  signed = mirror.add().byTag;
  unsigned = mirror.add({ by: false }).byTag;
  const head = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };
  await writeFile(join(directory, 'config.yaml'), JSON.stringify({ ...head, ...mirror.configuration }));
});
afterAll(async () => {
  await mirror.registry.close();
  await rm(directory, { recursive: true, force: true });
});

const review = (input: string, output: string, ...more: readonly string[]) => {
  const config = join(directory, 'config.yaml');
  const argv = ['review', '-f', '-', '--output', output, '--config', config, '--allow-http-registry'];
  return runCli([...argv, ...more], { stdin: input });
};

interface Sarif {
  readonly runs: readonly [
    {
      readonly results: readonly {
        readonly ruleId: string;
        readonly level: string;
        readonly locations: readonly [
          {
            readonly physicalLocation: {
              readonly artifactLocation: { readonly uri: string };
              readonly region: { readonly startLine: number };
            };
          },
        ];
      }[];
    },
  ];
}

/** The code, level, file and line of each result. */
const resultsIn = (stdout: string): readonly string[] =>
  (JSON.parse(stdout) as Sarif).runs[0].results.map(
    ({ ruleId, level, locations: [{ physicalLocation }] }) => {
      const { artifactLocation, region } = physicalLocation;
      return `${level} ${ruleId} ${artifactLocation.uri}:${region.startLine}`;
    },
  );

const sarif = async (input: string, ...argv: readonly string[]): Promise<readonly string[]> =>
  resultsIn((await review(input, 'sarif', ...argv)).stdout);

describe('a manifest that is hostile', () => {
  it.each(HOSTILE)('makes nothing but text in each format: %s', async (_name, text) => {
    const bad = { ...container(unsigned, text), args: [`docker.io/istio/pilot:1.2.3 ${text}`] };
    const object = { ...pod({ containers: [bad] }, { name: text, namespace: text }), kind: text || 'x' };
    const input = JSON.stringify(object);
    const [json, xml, commands] = [
      (await review(input, 'sarif')).stdout,
      (await review(input, 'junit')).stdout,
      (await review(input, 'github')).stdout,
    ];
    expect(resultsIn(json).length).toBeGreaterThan(0);
    expect(xml.match(/<testcase /g)).toHaveLength(1);
    expect(xml).not.toMatch(/<(?:script|!ENTITY)|[^\t\n\x20-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u);
    const lines = commands.trimEnd().split(/\r\n|\r|\n/);
    expect(
      lines.slice(0, -1).filter((line) => !/^::(?:error|warning) file=stdin,line=1,title=/.test(line)),
    ).toEqual([]);
    expect(lines.at(-1)).toMatch(/^sailmark review: 1 checked, /);
  });
});

describe('the line of a finding', () => {
  it('is that of the image, in several documents, lists and block or flow form', async () => {
    const text = [
      '# two documents',
      '---',
      'kind: Pod',
      'apiVersion: v1',
      'metadata: {name: a}',
      'spec:',
      '  containers:',
      '  - name: app',
      '    image: nginx',
      '  - name: istio-proxy',
      `    image: ${unsigned}`,
      '---',
      'kind: PodList',
      'apiVersion: v1',
      'items:',
      '- metadata: {name: b}',
      `  spec: {containers: [{name: x, image: nginx},`,
      `    {name: istio-proxy, image: "${unsigned}"}]}`,
    ].join('\n');
    const lines = ['error signature-missing stdin:11', 'error signature-missing stdin:18'];
    expect(await sarif(text)).toEqual(lines);
    expect(await sarif(text.replaceAll('\n', '\r\n'))).toEqual(lines);
  });

  it('is that of the image in JSON, and in each value of a stream', async () => {
    const one = JSON.stringify(pod([signed, unsigned]), null, 1);
    const at = one.split('\n').findIndex((line) => line.includes(unsigned)) + 1;
    expect(await sarif(one)).toEqual([`error signature-missing stdin:${at}`]);
    const stream = `${JSON.stringify(pod([unsigned]))}\n${JSON.stringify(pod([signed]))}\n\n${JSON.stringify(pod([unsigned]))}\n`;
    expect(await sarif(stream)).toEqual([
      'error signature-missing stdin:1',
      'error signature-missing stdin:4',
    ]);
  });

  it('is that of the object in a captured AdmissionReview', async () => {
    const text = JSON.stringify(admissionReview(pod([unsigned])), null, 1);
    const at = text.split('\n').findIndex((line) => line.includes(unsigned)) + 1;
    expect(await sarif(text)).toEqual([`error signature-missing stdin:${at}`]);
  });

  it('is that of an annotation, whose key has dots, and of a field that is not judged', async () => {
    const text = [
      'kind: Deployment',
      'apiVersion: apps/v1',
      'metadata: {name: cart}',
      'spec:',
      '  template:',
      '    metadata:',
      '      annotations:',
      '        sidecar.istio.io: x',
      `        sidecar.istio.io/proxyImage: ${unsigned}`,
      '    spec:',
      '      containers:',
      '      - name: app',
      '        image: nginx',
      '        args:',
      '        - --image',
      '        - docker.io/istio/pilot:1.2.3',
    ].join('\n');
    expect(await sarif(text)).toEqual(['error signature-missing stdin:9', 'error not-judged stdin:16']);
  });

  it('is that of an alias, which stands for the image elsewhere', async () => {
    const text = [
      'kind: Pod',
      'apiVersion: v1',
      'metadata:',
      '  name: a',
      `  annotations: {image: &image ${unsigned}}`,
      'spec:',
      '  containers:',
      '  - name: istio-proxy',
      '    image: *image',
    ].join('\n');
    expect(await sarif(text)).toEqual(['error signature-missing stdin:9']);
  });
});

describe('the level of a finding', () => {
  const template = () => JSON.stringify(deployment([unsigned]));

  it('is an error if Pods would be refused, also where the webhook only warns of their template', async () => {
    expect(await sarif(JSON.stringify(pod([unsigned])))).toEqual(['error signature-missing stdin:1']);
    expect(await sarif(template())).toEqual(['error signature-missing stdin:1']);
  });

  it('is a warning in a mode that refuses nothing', async () => {
    expect(await sarif(template(), '--mode', 'audit')).toEqual(['warning signature-missing stdin:1']);
  });
});

describe('the exit code', () => {
  it.each(['sarif', 'junit', 'github'])('is that of the findings with --output %s', async (output) => {
    expect((await review(JSON.stringify(pod([unsigned])), output)).code).toBe(10);
    expect((await review(JSON.stringify(pod([unsigned])), output, '--exit-zero')).code).toBe(0);
    expect((await review(JSON.stringify(pod([signed])), output)).code).toBe(0);
  });
});

it('a file is named relative to the working directory if it is below it, and absolutely otherwise', async () => {
  await mkdir(join(directory, 'a b'));
  await writeFile(join(directory, 'a b', 'x.yaml'), JSON.stringify(pod([unsigned])));
  const inDirectory = (file: string, cwd: string): Promise<string> => {
    const main = new URL('../../src/main.ts', import.meta.url).pathname;
    const flags = ['--config', join(directory, 'config.yaml'), '--allow-http-registry', '--exit-zero'];
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [main, 'review', '-f', file, '-o', 'sarif', ...flags],
        { cwd },
        (_error, stdout) => resolve(stdout),
      );
    });
  };
  const results = ['error signature-missing a%20b/x.yaml:1'];
  expect(resultsIn(await inDirectory('a b', directory))).toEqual(results);
  expect(resultsIn(await inDirectory(join(directory, 'a b', 'x.yaml'), directory))).toEqual(results);
  expect(resultsIn(await inDirectory('../a b/x.yaml', join(directory, 'a b')))).toEqual([
    'error signature-missing x.yaml:1',
  ]);
  const elsewhere = join(directory, 'elsewhere');
  await mkdir(elsewhere);
  expect(resultsIn(await inDirectory('../a b/x.yaml', elsewhere))).toEqual([
    `error signature-missing file://${directory}/a%20b/x.yaml:1`,
  ]);
});
