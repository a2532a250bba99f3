import { createHash, sign } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { container, deployment, pod } from '../support/builders.ts';
import { podPath, startCluster, type TestCluster } from '../support/cluster-server.ts';
import { type Mirror, startMirror } from '../support/mirror.ts';
import { startProcess, untilOutput } from '../support/process.ts';
import { runCli } from '../support/run-cli.ts';
import { createTls } from '../support/tls.ts';

/*
 * Every example in a command's help and in the README, run by a shell in a directory that has the files it names, with
 * programs that print what real ones do: `istioctl` what it renders, `kubectl` the pods of a cluster, and with a kubeconfig
 * for a cluster of one pod. Only the names of servers differ: the registries and the API server are in this process, and a
 * key's URL is a file.
 */

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname;
const RENDERED =
  '../fixtures/istio/golden/operator/cmd/mesh/testdata/manifest-generate/output/pilot_default.golden.yaml';
const TAG = '1.28.0';
const TIMEOUT_MS = 60_000;

const examplesOfHelp = async (): Promise<readonly string[]> => {
  const { stdout } = await runCli(['--help']);
  const names = [...stdout.matchAll(/^ {2}([a-z-]+(?: [a-z]+)?) {2,}/gm)].map(([, name]) => name ?? '');
  const helps = await Promise.all(names.map((name) => runCli([...name.split(' '), '--help'])));
  return helps.flatMap(({ stdout: help }) => {
    const [, section = ''] = help.split('\nExamples:\n');
    const lines = section.split('\n');
    const end = lines.findIndex((line) => !line.startsWith('  '));
    return lines.slice(0, end).map((line) => line.trim());
  });
};

/** The command lines of the README that run sailmark, without their comments. */
const examplesOfReadme = async (): Promise<readonly string[]> => {
  const text = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  return blocks
    .flatMap((block) => block.split('\n'))
    .map((line) => line.replace(/\s+#\s.*$/, ''))
    .filter((line) => /(?:^|\| )sailmark /.test(line));
};

const EXAMPLES = [...new Set([...(await examplesOfHelp()), ...(await examplesOfReadme())])];

let directory: string;
let mirror: Mirror;
let cluster: TestCluster;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sailmark-examples-'));
  mirror = await startMirror();
  cluster = await startCluster();
  for (const component of ['pilot', 'proxyv2']) mirror.add({ component, tag: TAG });
  await writeFiles();
});
afterAll(async () => {
  await cluster.close();
  await mirror.registry.close();
  await rm(directory, { recursive: true, force: true });
});

const KEY_FILES = ['corp.pub', 'cosign.pub', 'istio-key.pub', 'release.pub'];

/** The bundle that `cosign sign-blob --key` writes, without an entry of a log. */
const blobBundle = (content: Uint8Array, signature: string): object => ({
  mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
  verificationMaterial: { publicKey: { hint: '' } },
  messageSignature: {
    messageDigest: {
      algorithm: 'SHA2_256',
      digest: createHash('sha256').update(content).digest('base64'),
    },
    signature,
  },
});

const writeFiles = async (): Promise<void> => {
  const { release, registry } = mirror;
  const tls = createTls();
  const head = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };
  const config = {
    ...head,
    keys: [{ inline: release.publicPem }],
    mirrors: [{ mirror: 'registry.corp.example/istio', of: 'docker.io/istio' }],
    registries: [
      { host: 'docker.io', endpoint: registry.host },
      { host: 'registry.corp.example', endpoint: registry.host },
      { host: registry.host, plainHTTP: true },
    ],
  };
  const tool = Buffer.from('a tool');
  const signature = sign('sha256', tool, release.privateKey).toString('base64');
  const running = {
    ...pod({
      initContainers: [container(`docker.io/istio/proxyv2:${TAG}`, 'istio-proxy')],
      containers: [container('nginx')],
    }),
    status: { containerStatuses: [{ image: 'docker.io/library/nginx:latest', imageID: 'sha256:0' }] },
  };
  const rendered = (await readFile(new URL(RENDERED, import.meta.url), 'utf8'))
    .replaceAll('registry.istio.io/release', 'docker.io/istio')
    .replaceAll('1.1.4', TAG);
  const server = {
    listen: '127.0.0.1:0',
    probes: '127.0.0.1:0',
    certificate: { cert: 'tls.crt', key: 'tls.key' },
  };
  cluster.put(podPath('shop', 'web'), running);
  for (const name of ['shop', 'payments']) cluster.put(`/api/v1/namespaces/${name}`, { kind: 'Namespace' });
  const files: Readonly<Record<string, string | Uint8Array>> = {
    kubeconfig: cluster.kubeconfig().replaceAll('"test"', '"production"'),
    'sailmark.yaml': JSON.stringify(config),
    'etc/sailmark/config.yaml': JSON.stringify({ ...config, server }),
    'tls.crt': tls.cert,
    'tls.key': tls.key,
    'corp-ca.pem': tls.ca,
    ...Object.fromEntries(KEY_FILES.map((name) => [name, release.publicPem])),
    'images.txt': `# Istio\ndocker.io/istio/pilot:${TAG}\ndocker.io/istio/proxyv2:${TAG}\n`,
    'deployment.yaml': JSON.stringify(deployment([`docker.io/istio/proxyv2:${TAG}`])),
    'manifests/a/pod.json': JSON.stringify(running),
    'tool.tar.gz': tool,
    'tool.tar.gz.sig': signature,
    'tool.tar.gz.sigstore.json': JSON.stringify(blobBundle(tool, signature)),
    'rendered.yaml': rendered,
    'pods.json': JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [running] }),
    'bin/istioctl': '#!/bin/sh\nexec cat rendered.yaml\n',
    'bin/kubectl': '#!/bin/sh\nexec cat pods.json\n',
    // The configuration stands for the network: it sends Docker Hub's images to the registry of this process.
    'bin/sailmark': `#!/bin/sh
case " $* " in
*' --config '* | *' verify-blob '* | *' evidence list '* | *' version '* | *' explain'* | *' completion '*) ;;
*) set -- "$@" --config sailmark.yaml ;;
esac
exec "${process.execPath}" "${MAIN}" "$@"
`,
  };
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    if (name.startsWith('bin/')) await chmod(path, 0o755);
  }
};

/** Replaces what is not on this machine: a key's URL by a file with the key, and a directory of the system by one here. */
const here = (example: string): string =>
  example
    .replaceAll(/https:\/\/[\w./-]+\/([\w-]+\.pub)(?:#sha256=HEX)?/g, '$1')
    .replaceAll('/etc/sailmark/', 'etc/sailmark/');

const start = async (example: string) => {
  const signature = await readFile(join(directory, 'tool.tar.gz.sig'), 'utf8');
  const env = {
    PATH: `${join(directory, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
    HOME: directory,
    KUBECONFIG: join(directory, 'kubeconfig'),
    SIG: signature,
  };
  const command = `cd '${directory}' && exec 2>&1 && set -e && ${here(example)}`;
  return startProcess('sh', ['-c', command], env);
};

describe('the example', () => {
  it.each(EXAMPLES.filter((example) => !/sailmark (?:serve|evidence)/.test(example)))(
    '%s',
    async (example) => {
      await using running = await start(example);
      const code = await running.ended;
      expect({ code, output: running.output() }).toEqual({ code: 0, output: expect.stringMatching(/\S/) });
      expect(running.output()).not.toMatch(/^(?:Error|Warning):/m);
    },
    TIMEOUT_MS,
  );

  it.each(EXAMPLES.filter((example) => example.includes('sailmark evidence pull')))(
    '%s',
    async (example) => {
      await using running = await start(example);
      const code = await running.ended;
      expect({ code, output: running.output() }).toEqual({ code: 0, output: expect.any(String) });
      const list = EXAMPLES.filter((other) => other.includes('sailmark evidence list'));
      expect(list.length).toBeGreaterThan(0);
      for (const other of list) {
        await using listing = await start(other);
        expect([await listing.ended, listing.output()]).toEqual([
          0,
          expect.stringContaining(`docker.io/istio/proxyv2:${TAG}`),
        ]);
      }
      await rm(join(directory, 'evidence'), { recursive: true, force: true });
    },
    TIMEOUT_MS,
  );

  it.each(EXAMPLES.filter((example) => example.includes('sailmark serve')))(
    '%s',
    async (example) => {
      await using running = await start(`exec ${example}`);
      await untilOutput(
        running,
        'listening',
        (output) => output.includes('"msg":"listening"') || undefined,
        TIMEOUT_MS,
      );
      expect(running.exitCode).toBeUndefined();
      await running.stop(0);
    },
    TIMEOUT_MS,
  );

  it('is there for most commands', () => {
    expect(EXAMPLES.length).toBeGreaterThan(15);
  });
});
