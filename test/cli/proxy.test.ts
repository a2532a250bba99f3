import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../registry/test-client.ts';
import { runCli } from '../support/run-cli.ts';
import { createSigner } from '../support/signing-kit.ts';

const files = (): { readonly key: string; readonly config: string } => {
  const directory = temporaryDirectory();
  const [key, config] = [join(directory, 'key.pub'), join(directory, 'config.yaml')];
  writeFileSync(key, createSigner().publicPem);
  writeFileSync(config, `{apiVersion: sailmark.dev/v1alpha1, kind: Configuration, keys: [{file: ${key}}]}`);
  return { key, config };
};

describe('a proxy whose password cannot be read', () => {
  const PROBLEM = 'HTTPS_PROXY has a % in its user name or password that begins no escape: write it as %25';

  it.each(['verify', 'keys', 'serve'])(
    'ends %s at its start, and the password is not printed',
    async (command) => {
      const { key, config } = files();
      const argv = {
        verify: ['verify', '--key', key, 'registry.example/istio/pilot:1.28.0'],
        keys: ['keys', '--key', key],
        serve: ['serve', '--config', config],
      }[command];
      const env = { HTTPS_PROXY: 'http://ada:s3cret%@proxy.example:3128' };
      const { code, stdout, stderr } = await runCli(argv ?? [], { env });
      expect({ code, stderr }).toEqual({ code: 1, stderr: `Error: ${PROBLEM}\n` });
      expect(stdout).not.toContain('s3cret');
    },
  );
});
