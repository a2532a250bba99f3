import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { respondWith, startTestRegistry, temporaryDirectory } from '../registry/test-client.ts';

import { fixturePath } from '../support/fixtures.ts';
import { runCli } from '../support/run-cli.ts';
import { createSigner } from '../support/signing-kit.ts';
import { createTls } from '../support/tls.ts';

const TLS = createTls();
const IMAGE = 'sha256:5f316ef0722234181374ddfec82c5f33be82889a762edb96cd22b6f21e224942';
const KEY = fixturePath('cosign/keys/cosign.pub');

/** The ways to trust an authority, each as flags and environment; `directory` holds its certificate and configuration. */
const WAYS: readonly (readonly [
  what: string,
  way: (directory: string) => {
    readonly flags?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  },
])[] = [
  ['--ca-file', (directory) => ({ flags: ['--ca-file', join(directory, 'ca.pem')] })],
  ['registryDefaults.caFile', (directory) => ({ flags: ['--config', join(directory, 'config.yaml')] })],
  ['SSL_CERT_FILE', (directory) => ({ env: { SSL_CERT_FILE: join(directory, 'ca.pem') } })],
  ['SSL_CERT_DIR', (directory) => ({ env: { SSL_CERT_DIR: directory } })],
];

const directoryWithFiles = (): string => {
  const directory = temporaryDirectory();
  const ca = join(directory, 'ca.pem');
  writeFileSync(ca, TLS.ca);
  writeFileSync(
    join(directory, 'config.yaml'),
    `{apiVersion: sailmark.dev/v1alpha1, kind: Configuration, registryDefaults: {caFile: ${ca}}}`,
  );
  return directory;
};

describe('an authority that is named by nothing', () => {
  it('is not trusted for registries, nor for key URLs', async () => {
    const registry = await startTestRegistry({ tls: TLS });
    const image = `${registry.host}/${registry.loadVector('referrers/s01-legacy-notlog')}@${IMAGE}`;
    expect((await runCli(['verify', '--key', KEY, image])).code).toBe(20);
    const { stdout, stderr } = await runCli(['keys', '--key', `https://${registry.host}/key.pub`]);
    expect(`${stdout}${stderr}`).toContain('is not trusted');
    expect(registry.requests).toEqual([]);
  });
});

describe.each(WAYS)('an authority that is named by %s', (_, way) => {
  it('is trusted for a registry', async () => {
    const registry = await startTestRegistry({ tls: TLS });
    const image = `${registry.host}/${registry.loadVector('referrers/s01-legacy-notlog')}@${IMAGE}`;
    const { flags = [], env = {} } = way(directoryWithFiles());
    expect(await runCli(['verify', '--key', KEY, ...flags, image], { env })).toMatchObject({ code: 0 });
  });

  it('is trusted for a key URL', async () => {
    const server = await startTestRegistry({ tls: TLS });
    server.fault = respondWith(200, {}, createSigner().publicPem);
    const { flags = [], env = {} } = way(directoryWithFiles());
    const argv = ['keys', '--key', `https://${server.host}/key.pub`, ...flags];
    expect(await runCli(argv, { env })).toMatchObject({ code: 0 });
  });
});
