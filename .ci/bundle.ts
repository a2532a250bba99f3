import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

rmSync(directory, { recursive: true, force: true });
const { metafile } = await build({
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

writeFileSync(join(directory, 'metafile.json'), JSON.stringify(metafile));

const program = join(directory, 'main.js');
writeFileSync(program, launcher);
chmodSync(program, 0o755);
