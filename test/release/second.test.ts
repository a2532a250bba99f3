import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runOrThrow } from '../e2e/tools.ts';
import { tagsOf } from './registry.ts';
import { made, readSummary } from './tools.ts';

const again = process.env['SAILMARK_SECOND_RELEASE'] === '1';

it.skipIf(!again)(
  `${again ? '' : 'NOT RUN: '}a second release of the same commit has the same digests, and --dry-run publishes nothing`,
  async () => {
    const { clone, env, version, home, host } = made();
    const out = join(home, 'second');
    const before = await tagsOf(host)('owner/sailmark');
    await runOrThrow('bash', ['.ci/release', '--dry-run', '--out', out, version], {
      cwd: clone,
      env,
      timeout: 1_800_000,
    });
    const { files, ...second } = readSummary(out);
    const { files: firstFiles, ...first } = readSummary();
    expect(await tagsOf(host)('owner/sailmark')).toEqual(before);
    expect(second).toEqual(first);
    // Provenance has the times of the run, and what is signed has another signature.
    const provenance = /\.provenance\./;
    const of = (digests: Readonly<Record<string, string>>) =>
      Object.entries(digests).filter(([name]) => !provenance.test(name));
    expect(of(files).length).toBeGreaterThan(4);
    expect(of(files)).toEqual(of(firstFiles));
    rmSync(out, { recursive: true, force: true });
  },
  1_800_000,
);
