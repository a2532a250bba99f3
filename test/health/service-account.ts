import fs from 'node:fs';

/*
 * Loaded before the program (`node --import`): the files of a pod's service account are those in the directory that
 * SERVICE_ACCOUNT names. In a pod the kubelet mounts them at a path that only root could write here.
 */

const MOUNTED = '/var/run/secrets/kubernetes.io/serviceaccount';
const directory = process.env['SERVICE_ACCOUNT'] ?? MOUNTED;

const moved = (path: unknown): unknown =>
  typeof path === 'string' && path.startsWith(MOUNTED) ? path.replace(MOUNTED, directory) : path;

for (const name of ['readFileSync', 'existsSync', 'accessSync', 'statSync', 'readFile'] as const) {
  const original = fs[name] as (...arguments_: readonly unknown[]) => unknown;
  Object.assign(fs, {
    [name]: (path: unknown, ...others: readonly unknown[]) => original(moved(path), ...others),
  });
}
