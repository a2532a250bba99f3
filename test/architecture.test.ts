import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = new URL('../src', import.meta.url).pathname;

/** Left to right: a room imports only from rooms to its right, and only through their `index.ts`. */
const ORDER = [
  'main',
  'cli',
  'report',
  'scan',
  'webhook',
  'server',
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
  'base',
];

interface Home {
  readonly module: RegExp;
  /** Rooms, folders or files. */
  readonly homes: readonly string[];
}

/** Packages and modules that only their homes may import. A home that does not use its module is a breach too. */
const HOMES: readonly Home[] = [
  { module: /^esbuild$/, homes: ['report/html/build-page.ts'] },
  { module: /^fastify$/, homes: ['server'] },
  { module: /^@kubernetes\/client-node/, homes: ['kubernetes/api-connection.ts'] },
  { module: /^(@peculiar\/x509|reflect-metadata)$/, homes: ['certificates/issue.ts'] },
  { module: /^undici$/, homes: ['registry/http', 'registry/proxy', 'registry/tls'] },
  { module: /^node-jose$/, homes: ['verification/keys'] },
  { module: /^@sigstore\//, homes: ['verification/log/inclusion.ts'] },
  { module: /^pino$/, homes: ['observability'] },
  { module: /^@prometheus-io\/client$/, homes: ['observability/metrics'] },
  {
    module: /^node:fs(\/promises)?$/,
    homes: ['base/read-file.ts', 'cli', 'registry/credentials', 'registry/layout', 'registry/tls'],
  },
];
const PROCESS_HOMES = ['main', 'cli/shared/build.ts'];

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s(?:[^'";]*?\sfrom\s)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

type Sources = ReadonlyMap<string, string>;

const importsOf = (text: string): string[] =>
  [...text.matchAll(IMPORT)].map((found) => (found[1] ?? found[2]) as string);
const roomOf = (file: string): string =>
  (file.includes('/') ? file.split('/')[0] : file.replace(/\.ts$/, '')) as string;
const isIn = (file: string, home: string): boolean =>
  roomOf(file) === home || file === home || file.startsWith(`${home}/`);
const isHome = (file: string, homes: readonly string[]): boolean => homes.some((home) => isIn(file, home));
const target = (file: string, specifier: string): string => normalize(join(dirname(file), specifier));
const relativeImportsOf = (file: string, text: string): readonly string[] =>
  importsOf(text)
    .filter((name) => name.startsWith('.'))
    .map((name) => target(file, name));

const breachOfOrder = (file: string, specifier: string): string | undefined => {
  const imported = target(file, specifier);
  const [from, to] = [roomOf(file), roomOf(imported)];
  if (from === to) return undefined;
  if (!ORDER.includes(from)) return `${file} is in no room of the order`;
  if (ORDER.indexOf(to) <= ORDER.indexOf(from))
    return `${from} must not import ${to} (${file} imports ${specifier})`;
  const isIndex = imported === `${to}.ts` || imported === `${to}/index.ts`;
  return isIndex ? undefined : `import ${to} through its index.ts (${file} imports ${specifier})`;
};

const breachOfHome = (file: string, specifier: string): string | undefined => {
  const rule = HOMES.find(({ module }) => module.test(specifier));
  return rule === undefined || isHome(file, rule.homes)
    ? undefined
    : `${specifier} belongs only in ${rule.homes.join(', ')} (${file})`;
};

const usesProcess = (text: string): boolean =>
  /(?<![.\w])process\./.test(text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*|'[^'\n]*'/g, ''));

const findBreaches = (sources: Sources): string[] =>
  [...sources].flatMap(([file, text]) => {
    const breaches = importsOf(text).map((specifier) =>
      specifier.startsWith('.') ? breachOfOrder(file, specifier) : breachOfHome(file, specifier),
    );
    if (usesProcess(text) && !isHome(file, PROCESS_HOMES))
      breaches.push(`process belongs only in ${PROCESS_HOMES.join(', ')} (${file})`);
    return breaches.filter((breach) => breach !== undefined);
  });

/** Homes that do not use their module. */
const findStalePermits = (sources: Sources): readonly string[] => {
  const inside = (home: string) => [...sources].filter(([file]) => isIn(file, home)).map(([, text]) => text);
  return [
    ...HOMES.flatMap(({ module, homes }) =>
      homes
        .filter((home) => !inside(home).some((text) => importsOf(text).some((name) => module.test(name))))
        .map((home) => `${home} does not use ${module.source}`),
    ),
    ...PROCESS_HOMES.filter((home) => !inside(home).some(usesProcess)).map(
      (home) => `${home} does not use process`,
    ),
  ];
};

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

const findCircle = (graph: Graph): readonly string[] | undefined => {
  const done = new Set<string>();
  const walk = (node: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of graph.get(node) ?? []) {
      const circle = walk(next, [...path, node]);
      if (circle !== undefined) return circle;
    }
    done.add(node);
    return undefined;
  };
  return [...graph.keys()].map((node) => walk(node, [])).find((circle) => circle !== undefined);
};

const fileGraph = (sources: Sources): Graph =>
  new Map([...sources].map(([file, text]) => [file, new Set(relativeImportsOf(file, text))]));

/** Every folder below `src`, and `src` itself (`''`). */
const foldersOf = (sources: Sources): readonly string[] => {
  const folders = [...sources.keys()].flatMap((file) => {
    const parts = file.split('/').slice(0, -1);
    return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  });
  return [...new Set(['', ...folders])];
};

/** The imports within a folder: each file and each folder in it is one node, with everything below it. */
const folderGraph = (sources: Sources, folder: string): Graph => {
  const prefix = folder === '' ? '' : `${folder}/`;
  const nodeOf = (file: string): string => `${prefix}${file.slice(prefix.length).split('/')[0]}`;
  const graph = new Map<string, Set<string>>();
  for (const [file, text] of sources) {
    if (!file.startsWith(prefix)) continue;
    const node = nodeOf(file);
    const nexts = graph.get(node) ?? new Set();
    for (const imported of relativeImportsOf(file, text))
      if (imported.startsWith(prefix) && nodeOf(imported) !== node) nexts.add(nodeOf(imported));
    graph.set(node, nexts);
  }
  return graph;
};

const findFolderLoops = (sources: Sources): readonly (readonly string[])[] =>
  foldersOf(sources)
    .map((folder) => findCircle(folderGraph(sources, folder)))
    .filter((circle) => circle !== undefined);

const readSources = (): Sources =>
  new Map(
    readdirSync(SRC, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => relative(SRC, join(entry.parentPath, entry.name)))
      .map((file) => [file, readFileSync(join(SRC, file), 'utf8')]),
  );

describe('the one rule', () => {
  it('holds: rooms import only to their right, through their index.ts, and packages stay in their homes', () => {
    expect(findBreaches(readSources())).toEqual([]);
  });

  it('holds: there is no circle of imports', () => {
    expect(findCircle(fileGraph(readSources()))).toBeUndefined();
  });

  it('holds: inside each room, no folder and what lies beside it import each other', () => {
    expect(findFolderLoops(readSources())).toEqual([]);
  });

  it('holds: every room of the order exists, and every home uses its package', () => {
    const sources = readSources();
    expect([...new Set([...sources.keys()].map(roomOf))].toSorted()).toEqual(ORDER.toSorted());
    expect(findStalePermits(sources)).toEqual([]);
  });

  it('names the culprit of an import to the left', () => {
    const planted = new Map([['registry/source.ts', "import { decide } from '../policy/index.ts';"]]);
    expect(findBreaches(planted)).toEqual([
      'registry must not import policy (registry/source.ts imports ../policy/index.ts)',
    ]);
  });

  it('names the culprit of an import past an index.ts', () => {
    const planted = new Map([
      ['policy/judge.ts', "import { createMemory } from '../verification/memory/memory.ts';"],
    ]);
    expect(findBreaches(planted)).toEqual([
      'import verification through its index.ts (policy/judge.ts imports ../verification/memory/memory.ts)',
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
      'node:fs belongs only in base/read-file.ts, cli, registry/credentials, registry/layout, registry/tls (policy/judge.ts)',
      'process belongs only in main, cli/shared/build.ts (istio/hubs.ts)',
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
    expect(findCircle(fileGraph(planted))).toEqual([
      'image/digest.ts',
      'image/reference.ts',
      'image/digest.ts',
    ]);
  });

  it('names a folder and a file beside it that import each other, without any circle of files', () => {
    const planted = new Map([
      ['registry/settings.ts', "import type { A } from './credentials/provider.ts';"],
      ['registry/credentials/provider.ts', ''],
      ['registry/credentials/keyring.ts', "import type { B } from '../settings.ts';"],
    ]);
    expect(findCircle(fileGraph(planted))).toBeUndefined();
    expect(findFolderLoops(planted)).toEqual([
      ['registry/settings.ts', 'registry/credentials', 'registry/settings.ts'],
    ]);
  });
});
