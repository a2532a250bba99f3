import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = new URL('../src', import.meta.url).pathname;

/** Left to right: a room imports only from rooms to its right, and only through their `index.ts`. */
const ORDER = [
  'main',
  'cli',
  'server',
  'scan',
  'compose',
  'certificates',
  'kubernetes',
  'config',
  'observability',
  'admission',
  'policy',
  'istio',
  'verification',
  'registry',
  'image',
];

/** Packages and modules that have a home. A room, or one file of a room. */
const HOMES: readonly { readonly module: RegExp; readonly homes: readonly string[] }[] = [
  { module: /^fastify$/, homes: ['server'] },
  { module: /^@kubernetes\/client-node/, homes: ['kubernetes'] },
  { module: /^(@peculiar\/x509|reflect-metadata)$/, homes: ['certificates'] },
  { module: /^undici$/, homes: ['registry', 'verification/key-source.ts'] },
  { module: /^node-jose$/, homes: ['verification'] },
  { module: /^@sigstore\//, homes: ['verification/log/inclusion.ts'] },
  { module: /^pino$/, homes: ['observability'] },
  { module: /^@prometheus-io\/client$/, homes: ['observability'] },
  {
    module: /^(node:fs(\/promises)?|node:process)$/,
    homes: ['main', 'cli', 'config', 'server', 'registry', 'verification/key-source.ts'],
  },
];
const PROCESS_HOMES = ['main', 'cli', 'config', 'server', 'registry', 'verification/key-source.ts'];

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s(?:[^'";]*?\sfrom\s)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

type Sources = ReadonlyMap<string, string>;

const importsOf = (text: string): string[] =>
  [...text.matchAll(IMPORT)].map((found) => (found[1] ?? found[2]) as string);
const roomOf = (file: string): string =>
  (file.includes('/') ? file.split('/')[0] : file.replace(/\.ts$/, '')) as string;
const isHome = (file: string, homes: readonly string[]): boolean =>
  homes.includes(roomOf(file)) || homes.includes(file);
const target = (file: string, specifier: string): string => normalize(join(dirname(file), specifier));

const breachOfOrder = (file: string, specifier: string): string | undefined => {
  const imported = target(file, specifier);
  const [from, to] = [roomOf(file), roomOf(imported)];
  if (from === to) return undefined;
  if (!ORDER.includes(from)) return `${file} is in no room of the order`;
  if (ORDER.indexOf(to) <= ORDER.indexOf(from))
    return `${from} must not import ${to} (${file} imports ${specifier})`;
  const door = imported === `${to}.ts` || imported === `${to}/index.ts`;
  return door ? undefined : `import ${to} through its index.ts (${file} imports ${specifier})`;
};

const breachOfHome = (file: string, specifier: string): string | undefined => {
  const rule = HOMES.find(({ module }) => module.test(specifier));
  return rule === undefined || isHome(file, rule.homes)
    ? undefined
    : `${specifier} belongs only in ${rule.homes.join(', ')} (${file})`;
};

const findBreaches = (sources: Sources): string[] =>
  [...sources].flatMap(([file, text]) => {
    const breaches = importsOf(text).map((specifier) =>
      specifier.startsWith('.') ? breachOfOrder(file, specifier) : breachOfHome(file, specifier),
    );
    const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*|'[^'\n]*'/g, '');
    if (/(?<![.\w])process\./.test(code) && !isHome(file, PROCESS_HOMES))
      breaches.push(`process belongs only in ${PROCESS_HOMES.join(', ')} (${file})`);
    return breaches.filter((breach) => breach !== undefined);
  });

const findCircle = (sources: Sources): readonly string[] | undefined => {
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const specifier of importsOf(sources.get(file) ?? '').filter((name) => name.startsWith('.'))) {
      const circle = walk(target(file, specifier), [...path, file]);
      if (circle !== undefined) return circle;
    }
    done.add(file);
    return undefined;
  };
  return [...sources.keys()].map((file) => walk(file, [])).find((circle) => circle !== undefined);
};

const readSources = (): Sources =>
  new Map(
    readdirSync(SRC, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => relative(SRC, join(entry.parentPath, entry.name)))
      .map((file) => [file, readFileSync(join(SRC, file), 'utf8')]),
  );

describe('the one rule', () => {
  it('holds: rooms import only to their right, through the front door, and packages stay in their homes', () => {
    expect(findBreaches(readSources())).toEqual([]);
  });

  it('holds: there is no circle of imports', () => {
    expect(findCircle(readSources())).toBeUndefined();
  });

  it('names the culprit of an import to the left', () => {
    const planted = new Map([['registry/source.ts', "import { decide } from '../policy/index.ts';"]]);
    expect(findBreaches(planted)).toEqual([
      'registry must not import policy (registry/source.ts imports ../policy/index.ts)',
    ]);
  });

  it('names the culprit of an import past a front door', () => {
    const planted = new Map([['policy/judge.ts', "import { remember } from '../verification/memory.ts';"]]);
    expect(findBreaches(planted)).toEqual([
      'import verification through its index.ts (policy/judge.ts imports ../verification/memory.ts)',
    ]);
  });

  it('names the culprit of a package outside its home, static or dynamic', () => {
    const planted = new Map([
      ['admission/answer.ts', "import type { FastifyRequest } from 'fastify';"],
      ['policy/judge.ts', "const fs = await import('node:fs');"],
      ['istio/hubs.ts', 'const home = process.env;'],
    ]);
    expect(findBreaches(planted)).toEqual([
      'fastify belongs only in server (admission/answer.ts)',
      'node:fs belongs only in main, cli, config, server, registry, verification/key-source.ts (policy/judge.ts)',
      'process belongs only in main, cli, config, server, registry, verification/key-source.ts (istio/hubs.ts)',
    ]);
  });

  it('names a file that stands in no room', () => {
    const planted = new Map([['util/index.ts', "import { digestOf } from '../image/index.ts';"]]);
    expect(findBreaches(planted)).toEqual(['util/index.ts is in no room of the order']);
  });

  it('names the files of a circle', () => {
    const planted = new Map([
      ['image/digest.ts', "import { a } from './reference.ts';"],
      ['image/reference.ts', "export { b } from './digest.ts';"],
    ]);
    expect(findCircle(planted)).toEqual(['image/digest.ts', 'image/reference.ts', 'image/digest.ts']);
  });
});
