import { readdir, readlink } from 'node:fs/promises';
import { platform } from 'node:os';
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';
import { readTextFile } from '../../base/index.ts';
import { contentOf, newCertificatesIn } from './certificates.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where a system keeps the certificates that it trusts. */
export interface Store {
  /** The first that can be read counts. */
  readonly files: readonly string[];
  /** Each file in them counts. */
  readonly directories: readonly string[];
}

/** The places of Linux distributions (golang/go, src/crypto/x509/root_linux.go). */
const LINUX: Store = {
  files: [
    '/etc/ssl/certs/ca-certificates.crt',
    '/etc/pki/tls/certs/ca-bundle.crt',
    '/etc/ssl/ca-bundle.pem',
    '/etc/pki/tls/cacert.pem',
    '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
    '/etc/ssl/cert.pem',
  ],
  directories: ['/etc/ssl/certs', '/etc/pki/tls/certs'],
};
/** The store of macOS and Windows is no file: Node reads it. */
const NO_FILES: Store = { files: [], directories: [] };

const systemStore = (): Store => (platform() === 'linux' ? LINUX : NO_FILES);

const readText = (path: string): Promise<string | undefined> => readTextFile(path).catch(() => undefined);

const readFirst = async (paths: readonly string[]): Promise<string> => {
  for (const path of paths) {
    const text = await readText(path);
    if (text !== undefined) return text;
  }
  return '';
};

/** Another name within the directory, as `c_rehash` makes for each file. */
const isAlias = async (path: string): Promise<boolean> =>
  !(await readlink(path).catch(() => '/')).includes('/');

const readDirectory = async (directory: string): Promise<readonly string[]> => {
  const names = await readdir(directory).catch(() => []);
  const texts = names.map(async (name) => {
    const path = join(directory, name);
    return (await isAlias(path)) ? undefined : readText(path);
  });
  return (await Promise.all(texts)).filter((text) => text !== undefined);
};

/**
 * Reads the certificates that Node and the system trust, as PEM. `SSL_CERT_FILE` names a file in place of the system's, and
 * `SSL_CERT_DIR` directories, divided by colons, as for Go programs and OpenSSL. What cannot be read is passed over.
 */
export const readSystemCertificates = async (
  { SSL_CERT_FILE: file, SSL_CERT_DIR: directories }: Environment,
  store: Store = systemStore(),
): Promise<readonly string[]> => {
  const ofNode = [
    ...getCACertificates('default'),
    ...(platform() === 'linux' ? [] : getCACertificates('system')),
  ];
  const texts = [
    await readFirst(file ? [file] : store.files),
    ...(
      await Promise.all((directories ? directories.split(':') : store.directories).map(readDirectory))
    ).flat(),
  ];
  const known = new Set(ofNode.map(contentOf));
  return [...ofNode, ...texts.flatMap((text) => newCertificatesIn(text, known))];
};
