import { readFileSync } from 'node:fs';
import { load, loadAll } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { at, helm, type Manifest, manifestOf, render, withImage } from './helm.ts';

type Path = readonly string[];

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** All paths of values, sections and the entries of objects included. */
const pathsOf = (tree: unknown, path: Path = []): readonly Path[] =>
  isObject(tree)
    ? Object.entries(tree).flatMap(([key, value]) => [[...path, key], ...pathsOf(value, [...path, key])])
    : [];

/** Values of which one is null. */
const withNull = (path: Path): object =>
  withImage(path.reduceRight<unknown>((below, key) => ({ [key]: below }), null) as object);

const allPaths = pathsOf(load(readFileSync('charts/sailmark/values.yaml', 'utf8')));

/** Values that may not be left out: setting one to null is refused. */
const isRefused = (path: Path, stderr: string): boolean => {
  const pointer = path
    .slice(0, -1)
    .map((key) => `/${key}`)
    .join('');
  return (
    stderr.includes(`- at '${pointer}': missing property '${path.at(-1)}'`) ||
    stderr.includes(`\n  * ${path.join('.')} is empty`)
  );
};

const isObjects = (text: string): boolean =>
  loadAll(text).every(
    (one) => one === null || one === undefined || typeof (one as Manifest).kind === 'string',
  );

/** Renders with one value set to null, and says how that ends. */
const outcomeOf = async (path: Path): Promise<string> => {
  const args = ['template', 'sailmark', 'charts/sailmark', '--namespace', 'sailmark', '--values', '-'];
  const { code, stdout, stderr } = await helm(args, JSON.stringify(withNull(path)));
  if (code === 0) return isObjects(stdout) ? 'rendered' : stdout;
  return isRefused(path, stderr) ? 'refused by its name' : stderr;
};

const sections = [...new Set(allPaths.map(([section = '']) => section))];

describe('a value that is set to null', () => {
  it.each(sections)('is left out, or refused by its name: %s', async (section) => {
    const ends: string[] = [];
    for (const path of allPaths.filter(([first]) => first === section)) {
      const outcome = await outcomeOf(path);
      if (outcome !== 'rendered' && outcome !== 'refused by its name')
        ends.push(`${path.join('.')}: ${outcome}`);
    }
    expect(ends).toEqual([]);
  });

  it.each([
    'mode',
    'pin',
    'webhook',
    'webhook.failurePolicy',
    'rbac.create',
    'certificates.mode',
    'evidence.write.kind',
    'terminationGracePeriodSeconds',
  ])('is refused where nothing could take its place: %s', async (path) => {
    expect(await outcomeOf(path.split('.'))).toBe('refused by its name');
  });

  it('leaves the number of replicas to an autoscaler', async () => {
    const deployment = manifestOf(await render({ replicas: null }), 'Deployment');
    expect(deployment['spec']).not.toHaveProperty('replicas');
    expect(manifestOf(await render({ replicas: 3 }), 'Deployment')['spec']).toHaveProperty('replicas', 3);
  });

  it('is no list of ports that lets everything out', async () => {
    const networkPolicy = { enabled: true, registryPorts: null, apiServerPorts: null };
    const egress = at(manifestOf(await render({ networkPolicy }), 'NetworkPolicy'), 'spec', 'egress');
    expect((egress as readonly { readonly ports?: unknown }[]).map(({ ports }) => ports)).toEqual([
      expect.arrayContaining([{ port: 53, protocol: 'UDP' }]),
    ]);
  });

  it.each([
    ['nodeSelector', ['nodeSelector']],
    ['resources', ['containers', 0, 'resources']],
    ['topologySpreadConstraints', ['topologySpreadConstraints']],
  ])('takes away what it stood for: %s', async (value, path) => {
    const spec = at(manifestOf(await render({ [value]: null }), 'Deployment'), 'spec', 'template', 'spec');
    expect(at(spec, ...path)).toBeUndefined();
  });

  it('gives way to sailmark’s own default in the configuration file', async () => {
    const { config } = load(readFileSync('charts/sailmark/values.yaml', 'utf8')) as { config: object };
    for (const key of Object.keys(config)) expect(await outcomeOf(['config', key])).toBe('rendered');
  });
});
