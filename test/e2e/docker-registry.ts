import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../support/ports.ts';
import { pathOf } from './tools.ts';

export type RegistryAuth =
  | { readonly kind: 'basic' }
  | {
      readonly kind: 'token';
      readonly realm: string;
      readonly issuer: string;
      readonly service: string;
      readonly trusted: string;
    };

export interface DockerRegistry {
  readonly host: string;
  stop(): Promise<void>;
}

/** The one account of the basic registry, and its bcrypt line as `htpasswd -B` writes it. */
export const ACCOUNT = { username: 'sailmark', password: 'open-sesame' };
const HTPASSWD = 'sailmark:$2b$05$zgOh5ZhToWEZ/SOFgt34BOCyrqA7Xkth4pD.EFIW2nUMaN3C.Bzu6\n';

const authSection = (auth: RegistryAuth, directory: string): object =>
  auth.kind === 'basic'
    ? { htpasswd: { realm: 'sailmark e2e', path: join(directory, 'htpasswd') } }
    : {
        token: {
          realm: auth.realm,
          service: auth.service,
          issuer: auth.issuer,
          rootcertbundle: join(directory, 'issuer.pem'),
        },
      };

const answers = (host: string): Promise<boolean> => {
  const [name, port] = host.split(':') as [string, string];
  return new Promise((resolve) => {
    const socket = connect(Number(port), name);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
};

const started = async (child: ChildProcess, host: string): Promise<void> => {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2000);
  });
  for (let tries = 0; tries < 100; tries += 1) {
    if (child.exitCode !== null) throw new Error(`docker-registry ended with ${child.exitCode}: ${said}`);
    if (await answers(host)) return;
    await delay(100);
  }
  throw new Error(`docker-registry did not open its port in 10 s: ${said}`);
};

/**
 * Starts Debian's `docker-registry` (distribution 2.8), a registry nobody here wrote, over TLS on a free port of loopback, its storage in a
 * directory of its own.
 */
export const startDockerRegistry = async (
  tls: { readonly cert: string; readonly key: string },
  auth: RegistryAuth,
): Promise<DockerRegistry> => {
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  await writeFile(join(directory, 'tls.crt'), tls.cert);
  await writeFile(join(directory, 'tls.key'), tls.key);
  await writeFile(join(directory, 'htpasswd'), HTPASSWD);
  if (auth.kind === 'token') await writeFile(join(directory, 'issuer.pem'), auth.trusted);
  const configuration = {
    version: 0.1,
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: join(directory, 'storage') } },
    http: { addr: host, tls: { certificate: join(directory, 'tls.crt'), key: join(directory, 'tls.key') } },
    auth: authSection(auth, directory),
  };
  await writeFile(join(directory, 'config.yml'), JSON.stringify(configuration));
  const child = spawn(pathOf('docker-registry'), ['serve', join(directory, 'config.yml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await started(child, host);
  return {
    host,
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
};
