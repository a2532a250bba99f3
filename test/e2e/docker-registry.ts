import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess, untilOutput } from '../support/process.ts';
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

/** The account of the registries, and its bcrypt line as `htpasswd -B` writes it. */
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

/** The address in the log line that the registry writes when it listens: `listening on 127.0.0.1:5000, tls`. */
const listeningOn = (output: string): string | undefined =>
  /listening on ([\d.]+:\d+), tls/.exec(output)?.[1];

/**
 * Starts Debian's `docker-registry` (distribution 2.8) over TLS, by default on a port of loopback that it chooses itself, with
 * its storage in a directory of its own.
 */
export const startDockerRegistry = async (
  tls: { readonly cert: string; readonly key: string },
  auth: RegistryAuth,
  address = '127.0.0.1:0',
): Promise<DockerRegistry> => {
  await using started = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-registry-'));
  started.defer(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, 'tls.crt'), tls.cert);
  await writeFile(join(directory, 'tls.key'), tls.key);
  await writeFile(join(directory, 'htpasswd'), HTPASSWD);
  if (auth.kind === 'token') await writeFile(join(directory, 'issuer.pem'), auth.trusted);
  const configuration = {
    version: 0.1,
    log: { level: 'info', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(directory, 'storage') } },
    http: {
      addr: address,
      tls: { certificate: join(directory, 'tls.crt'), key: join(directory, 'tls.key') },
    },
    auth: authSection(auth, directory),
  };
  const path = join(directory, 'config.yml');
  await writeFile(path, JSON.stringify(configuration));
  const registry = started.use(startProcess(pathOf('docker-registry'), ['serve', path]));
  const host = await untilOutput(registry, 'address of docker-registry', listeningOn);
  const running = started.move();
  return { host, stop: () => running.disposeAsync() };
};
