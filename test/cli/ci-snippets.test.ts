import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployment } from '../support/builders.ts';
import { type Mirror, startMirror } from '../support/mirror.ts';
import { startProcess } from '../support/process.ts';

/*
 * Every command of the snippets in docs/ci.md, run by a shell in a directory that has the files they name. Only what is
 * elsewhere is replaced: `docker run` and the checkout run this program, and a task of Tekton runs its arguments.
 */

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname;
const PAGE = await readFile(new URL('../../docs/ci.md', import.meta.url), 'utf8');

interface Snippet {
  readonly script: string;
  readonly output: string;
  /** The file that the report is written to; undefined: standard output. */
  readonly file: string | undefined;
}

type Steps = readonly { readonly run?: string; readonly args?: readonly string[] }[];
interface Parsed {
  readonly jobs?: Readonly<Record<string, { readonly steps: Steps }>>;
  readonly spec?: { readonly steps: Steps };
  readonly 'istio-images'?: { readonly script: readonly string[] };
}

const scriptsOf = ({ jobs = {}, spec, 'istio-images': job }: Parsed): readonly string[] => [
  ...Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? [])),
  ...(spec?.steps ?? []).map(({ args = [] }) =>
    ['sailmark', ...args].join(' ').replaceAll('$(params.manifests)', 'manifests'),
  ),
  ...(job === undefined ? [] : [job.script.join('\n')]),
];

const SNIPPETS: readonly Snippet[] = [...PAGE.matchAll(/^```yml\n([\s\S]*?)^```$/gm)]
  .flatMap(([, block = '']) => scriptsOf(load(block) as Parsed))
  .map((script) => ({
    script,
    output: /--output (\w+)/.exec(script)?.[1] ?? 'text',
    file: /> (\S+)/.exec(script)?.[1],
  }));

let directory: string;
let mirror: Mirror;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sailmark-ci-'));
  mirror = await startMirror();
  const program = `exec "${process.execPath}" "${MAIN}" "$@"\n`;
  const head = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };
  const registries = [{ host: mirror.registry.host, plainHTTP: true }];
  const unsigned = mirror.add({ by: false }).byTag;
  const files: Readonly<Record<string, string>> = {
    'sailmark.yaml': JSON.stringify({ ...head, ...mirror.configuration, registries }),
    'manifests/signed.yaml': JSON.stringify(deployment([mirror.add().byTag])),
    'manifests/below/unsigned.yaml': JSON.stringify(deployment([unsigned])),
    'bin/sailmark': `#!/bin/sh\n${program}`,
    'bin/docker': `#!/bin/sh\nwhile [ "$1" != the-image ]; do shift; done\nshift\n${program}`,
    'bin/git': '#!/bin/sh\nfor directory; do :; done\nmkdir -p "$directory/dist"\n'.concat(
      `printf 'import(%s)' "'${MAIN}'" > "$directory/dist/main.js"\n`,
    ),
    'bin/npm': '#!/bin/sh\n',
  };
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), content);
    if (name.startsWith('bin/')) await chmod(join(directory, name), 0o755);
  }
});
afterAll(async () => {
  await mirror.registry.close();
  await rm(directory, { recursive: true, force: true });
});

const run = async ({ script, file }: Snippet) => {
  const env = {
    PATH: [join(directory, 'bin'), dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter),
    HOME: directory,
    SAILMARK_IMAGE: 'the-image',
    SAILMARK_SOURCE: 'https://git.corp.example/sailmark.git',
  };
  await using running = startProcess('sh', ['-ec', `cd '${directory}'\n${script}`], env);
  const code = await running.ended;
  const text = file === undefined ? running.output() : await readFile(join(directory, file), 'utf8');
  return { code, text };
};

const REPORTS: Readonly<Record<string, (text: string) => void>> = {
  github: (text) =>
    expect(text).toContain('::error file=manifests/below/unsigned.yaml,line=1,title=Deployment default/web'),
  sarif: (text) => expect(JSON.parse(text)).toMatchObject({ runs: [{ results: [{ level: 'error' }] }] }),
  junit: (text) =>
    expect(text).toContain('<testsuites name="sailmark review" tests="2" failures="1" errors="0"'),
  text: (text) => expect(text).toContain('2 reviewed, 0 refused, 1 with findings'),
};

describe('the snippets of docs/ci.md', () => {
  it('are in each of the formats', () => {
    expect(new Set(SNIPPETS.map(({ output }) => output))).toEqual(new Set(Object.keys(REPORTS)));
    expect(SNIPPETS).toHaveLength(5);
  });

  it.each(SNIPPETS)('fail because of an unsigned image, and report it: $script', async (snippet) => {
    const { code, text } = await run(snippet);
    expect(code).toBe(10);
    REPORTS[snippet.output]?.(text);
  });
});
