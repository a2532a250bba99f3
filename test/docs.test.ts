import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { loadAll } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { readProject } from '../.ci/ship/project.ts';
import { exitCodeOf, exitCodes } from '../src/cli/shared/exit-codes.ts';
import { ConfigError, formatQuantity, limitTable, parseConfig } from '../src/config/index.ts';
import { vendors } from '../src/istio/vendors.ts';
import { explain, reasonCodes, reasonTable } from '../src/policy/index.ts';
import { rules } from '../src/report/index.ts';
import { runCli } from './support/run-cli.ts';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

const PAGES = [
  'README.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'CONTRIBUTING.md',
  'CODE_OF_CONDUCT.md',
  'GOVERNANCE.md',
  'src/README.md',
  'test/README.md',
  'deploy/README.md',
  'charts/sailmark/README.md',
  ...readdirSync(new URL('../docs/', import.meta.url))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** The rows of the table below a heading of any level, as cells without code marks. */
const rowsBelow = (heading: string, text: string): readonly (readonly string[])[] => {
  const [, section = ''] = text.split(new RegExp(`^#+ ${heading}$`, 'm'));
  return (section.split(/^#+ /m, 1)[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .slice(2, -2)
        .split(' | ')
        .map((cell) => cell.replace(/^`([^`]*)`$/, '$1')),
    );
};

describe('the documentation', () => {
  it('lists every reason as `explain` prints it, with its exit code, the most serious first, and no other', () => {
    expect(rowsBelow('Reasons', read('docs/reasons.md'))).toEqual(
      reasonCodes.map((code) => {
        const { meaning, remedy } = reasonTable[code];
        return [code, meaning, String(exitCodeOf(code)), remedy];
      }),
    );
  });

  it('lists every code that only reports have, and no other', () => {
    expect(rowsBelow('Codes of reports', read('docs/commands.md'))).toEqual(
      rules
        .filter(({ code }) => !reasonCodes.some((reason) => reason === code))
        .map(({ code, meaning, remedy }) => [code, meaning, remedy]),
    );
  });

  it('lists every limit with its default and what happens at it, and no other', () => {
    expect(rowsBelow('Limits', read('docs/limits.md'))).toEqual(
      limitTable.map(({ name, default: value, unit, effect }) => [
        name,
        String(formatQuantity(value, unit)),
        effect,
      ]),
    );
  });

  it('lists every command, and no other', async () => {
    const { stdout } = await runCli(['--help']);
    const commands = [...stdout.matchAll(/^ {2}([a-z-]+(?: [a-z]+)?) {2,}/gm)].map(([, name]) => name);
    expect(rowsBelow('Commands', read('docs/commands.md')).map(([name]) => name)).toEqual(commands);
  });

  it('names every exit code', () => {
    const rows = rowsBelow('Exit codes', read('docs/commands.md'));
    expect(rows.map(([code]) => Number(code))).toEqual([0, 1, ...exitCodes.map(([code]) => code)]);
  });
});

const A_PIN = '8e0dbb285a3dbfc2826c5e4c263bcfe4d93169e2207bfdd4235f5200fa5c6212';

/** The problems of a YAML block of a page, parsed as a configuration. The files that it names do not exist. */
const problemsIn = async (block: string): Promise<readonly string[]> => {
  const head = /^apiVersion:/m.test(block) ? '' : 'apiVersion: sailmark.dev/v1alpha1\nkind: Configuration\n';
  const error: unknown = await parseConfig(`${head}${block.replaceAll('HEX', A_PIN)}`, () =>
    Promise.reject(new Error('not here')),
  ).catch((reason: unknown) => reason);
  if (!(error instanceof Error)) return [];
  if (!(error instanceof ConfigError)) throw error;
  return error.problems
    .map(({ path, message }) => `${path} ${message}`)
    .filter((text) => !text.endsWith(': not here'));
};

describe('the configurations in docs/', () => {
  it.each(PAGES.filter((page) => page.startsWith('docs/')))('are valid: %s', async (page) => {
    const blocks = [...read(page).matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
    // Objects of Kubernetes are none.
    for (const block of blocks.filter((text) => !text.startsWith('apiVersion: rbac.authorization.k8s.io/')))
      expect([block, await problemsIn(block)]).toEqual([block, []]);
  });
});

describe('the table of vendors in docs/reasons.md', () => {
  it.each(vendors.flatMap(({ places }) => places))(
    'has every registry path that is a vendor’s: %s',
    (place) => {
      expect(read('docs/reasons.md').split('## Builds of vendors')[1]).toContain(`\`${place}\``);
    },
  );
});

interface Role {
  readonly kind: string;
  readonly rules: readonly {
    readonly resources: readonly string[];
    /** Absent: all. */
    readonly resourceNames?: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

describe('the table of rights in docs/architecture.md', () => {
  it('has what the chart grants by default, and no more', () => {
    const granted = loadAll(read('deploy/enforce.yaml'))
      .map((object) => object as Role | null)
      .filter((object) => object?.kind === 'Role' || object?.kind === 'ClusterRole')
      .flatMap((role) => role?.rules ?? [])
      .map(({ resources, resourceNames = ['all'], verbs }) => [resources, resourceNames, verbs]);
    const listed = rowsBelow('Rights', read('docs/architecture.md')).map((row) =>
      row.slice(0, 3).map((cell) => cell.replaceAll('`', '').split(', ')),
    );
    expect(new Set(listed)).toEqual(new Set(granted));
  });
});

describe('the table of what pinning promises', () => {
  it('is the same in docs/pinning.md and SECURITY.md', () => {
    const tableIn = (page: string): string | undefined =>
      /^\| `pin` holds \|[\s\S]*?(?=\n\n)/m.exec(read(page))?.[0];
    expect(tableIn('SECURITY.md')).toEqual(expect.stringContaining('| `requireDigest` | `undetermined` |'));
    expect(tableIn('SECURITY.md')).toBe(tableIn('docs/pinning.md'));
  });
});

describe('the README', () => {
  const README = read('README.md');

  it('quotes a refusal as it is', () => {
    const refusal = explain(
      { code: 'signature-missing' },
      {
        image: 'registry.corp.example/istio/proxyv2:1.28.1',
        path: 'spec.initContainers[1].image',
        name: 'istio-proxy',
        kind: 'init-container',
      },
    );
    expect(README).toContain(`denied the request: ${refusal}\n`);
  });

  it('ends within about 175 lines, and leaves the rest to docs/', () => {
    expect(README.split('\n').length).toBeLessThanOrEqual(185);
  });
});

describe('what depends on the project setting', () => {
  const { security, maintainers } = readProject();

  it('is said while no private address is set, and no longer', () => {
    expect(read('SECURITY.md').includes('no private address exists yet')).toBe(security === undefined);
  });

  it('is said while no maintainer is listed, and no longer', () => {
    expect(read('GOVERNANCE.md').includes('it lists nobody yet')).toBe(maintainers.length === 0);
  });
});

describe('the map in src/', () => {
  it('names files that are there, and so does the README of the tests', () => {
    const findMissing = (page: string, roots: readonly string[]): readonly string[] =>
      [...read(page).matchAll(/`([a-z][\w-]*\/[\w./-]+\.ts)`/g)]
        .map(([, file = '']) => file)
        .filter((file) => !roots.some((root) => existsSync(new URL(root + file, import.meta.url))));
    expect(findMissing('src/README.md', ['../src/', '../'])).toEqual([]);
    expect(findMissing('test/README.md', ['../test/'])).toEqual([]);
  });

  it('names every room in the order that test/architecture.test.ts holds', () => {
    const [, order = ''] = /const ORDER = \[([\s\S]*?)\];/.exec(read('test/architecture.test.ts')) ?? [];
    const rooms = [...order.matchAll(/'([a-z]+)'/g)].map(([, room]) => room);
    expect(rooms.length).toBeGreaterThan(10);
    expect(read('src/README.md').replaceAll('\n', ' ')).toContain(`\`${rooms.join(', ')}\``);
    expect(
      rowsBelow('The rooms', read('src/README.md')).map(([room]) => room?.replace(/\/$|\.ts$/, '')),
    ).toEqual(rooms);
  });

  it('gives every runtime dependency a reason, and no other', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
    const listed = rowsBelow('Runtime dependencies', read('src/README.md')).map(([name]) => name);
    expect(new Set(listed)).toEqual(new Set(Object.keys(dependencies)));
  });
});

const withoutCode = (markdown: string): string => markdown.replaceAll(/^```[\s\S]*?^```$/gm, '');

/** The anchors that GitHub gives the headings of a page. */
const anchorsIn = (markdown: string): readonly string[] =>
  [...withoutCode(markdown).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );

/** The dead relative links of a page: the file or the heading does not exist. */
const findDeadLinks = (page: string): readonly string[] =>
  [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const target = new URL(link, new URL(`../${page}`, import.meta.url));
      const anchor = target.hash.slice(1);
      target.hash = '';
      if (!existsSync(target)) return true;
      return anchor !== '' && !anchorsIn(readFileSync(target, 'utf8')).includes(decodeURIComponent(anchor));
    });

/** The pages that a page links, as paths from the top of the repository. */
const linkedFrom = (page: string): readonly string[] =>
  [...withoutCode(read(page)).matchAll(/\]\(([^):\s#]+\.md)/g)].map(([, link = '']) =>
    new URL(link, new URL(page, 'file:///')).pathname.slice(1),
  );

describe('the links of a page', () => {
  it.each(PAGES)('lead to files and headings that are there: %s', (page) => {
    expect(findDeadLinks(page)).toEqual([]);
  });

  it('lead from the README to docs/, and from there to every page', () => {
    expect(linkedFrom('README.md')).toContain('docs/README.md');
    const linked = ['README.md', 'docs/README.md', ...linkedFrom('docs/README.md')];
    expect(PAGES.filter((page) => !linked.includes(page))).toEqual([]);
  });
});
