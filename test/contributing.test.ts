import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

/*
 * Follows the example of CONTRIBUTING.md in a copy of the code: the line that adds a reason is added, and the compiler names
 * the files of the table, and no other.
 */

const ROOT = new URL('../', import.meta.url).pathname;
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');
const UNION = 'src/policy/reason.ts';
const ANCHOR = 'export type RefusalReason =\n';

let copy: string;
let page: string;
beforeAll(async () => {
  page = await readFile(join(ROOT, 'CONTRIBUTING.md'), 'utf8');
  copy = await mkdtemp(join(tmpdir(), 'sailmark-contributing-'));
  for (const part of ['src', 'test/policy', 'test/support', 'package.json'])
    await cp(join(ROOT, part), join(copy, part), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const { compilerOptions, exclude } = JSON.parse(await readFile(join(ROOT, 'tsconfig.json'), 'utf8')) as {
    readonly compilerOptions: object;
    readonly exclude: readonly string[];
  };
  const include = ['src', 'test/policy/explain.test.ts'];
  await writeFile(
    join(copy, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...compilerOptions, skipLibCheck: true }, include, exclude }),
  );
});
afterAll(() => rm(copy, { recursive: true, force: true }));

/** Resolves with the files that do not compile. */
const findBroken = (): Promise<readonly string[]> =>
  new Promise((resolve) => {
    execFile(process.execPath, [TSC], { cwd: copy, timeout: 60_000 }, (_error, stdout) => {
      const files = [...stdout.matchAll(/^(\S+)\(\d+,\d+\): error /gm)].map(([, file = '']) => file);
      resolve([...new Set(files)].toSorted());
    });
  });

it('a new reason does not compile until each file of the table in CONTRIBUTING.md has it, and no other', async () => {
  const [, section = ''] = page.split('\n## An example: a new reason\n');
  const [, line = ''] = /```ts\n(.*\n)```/.exec(section) ?? [];
  const [table = ''] = section.split('\n## ');
  const listed = [...table.matchAll(/^\| `([\w./-]+)` \|/gm)].map(([, file = '']) => file);
  expect(await findBroken()).toEqual([]);
  const source = await readFile(join(copy, UNION), 'utf8');
  expect(source).toContain(ANCHOR);
  await writeFile(join(copy, UNION), source.replace(ANCHOR, ANCHOR + line));
  expect(await findBroken()).toEqual(listed.toSorted());
}, 120_000);
