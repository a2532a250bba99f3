import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { exitCodes } from '../../src/cli/shared/exit-codes.ts';
import { configurationSchema } from '../../src/config/index.ts';
import { metricDefinitions } from '../../src/observability/index.ts';
import { reasonCodes } from '../../src/policy/index.ts';
import { rules, toJson } from '../../src/report/index.ts';
import { exampleScan } from '../support/example-scan.ts';
import { startMirror } from '../support/mirror.ts';
import { runCli } from '../support/run-cli.ts';

/*
 * The names that others build on and that docs/stability.md promises, read from the code that defines them.
 */

/** Names by what they are of: `reason`, `metric`, `chart value` and so on. */
export type PublicInterface = Readonly<Record<string, readonly string[]>>;

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The paths of a JSON Schema's properties; `[]` stands for the elements of a list. */
const schemaPaths = (schema: unknown, path = ''): readonly string[] => {
  if (!isObject(schema)) return [];
  const { properties, items, oneOf, anyOf } = schema;
  const own = isObject(properties) ? Object.entries(properties) : [];
  const alternatives = [oneOf, anyOf].flatMap((list) => (Array.isArray(list) ? (list as unknown[]) : []));
  return [
    ...own.flatMap(([key, below]) => {
      const name = path === '' ? key : `${path}.${key}`;
      return [name, ...schemaPaths(below, name)];
    }),
    ...schemaPaths(items, `${path}[]`),
    ...alternatives.flatMap((one) => schemaPaths(one, path)),
  ];
};

/** The paths of a JSON document's members. */
const memberPaths = (document: unknown, path = ''): readonly string[] => {
  if (Array.isArray(document)) return document.flatMap((one) => memberPaths(one, `${path}[]`));
  if (!isObject(document)) return [];
  return Object.entries(document).flatMap(([key, below]) => {
    const name = path === '' ? key : `${path}.${key}`;
    return [name, ...memberPaths(below, name)];
  });
};

/** The paths of values.yaml, but for those of `config`, which are keys of the configuration. */
const valuePaths = (): readonly string[] => {
  const values = load(read('charts/sailmark/values.yaml')) as object;
  return memberPaths({ ...values, config: {} }).filter((path) => !path.includes('[]'));
};

const commandsOf = async (): Promise<readonly string[]> => {
  const { stdout } = await runCli(['--help']);
  return [...stdout.matchAll(/^ {2}([a-z-]+(?: [a-z]+)?) {2,}/gm)].map(([, name = '']) => name);
};

const flagsOf = async (command: string): Promise<readonly string[]> => {
  const { stdout } = await runCli([...command.split(' '), '--help']);
  const [options = ''] = stdout.split('\nExamples:\n');
  return [...options.matchAll(/^ {2}(?: {4}|(-\w), )--([\w-]+)/gm)].flatMap(([, short, name = '']) => [
    `${command} --${name}`,
    ...(short === undefined ? [] : [`${command} ${short}`]),
  ]);
};

const filesIn = (directory: string, ending: string): readonly string[] =>
  readdirSync(new URL(directory, root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => `${directory}/${name}`);

/** Everything in the domain of sailmark that code or chart writes: labels, annotations, API versions, schemas, webhooks. */
const domainNames = (): readonly string[] =>
  [
    ...filesIn('src', '.ts'),
    ...filesIn('charts/sailmark/templates', '.yaml'),
    ...filesIn('charts/sailmark/templates', '.tpl'),
  ].flatMap((path) =>
    [...read(path).matchAll(/sailmark\.dev\/[a-z][a-z0-9-]*(?:\/v\d+\w*)?/g)].map(([name]) => name),
  );

/** The first cells of a page's tables below a heading. */
const cellsBelow = (page: string, heading: string): readonly string[] => {
  const [, section = ''] = read(page).split(new RegExp(`^#+ ${heading}$`, 'm'));
  return [...(section.split(/^## /m, 1)[0] ?? '').matchAll(/^\| `([\w.-]+)`/gm)].map(([, name = '']) => name);
};

/** The members of a command's JSON output. */
const outputOf = async (name: string, argv: readonly string[], stdin = ''): Promise<readonly string[]> => {
  const { stdout, stderr } = await runCli(argv, { stdin });
  if (stdout === '') throw new Error(`${name}: ${stderr}`);
  return memberPaths(JSON.parse(stdout)).map((path) => `${name} ${path}`);
};

const podOf = (image: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'cart', namespace: 'shop' },
    spec: { containers: [{ name: 'istio-proxy', image }] },
  });

/** The members of every JSON output, of one image that is verified and one that is not. */
const jsonOutputs = async (): Promise<readonly string[]> => {
  const mirror = await startMirror();
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-interface-'));
  try {
    const config = join(directory, 'sailmark.yaml');
    const head = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };
    await writeFile(config, JSON.stringify({ ...head, ...mirror.configuration }));
    const [signed, unsigned] = [mirror.add(), mirror.add({ by: false })].map(({ byTag }) => byTag) as [
      string,
      string,
    ];
    const json = ['--output', 'json', '--config', config];
    const evidence = join(directory, 'evidence');
    await runCli(['evidence', 'pull', '--config', config, '--output', evidence, signed]);
    return [
      // The members of `reasons` are reasons.
      ...memberPaths(JSON.parse(toJson(exampleScan())))
        .filter((path) => !path.startsWith('summary.reasons.'))
        .map((path) => `scan ${path}`),
      ...(await outputOf('verify', ['verify', ...json, signed, unsigned])),
      ...(await outputOf('review', ['review', ...json, '-f', '-'], `${podOf(signed)}\n${podOf(unsigned)}`)),
      ...(await outputOf('keys', ['keys', ...json])),
      ...(await outputOf('match-conditions', ['match-conditions', ...json])),
      ...(await outputOf('evidence list', ['evidence', 'list', '--output', 'json', evidence])),
    ];
  } finally {
    await mirror.registry.close();
    await rm(directory, { recursive: true, force: true });
  }
};

/** The annotations that a response has for the API server's audit log. */
const annotationsIn = (file: string): readonly string[] => {
  const [, body = ''] =
    /^const annotationsOf = [\s\S]*?=> \{$([\s\S]*?)^\};$/m.exec(read(`src/admission/${file}.ts`)) ?? [];
  return [...body.matchAll(/(?:^ {4}|\{ )'?([a-z][a-z-]*)'?(?=:| \})/gm)].map(([, name = '']) => name);
};

const sorted = (names: readonly string[]): readonly string[] => [...new Set(names)].toSorted();

/** Reads the interface as it is. */
export const readInterface = async (): Promise<PublicInterface> => {
  const commands = await commandsOf();
  const all: PublicInterface = {
    reason: reasonCodes,
    'code of reports': rules.map(({ code }) => code),
    'exit code': ['0', '1', ...exitCodes.map(([code]) => String(code))],
    metric: metricDefinitions.flatMap(({ name, labels }) => [
      name,
      ...Object.keys(labels).map((label) => `${name}{${label}}`),
    ]),
    'chart value': valuePaths(),
    'configuration key': schemaPaths(configurationSchema),
    command: commands,
    flag: (await Promise.all(commands.map(flagsOf))).flat(),
    'JSON output': await jsonOutputs(),
    'label, annotation or schema': domainNames(),
    'HTTP path': [
      ...read('src/server/probes.ts').matchAll(/path === '(\/[a-z]+)'/g),
      ...read('src/server/review-route.ts').matchAll(/[`']((?:\/[a-z${}]+){2,3})[`'], \{/g),
    ].map(([, path = '']) => path),
    'log field': ['Every line', 'A review', 'A pin'].flatMap((heading) =>
      cellsBelow('docs/logs.md', heading).map((field) => `${heading.toLowerCase()}: ${field}`),
    ),
    'audit annotation': ['admission-response', 'pin-response'].flatMap(annotationsIn),
  };
  return Object.fromEntries(Object.entries(all).map(([kind, names]) => [kind, sorted(names)]));
};
