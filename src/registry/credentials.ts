import { readFile, stat } from 'node:fs/promises';
import { SourceFault } from './source.ts';

export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, for the token service alone. */
  | { readonly kind: 'identity-token'; readonly token: string }
  /** Kept by a helper program, which is not run: the question is asked anonymously, and a refusal says so. */
  | { readonly kind: 'helper'; readonly helper: string };

interface Place {
  readonly host: string;
  readonly port: string;
  /** With its slash, and in a key without one at its end; empty: the whole registry. */
  readonly path: string;
}

/** One key of `auths`, taken apart. */
interface Entry extends Place {
  readonly credentials: Credentials;
}

/** Credentials for a repository, `registry/path` in normal form; undefined: none, ask anonymously. */
export type FindCredentials = (repository: string) => Promise<Credentials | undefined>;

/** Docker Hub's names in these files. */
const DOCKER_HUB: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textAt = (from: Record<string, unknown>, name: string): string | undefined => {
  const value = Object.hasOwn(from, name) ? from[name] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
};

const parseCredentials = (entry: unknown): Credentials | undefined => {
  if (!isRecord(entry)) return undefined;
  const token = textAt(entry, 'identitytoken');
  if (token !== undefined) return { kind: 'identity-token', token };
  const auth = textAt(entry, 'auth');
  const [, user, secret] = /^([^:]*):([\s\S]*)$/.exec(Buffer.from(auth ?? '', 'base64').toString()) ?? [];
  const username = textAt(entry, 'username') ?? user;
  const password = textAt(entry, 'password') ?? secret;
  return username === undefined || password === undefined
    ? undefined
    : { kind: 'password', username, password: password.replace(/\0+$/, '') };
};

/** Host, port and path of an image: `registry/path`. */
const parsePlace = (text: string): Place => {
  const slash = text.indexOf('/');
  const authority = slash === -1 ? text : text.slice(0, slash);
  const [, host = authority, port = ''] = /^(.*?)(?::(\d+))?$/.exec(authority) ?? [];
  return {
    host: DOCKER_HUB.has(host.toLowerCase()) ? 'docker.io' : host,
    port,
    path: slash === -1 ? '' : text.slice(slash),
  };
};

/** A key of `auths` as the kubelet reads it: a scheme, `/v1/` and `/v2/` say nothing. */
const parseKey = (key: string): Place => {
  const { path, ...authority } = parsePlace(key.replace(/^https?:\/\//, ''));
  return { ...authority, path: path.replace(/^\/v[12](?=\/|$)/, '').replace(/\/+$/, '') };
};

/** Go's `path.Match` as far as hosts use it: `*` and `?` within one label. */
const matchesLabel = (glob: string, label: string): boolean =>
  new RegExp(
    `^${glob
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  ).test(label);

const matchesHost = (glob: string, host: string): boolean => {
  const [globs, labels] = [glob.split('.'), host.split('.')];
  return (
    globs.length === labels.length && globs.every((each, place) => matchesLabel(each, labels[place] ?? ''))
  );
};

/**
 * Whether credentials kept under `key` are for `image`, as the kubelet decides (kubernetes/kubernetes
 * pkg/credentialprovider/keyring.go, `URLsMatch`): hosts label by label, equal ports, the key's path a prefix.
 */
export const credentialsMatch = (key: string, image: string): boolean => isFor(parseKey(key), image);

const isFor = ({ host, port, path }: Place, image: string): boolean => {
  const target = parsePlace(image);
  return port === target.port && matchesHost(host, target.host) && target.path.startsWith(path);
};

const isLonger = (one: Entry, other: Entry): number =>
  other.path.length - one.path.length || other.host.length - one.host.length;

const recordAt = (from: Record<string, unknown>, name: string): Record<string, unknown> => {
  const value = Object.hasOwn(from, name) ? from[name] : {};
  if (!isRecord(value)) throw new Error(`its "${name}" is no object`);
  return value;
};

const keptBy = (helper: string | undefined): Credentials | undefined =>
  helper === undefined ? undefined : { kind: 'helper', helper };

/**
 * The entries of a docker `config.json`: what can be used before what a helper keeps, each the most particular first.
 * Docker leaves an empty entry in `auths` for what it put into `credsStore`. Throws a sentence where it is none.
 */
const parseEntries = (text: string): readonly Entry[] => {
  const document: unknown = JSON.parse(text);
  if (!isRecord(document)) throw new Error('it is no JSON object');
  const [auths, helpers] = [recordAt(document, 'auths'), recordAt(document, 'credHelpers')];
  const inStore = keptBy(textAt(document, 'credsStore'));
  const entriesOf = (keys: Record<string, unknown>, find: (key: string) => Credentials | undefined) =>
    Object.keys(keys)
      .flatMap((key) => {
        const credentials = find(key);
        return credentials === undefined ? [] : [{ ...parseKey(key), credentials }];
      })
      .toSorted(isLonger);
  return [
    ...entriesOf(auths, (key) => parseCredentials(auths[key])),
    ...entriesOf(helpers, (key) => keptBy(textAt(helpers, key))),
    ...entriesOf(auths, () => inStore),
  ];
};

/** Finds credentials in a docker `config.json` (its text), matched as the kubelet does: the longest key first. */
export const findIn = (text: string, repository: string): Credentials | undefined =>
  parseEntries(text).find((entry) => isFor(entry, repository))?.credentials;

/**
 * Looks credentials up in a file that is read when first needed, and again when it changes. A file that cannot be read
 * or is no docker `config.json` is a fault, not an anonymous question: the answer would be another.
 */
export const createFileCredentials = (path: string): FindCredentials => {
  let seen = '';
  let entries: readonly Entry[] = [];
  return async (repository) => {
    try {
      const { mtimeMs, size, ino } = await stat(path);
      const version = `${mtimeMs} ${size} ${ino}`;
      if (version !== seen) entries = parseEntries(await readFile(path, 'utf8'));
      seen = version;
    } catch (error) {
      const why = error instanceof SyntaxError ? 'it is not JSON' : (error as Error).message;
      throw new SourceFault('refused', `the registry credentials in ${path} cannot be read: ${why}`, {
        asked: false,
        cause: error,
      });
    }
    return entries.find((entry) => isFor(entry, repository))?.credentials;
  };
};

export const noCredentials: FindCredentials = async () => undefined;
