import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { helm, withImage } from './helm.ts';

/*
 * A later chart in which values of this one are gone or renamed: a copy of the chart with an entry for each in
 * files/changed-values.yaml, and the schema that is generated for it.
 */

const CHANGED = [
  { value: 'gate', since: '0.2.0', instead: 'set mode.' },
  { value: 'kubernetes.heat', since: '0.2.0', instead: 'set kubernetes.warmUp.' },
  { value: 'config.oldKeys', since: '0.3.0', instead: 'set config.keys.' },
  { value: 'copies', since: '0.2.0', instead: 'set replicas.', works: true },
];

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sailmark-changed-'));
  const repository = process.cwd();
  await cp('charts', join(directory, 'charts'), { recursive: true });
  await symlink(join(repository, 'node_modules'), join(directory, 'node_modules'));
  await writeFile(join(directory, 'charts/sailmark/files/changed-values.yaml'), JSON.stringify(CHANGED));
  const { HELM: _, ...env } = process.env;
  await promisify(execFile)('node', [join(repository, '.ci/chart-files.ts')], { cwd: directory, env });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const install = (values: object) =>
  helm(
    [
      'install',
      'gate',
      join(directory, 'charts/sailmark'),
      '-n',
      'gate',
      '--dry-run=client',
      '--values',
      '-',
    ],
    JSON.stringify(withImage(values)),
  );

describe('values that a later chart does not have', () => {
  it('are refused by name, all at once, with what to set instead', async () => {
    const { code, stderr } = await install({
      gate: 'on',
      kubernetes: { heat: { for: '5s' } },
      config: { oldKeys: [] },
    });
    expect(code).toBe(1);
    for (const sentence of [
      'gate is gone since 0.2.0: set mode.',
      'kubernetes.heat is gone since 0.2.0: set kubernetes.warmUp.',
      'config.oldKeys is gone since 0.3.0: set config.keys.',
    ])
      expect(stderr).toContain(`  * ${sentence}\n`);
  });

  it('are refused by the schema where nobody listed them', async () => {
    const { code, stderr } = await install({ gates: 'on' });
    expect([code, stderr]).toEqual([1, expect.stringContaining("additional properties 'gates' not allowed")]);
  });

  it('are accepted while they work, and the notes ask to change them', async () => {
    const { code, stdout } = await install({ copies: 3 });
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining(
        'Values to change before a later release refuses them:\n  copies is deprecated since 0.2.0: set replicas.\n',
      ),
    ]);
  });

  it('are nobody’s problem who does not set them', async () => {
    const { code, stdout } = await install({ kubernetes: { warmUp: '5s' } });
    expect(code).toBe(0);
    expect(stdout).not.toContain('Values to change');
  });
});
