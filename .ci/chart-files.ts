import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { configurationSchema } from '../src/config/schema/configuration-schema.ts';

/*
 * Writes the generated files of the chart from values.yaml and src/config/schema/configuration-schema.ts:
 *   - descriptions, defaults and `config` in values.schema.json
 *   - configuration.schema.json, the schema of the configuration file
 *   - the table of values in the chart's README
 *   - the rendered manifests in deploy/, if HELM names a Helm
 * With `--check` it writes nothing, and fails if a file would change.
 */

const CHART = 'charts/sailmark';
const VALUES = `${CHART}/values.yaml`;

interface Value {
  readonly path: readonly string[];
  readonly comment: string;
  readonly default: unknown;
  /** True if it only groups the values below it. */
  readonly section: boolean;
}

type Schema = Record<string, unknown> & { properties?: Record<string, unknown> };

const at = (tree: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], tree);

/** Returns every key of values.yaml with the comment above it. Throws if a key has no comment. */
const readValues = (text: string): readonly Value[] => {
  const tree: unknown = load(text);
  const values: Value[] = [];
  let comment: string[] = [];
  let path: readonly string[] = [];
  for (const line of text.split('\n')) {
    const [, indent = '', key, rest = ''] = /^( *)([A-Za-z]+):(.*)$/.exec(line) ?? [];
    if (key === undefined) {
      comment = /^ *#/.test(line) ? [...comment, line.replace(/^ *# ?/, '')] : [];
      continue;
    }
    path = [...path.slice(0, indent.length / 2), key];
    if (comment.length === 0) throw new Error(`${VALUES}: ${path.join('.')} has no comment`);
    const value = at(tree, path);
    const section = rest.trim() === '' && typeof value === 'object' && !Array.isArray(value);
    values.push({ path, comment: comment.join(' '), default: value, section });
    comment = [];
  }
  return values;
};

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

const rowOf = ({ path, comment, default: value, section }: Value): string =>
  section
    ? `| **\`${path.join('.')}\`** | | ${cell(comment)} |`
    : `| \`${path.join('.')}\` | \`${cell(JSON.stringify(value))}\` | ${cell(comment)} |`;

const readmeWith = (text: string, values: readonly Value[]): string => {
  const table = ['| value | default | |', '|---|---|---|', ...values.map(rowOf)].join('\n');
  return text.replace(
    /(<!-- values: [^>]*-->\n)[\s\S]*?(\n<!-- end of values -->)/,
    `$1${table.replaceAll('$', '$$$$')}$2`,
  );
};

/** Returns the schema of the configuration without the keys that the chart writes itself. */
const configSchema = (): Schema => {
  const { apiVersion, kind, pin, evidence, server, kubernetes, ...properties } =
    configurationSchema.properties;
  void [apiVersion, kind, pin, evidence, server, kubernetes];
  const { minLength, ...trustedRoot } = properties.trustedRoot;
  void minLength;
  return {
    type: 'object',
    additionalProperties: false,
    properties: { ...properties, trustedRoot },
  };
};

/**
 * Values with a default that may be set to null all the same, which leaves out what they are rendered to. Of `config` and of
 * the objects of Kubernetes, every member may.
 */
const OPTIONAL = new RegExp(
  [
    '^(?:replicas|criticalNamespaces|topologySpreadConstraints|nodeSelector|podDisruptionBudget)$',
    '^(?:networkPolicy|networkPolicy\\.\\w+Ports|metrics|metrics\\.\\w+Monitor)$',
    '^(?:config|(?:scan\\.)?resources|podSecurityContext|securityContext)(?:\\.|$)',
  ].join('|'),
);

const isEmpty = (value: unknown): boolean =>
  value === false || value === '' || (typeof value === 'object' && Object.keys(value ?? {}).length === 0);

/** True if null means that there is none: Helm takes a value that is set to null away, and its default with it. */
const isOptional = ({ path, default: value, section }: Value): boolean =>
  OPTIONAL.test(path.join('.')) || (!section && isEmpty(value));

const nullable = (schema: Schema): void => {
  if (typeof schema['type'] === 'string') schema['type'] = [schema['type'], 'null'];
  if (Array.isArray(schema['enum']) && !schema['enum'].includes(null))
    schema['enum'] = [...schema['enum'], null];
};

const find = (schema: Schema, path: readonly string[]): Schema | undefined =>
  path.reduce<Schema | undefined>((node, key) => node?.properties?.[key] as Schema | undefined, schema);

const describe = (schema: Schema, value: Value): void => {
  const [target, parent] = [find(schema, value.path), find(schema, value.path.slice(0, -1))];
  const key = value.path.at(-1) ?? '';
  if (target === undefined || parent === undefined)
    throw new Error(`values.schema.json has no ${value.path.join('.')}`);
  target['description'] = value.comment;
  if (!value.section) target['default'] = value.default;
  if (isOptional(value)) nullable(target);
  else parent['required'] = [...((parent['required'] as readonly string[] | undefined) ?? []), key];
};

/** A value of an earlier chart: files/changed-values.yaml. */
interface ChangedValue {
  readonly value: string;
  readonly since: string;
  readonly instead: string;
  readonly works?: boolean;
}

const readChangedValues = (): readonly ChangedValue[] =>
  load(readFileSync(`${CHART}/files/changed-values.yaml`, 'utf8')) as readonly ChangedValue[];

/** Permits a value that is deprecated or gone, so that the chart can say what became of it. */
const permit = (schema: Schema, { value, since, instead, works }: ChangedValue): void => {
  let parent = schema;
  for (const key of value.split('.')) {
    parent.properties ??= {};
    const below = parent.properties[key] as Schema | undefined;
    if (below === undefined) {
      const description = `${works === true ? 'Deprecated' : 'Gone'} since ${since}: ${instead}`;
      parent.properties[key] = { description, deprecated: true };
      return;
    }
    parent = below;
  }
};

/** Removes what `permit` wrote. */
const forbid = (schema: Schema): void => {
  for (const [key, below] of Object.entries(schema.properties ?? {}) as [string, Schema][])
    if (below['deprecated'] === true) delete schema.properties?.[key];
    else forbid(below);
};

/** Removes what `describe` writes. */
const clear = (schema: Schema, value: Value): void => {
  const parent = find(schema, value.path.slice(0, -1));
  if (parent !== undefined) delete parent['required'];
};

const format = (path: string, text: string): string =>
  execFileSync('node_modules/.bin/biome', ['format', `--stdin-file-path=${path}`], {
    input: text,
    encoding: 'utf8',
  });

const schemaWith = (text: string, values: readonly Value[]): string => {
  const schema = JSON.parse(text) as Schema;
  const properties = schema.properties ?? {};
  properties['config'] = structuredClone(configSchema());
  forbid(schema);
  for (const value of values) clear(schema, value);
  for (const value of values) describe(schema, value);
  for (const value of readChangedValues()) permit(schema, value);
  return format(`${CHART}/values.schema.json`, JSON.stringify(schema, null, 2));
};

/** The image in deploy/, which whoever applies it replaces: nobody can register a name below `invalid` (RFC 2606). */
const PLACEHOLDER = 'registry.invalid/sailmark';

/** Renders the chart without its hook, the `helm test` pod: without Helm nobody runs it. */
const render = (helm: string, mode: string): string => {
  const values = ['--set', `mode=${mode},image.repository=${PLACEHOLDER}`];
  return execFileSync(
    helm,
    ['template', 'sailmark', CHART, '--namespace', 'sailmark', '--no-hooks', ...values],
    {
      encoding: 'utf8',
    },
  );
};

const generated = (): ReadonlyMap<string, string> => {
  const values = readValues(readFileSync(VALUES, 'utf8'));
  const readme = `${CHART}/README.md`;
  const schema = `${CHART}/values.schema.json`;
  const configuration = `${CHART}/configuration.schema.json`;
  const helm = process.env['HELM'];
  return new Map([
    [readme, readmeWith(readFileSync(readme, 'utf8'), values)],
    [schema, schemaWith(readFileSync(schema, 'utf8'), values)],
    [configuration, format(configuration, JSON.stringify(configurationSchema, null, 2))],
    ...(helm === undefined
      ? []
      : ['audit', 'enforce'].map((mode) => [`deploy/${mode}.yaml`, render(helm, mode)] as const)),
  ]);
};

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

const stale = [...generated()].filter(([path, text]) => textOf(path) !== text);
if (process.argv[2] === '--check') {
  for (const [path] of stale) console.error(`${path} is out of date: run node .ci/chart-files.ts`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  for (const [path, text] of stale) {
    writeFileSync(path, text);
    console.log(`${path} written`);
  }
  if (process.env['HELM'] === undefined)
    console.log('deploy/*.yaml not rendered: set HELM to the path of Helm 4');
}
