import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkIntegrity, pinnedNode } from '../../.ci/ship/node-archives.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sailmark-node-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('Node.js for an archive', () => {
  it('is refused if it is not what the lock file pins', async () => {
    const file = join(directory, 'node.tgz');
    await writeFile(file, 'something else');
    for (const architecture of ['amd64', 'arm64'] as const)
      expect(() => {
        checkIntegrity(file, pinnedNode(architecture));
      }).toThrow(
        /^\S+node\.tgz is not node-linux-(?:x64|arm64) 26\.\d+\.\d+ as package-lock\.json has it: its hash is sha512-/,
      );
  });

  it('is accepted by its hash', async () => {
    const file = join(directory, 'empty.tgz');
    await writeFile(file, '');
    const integrity =
      'sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==';
    expect(() => {
      checkIntegrity(file, { name: 'x', version: '1', integrity });
    }).not.toThrow();
  });

  it('has one version for every platform, which is the one that builds', () => {
    const versions = (['amd64', 'arm64'] as const).map((one) => pinnedNode(one).version);
    expect(new Set(versions).size).toBe(1);
  });
});
