import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

/** Writes a certificate to a file that is removed after all tests of this test file: what is running reads it again. */
export const writeAuthority = (ca: string): string => {
  const directory = mkdtempSync(join(tmpdir(), 'sailmark-authority-'));
  directories.push(directory);
  const path = join(directory, 'ca.pem');
  writeFileSync(path, ca);
  return path;
};
