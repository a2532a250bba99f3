import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Api } from '../control-plane/api.ts';
import type { Image } from '../control-plane/kubelet/container.ts';
import type { PullImage } from '../control-plane/kubelet/pod-runner.ts';
import type { Pod } from '../control-plane/objects.ts';
import { pathOf, runOrThrow, runProgram } from '../tools.ts';
import { readImage, runnable } from './built-image.ts';

/*
 * Pulls images for the simulated kubelet: from their registry, over TLS, for the machine's platform, with the credentials of the
 * pod's pull secrets and no others, and unpacks them.
 */

interface PullSecret {
  readonly data: Readonly<Record<string, string>>;
}

const EMPTY = JSON.stringify({ auths: {} });

/** Returns the content of a docker `config.json` with the credentials of a pod. */
const credentialsOf = async (api: Api, { metadata, spec }: Pod): Promise<string> => {
  const [secret, ...others] = spec.imagePullSecrets ?? [];
  if (secret === undefined) return EMPTY;
  if (others.length > 0) throw new Error('pods of one pull secret only');
  const found = await api.find<PullSecret>(`/api/v1/namespaces/${metadata.namespace}/secrets/${secret.name}`);
  const encoded = found?.data['.dockerconfigjson'];
  return encoded === undefined ? EMPTY : Buffer.from(encoded, 'base64').toString();
};

/**
 * Returns what pulls images. `api` is asked for pull secrets; `env` is the environment of skopeo.
 */
export const createPull = (
  directory: string,
  api: () => Api,
  env: Readonly<Record<string, string>>,
): PullImage => {
  const pulled = new Map<string, Promise<Image | undefined>>();
  const pull = async (reference: string, credentials: string): Promise<Image | undefined> => {
    const home = await mkdtemp(join(directory, 'pulled-'));
    const [authFile, layout, root] = ['auth.json', 'layout', 'root'].map((name) => join(home, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(authFile, credentials);
    // Without an own home, skopeo would find the credentials of whoever pushed.
    const { PATH = '', SSL_CERT_FILE = '' } = env;
    const own = { PATH, SSL_CERT_FILE, HOME: home };
    const copy = [
      '--insecure-policy',
      'copy',
      '--quiet',
      '--authfile',
      authFile,
      `docker://${reference}`,
      `oci:${layout}:pulled`,
    ];
    if ((await runProgram(pathOf('skopeo'), copy, { env: own })).code !== 0) return undefined;
    const image = await readImage('pulled', layout);
    await mkdir(root);
    for (const { path } of image.layers)
      await runOrThrow('tar', ['-x', '-p', '-f', path, '-C', root], { timeout: 180_000 });
    return runnable(image, root);
  };
  return async (reference, pod) => {
    const credentials = await credentialsOf(api(), pod);
    const key = JSON.stringify([reference, credentials]);
    const started = pulled.get(key) ?? pull(reference, credentials);
    pulled.set(key, started);
    return started;
  };
};
