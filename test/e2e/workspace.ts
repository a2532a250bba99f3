import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tls } from '../support/tls.ts';
import { ACCOUNT } from './docker-registry.ts';
import { type ProgramResult, pathOf, runOrThrow, runProgram, type Tool } from './tools.ts';

const PROGRAM = new URL('../../dist/main.js', import.meta.url).pathname;

/** Makes cosign sign without a transparency log and a timestamp, so that it needs only the registry. */
const SIGNING_CONFIG = {
  mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
  rekorTlogConfig: {},
  tsaConfig: {},
};
const TRUSTED_ROOT = { mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1' };

export type Cosign = Extract<Tool, `cosign${string}`>;

/** A directory with keys, credentials and certificates, and the programs that use them. */
export interface Workspace {
  readonly directory: string;
  /** The environment of its programs. */
  readonly env: Readonly<Record<string, string>>;
  /** Resolves with the path of a public key. cosign generates the pair when the name is first used. */
  publicKey(name: string): Promise<string>;
  crane(...argv: readonly string[]): Promise<string>;
  skopeo(...argv: readonly string[]): Promise<string>;
  /** Pushes an image whose only layer contains this text. Resolves with its digest. */
  pushImage(reference: string, content: string): Promise<string>;
  /** Signs `REPOSITORY@DIGEST`. cosign 3 writes bundles, cosign 2 a `.sig` tag. */
  sign(cosign: Cosign, key: string, reference: string, ...flags: readonly string[]): Promise<void>;
  /** Attests something about `REPOSITORY@DIGEST` with cosign 3, which writes a bundle. */
  attest(key: string, reference: string): Promise<void>;
  /** Runs `cosign save` into a directory of the workspace. */
  save(cosign: Cosign, reference: string, directory: string): Promise<void>;
  /** Runs `cosign verify`, ignoring the transparency log. */
  cosignVerify(cosign: Cosign, key: string, ...argv: readonly string[]): Promise<ProgramResult>;
  /** Runs the bundle. */
  sailmark(...argv: readonly string[]): Promise<ProgramResult>;
  /** Runs `sailmark verify` with the flags that give access to the registries. */
  verify(key: string, ...argv: readonly string[]): Promise<ProgramResult>;
  remove(): Promise<void>;
}

/** The proxies are a port on which nobody listens: a request to another machine fails at once. */
const environmentOf = (directory: string): Readonly<Record<string, string>> => ({
  HOME: directory,
  DOCKER_CONFIG: directory,
  REGISTRY_AUTH_FILE: join(directory, 'config.json'),
  SSL_CERT_FILE: join(directory, 'ca.pem'),
  TUF_ROOT: join(directory, 'tuf'),
  COSIGN_PASSWORD: '',
  HTTPS_PROXY: 'http://127.0.0.1:1',
  HTTP_PROXY: 'http://127.0.0.1:1',
  NO_PROXY: '127.0.0.1',
});

const writeSettings = async (directory: string, tls: Tls, hosts: readonly string[]): Promise<void> => {
  const auth = Buffer.from(`${ACCOUNT.username}:${ACCOUNT.password}`).toString('base64');
  const auths = Object.fromEntries(hosts.map((host) => [host, { auth }]));
  const write = (name: string, content: string | object) =>
    writeFile(join(directory, name), typeof content === 'string' ? content : JSON.stringify(content));
  await write('ca.pem', tls.ca);
  await write('config.json', { auths });
  await write('signing-config.json', SIGNING_CONFIG);
  await write('trusted-root.json', TRUSTED_ROOT);
  await write('predicate.json', { SPDXID: 'SPDXRef-DOCUMENT' });
};

/** Creates a workspace for registries on these hosts, which all have the same account. */
export const createWorkspace = async (tls: Tls, hosts: readonly string[]): Promise<Workspace> => {
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-e2e-'));
  const running = { env: environmentOf(directory), cwd: directory };
  await writeSettings(directory, tls, hosts);
  const keys = new Map<string, Promise<string>>();
  const makeKey = async (name: string): Promise<string> => {
    await runOrThrow(pathOf('cosign 3'), ['generate-key-pair', '--output-key-prefix', name], running);
    return join(directory, `${name}.pub`);
  };
  const publicKey = (name: string): Promise<string> => {
    const path = keys.get(name) ?? makeKey(name);
    keys.set(name, path);
    return path;
  };
  /** Runs `cosign COMMAND` with a private key. */
  const withKey = async (tool: Cosign, command: string, key: string, argv: readonly string[]) => {
    await publicKey(key);
    const flags = tool === 'cosign 2' ? ['--tlog-upload=false'] : ['--signing-config', 'signing-config.json'];
    await runOrThrow(pathOf(tool), [command, '--key', `${key}.key`, '--yes', ...flags, ...argv], running);
  };
  const crane = (...argv: readonly string[]): Promise<string> => runOrThrow(pathOf('crane'), argv, running);
  const sailmark = (...argv: readonly string[]): Promise<ProgramResult> =>
    runProgram(process.execPath, [PROGRAM, ...argv], running);
  return {
    directory,
    env: running.env,
    publicKey,
    crane,
    skopeo: (...argv) => runOrThrow(pathOf('skopeo'), ['--insecure-policy', ...argv], running),
    async pushImage(reference, content) {
      const name = `layer-${content.replaceAll(/\W/g, '-')}`;
      await mkdir(join(directory, name), { recursive: true });
      await writeFile(join(directory, name, 'content'), content);
      await runOrThrow('tar', ['-cf', `${name}.tar`, '-C', name, 'content'], running);
      await crane('append', '--oci-empty-base', '-f', `${name}.tar`, '-t', reference);
      return crane('digest', reference);
    },
    sign: (cosign, key, reference, ...flags) => withKey(cosign, 'sign', key, [...flags, reference]),
    attest: (key, reference) =>
      withKey('cosign 3', 'attest', key, ['--type', 'spdxjson', '--predicate', 'predicate.json', reference]),
    async save(cosign, reference, to) {
      await runOrThrow(pathOf(cosign), ['save', '--dir', to, reference], running);
    },
    async cosignVerify(cosign, key, ...argv) {
      const root = cosign === 'cosign 3' ? [] : ['--trusted-root', 'trusted-root.json'];
      const flags = ['--key', await publicKey(key), '--insecure-ignore-tlog', ...root];
      return runProgram(pathOf(cosign), ['verify', ...flags, ...argv], running);
    },
    sailmark,
    async verify(key, ...argv) {
      const flags = ['--ca-file', 'ca.pem', '--registry-config', 'config.json'];
      return sailmark('verify', '--key', await publicKey(key), ...flags, ...argv);
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
};
