import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build } from 'esbuild';
import { buildPage } from '../src/report/html/build-page.ts';
import { leftOut } from './left-out.ts';

/*
 * Bundles src/main.ts into dist/, or into the directory that the first argument names. The bundle is split, so that a
 * command loads only the code that it needs. main.js, which users run, loads it if Node.js is new enough.
 */

const directory = process.argv[2] ?? 'dist';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };

const commit = (): string => {
  if (process.env['SAILMARK_COMMIT'] !== undefined) return process.env['SAILMARK_COMMIT'];
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
};

/** Defines `require`, `__filename` and `__dirname`, which CommonJS dependencies use and ES modules lack. */
const banner = [
  "import { createRequire as __createRequire } from 'node:module';",
  "import { dirname as __dirnameOf } from 'node:path';",
  "import { fileURLToPath as __fileURLToPath } from 'node:url';",
  'const require = __createRequire(import.meta.url);',
  'const __filename = __fileURLToPath(import.meta.url);',
  'const __dirname = __dirnameOf(__filename);',
].join('\n');

/** Every release of Node.js since 2017 can parse it, so that an old one prints a sentence and no syntax error. */
const launcher = `#!/usr/bin/env node
'use strict';
const [major, minor] = process.versions.node.split('.').map(Number);
if (major >= 26 || (major === 24 && minor >= 15)) import('./program.js');
else {
  process.exitCode = 1;
  process.stderr.write(
    'Error: sailmark needs Node.js 24.15 or a later 24, or 26 or later: this is ' + process.version + ' (' + process.execPath + ')\\n'
  );
}
`;

const { metafile, outputFiles } = await build({
  write: false,
  entryPoints: { program: 'src/main.ts' },
  outdir: directory,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'linked',
  banner: { js: banner },
  define: {
    SAILMARK_VERSION: JSON.stringify(version),
    SAILMARK_COMMIT: JSON.stringify(commit()),
    SAILMARK_PAGE: JSON.stringify(JSON.stringify(await buildPage())),
  },
  plugins: [...leftOut],
  metafile: true,
  logLevel: 'warning',
});

const files = new Map<string, string | Uint8Array>(
  outputFiles.map(({ path, contents }) => [relative(directory, path), contents]),
);
files.set('metafile.json', JSON.stringify(metafile));
files.set('main.js', launcher);

// Another build, or a program that runs from the directory, never meets half of a bundle: each file is renamed into place, and
// goes only when it is no part of the bundle any more.
mkdirSync(directory, { recursive: true });
for (const [name, content] of files) {
  const unfinished = join(directory, `${name}.${process.pid}`);
  writeFileSync(unfinished, content, { mode: name === 'main.js' ? 0o755 : 0o644 });
  renameSync(unfinished, join(directory, name));
}
for (const name of readdirSync(directory))
  if (!files.has(name) && !/\.\d+$/.test(name))
    rmSync(join(directory, name), { recursive: true, force: true });
