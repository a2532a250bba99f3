import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../registry/test-client.ts';
import { runCli } from '../support/run-cli.ts';

const checkWith = async (dockerConfig: string) => {
  const file = join(temporaryDirectory(), 'config.yaml');
  writeFileSync(
    file,
    `{apiVersion: sailmark.dev/v1alpha1, kind: Configuration, registries: [{host: r.example, credentials: {dockerConfig: ${dockerConfig}}}]}`,
  );
  const { code, stderr } = await runCli(['check-config', '--config', file]);
  return { code, stderr: stderr.replaceAll(file, 'FILE') };
};

describe('a configuration that names a docker config', () => {
  it('which is a directory says what to name', async () => {
    const path = join(temporaryDirectory(), 'pull');
    mkdirSync(path);
    const { code, stderr } = await checkWith(path);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `registries[0].credentials.dockerConfig ${path} is a directory: name the file in it`,
    );
  });

  it('which has a list for its credentials says so', async () => {
    const path = join(temporaryDirectory(), 'config.json');
    writeFileSync(path, '{"auths":["s3cret"]}');
    const { code, stderr } = await checkWith(path);
    expect(code).toBe(1);
    expect(stderr).toContain(`${path} is not a docker config.json: "auths" is not an object`);
    expect(stderr).not.toContain('s3cret');
  });

  it.each(['', 'null', '{"auths":null}'])('which is %j is valid', async (text) => {
    const path = join(temporaryDirectory(), 'config.json');
    writeFileSync(path, text);
    expect((await checkWith(path)).code).toBe(0);
  });
});
