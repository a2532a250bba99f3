import { isJsonObject, type JsonObject } from '../../base/index.ts';
import type { Credentials, HelperCredentials } from './credentials.ts';
import { type ImagePattern, matchesImagePattern, parseImagePattern } from './image-pattern.ts';

/** One parsed key of `auths` or `credHelpers`. */
interface Entry extends ImagePattern {
  readonly credentials: Credentials;
}

/** The credentials of a docker `config.json`. */
export interface DockerConfig {
  /** Credentials in the file precede those of helpers; within each, the most specific comes first. */
  readonly entries: readonly Entry[];
  /** The helper for hosts that the file does not list (`credsStore`). */
  readonly store: string | undefined;
}

/** Docker Hub's names in these files. */
const DOCKER_HUB: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);
/** Docker's name for Docker Hub when it runs a helper. */
const DOCKER_HUB_SERVER = 'https://index.docker.io/v1/';

const textAt = (from: JsonObject, name: string): string | undefined => {
  const value = Object.hasOwn(from, name) ? from[name] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
};

/** Removes every `character` at the end of a text. An unanchored `/x+$/` takes the square of the length of a run. */
const withoutTrailing = (text: string, character: string): string => {
  let end = text.length;
  while (end > 0 && text[end - 1] === character) end -= 1;
  return text.slice(0, end);
};

const parseCredentials = (entry: unknown): Credentials | undefined => {
  if (!isJsonObject(entry)) return undefined;
  const token = textAt(entry, 'identitytoken');
  if (token !== undefined) return { kind: 'identity-token', token };
  const auth = textAt(entry, 'auth');
  const [, user, secret] = /^([^:]*):([\s\S]*)$/.exec(Buffer.from(auth ?? '', 'base64').toString()) ?? [];
  const username = textAt(entry, 'username') ?? user;
  const password = textAt(entry, 'password') ?? secret;
  return username === undefined || password === undefined
    ? undefined
    : { kind: 'password', username, password: withoutTrailing(password, '\0') };
};

const withDockerHubName = (pattern: ImagePattern): ImagePattern =>
  DOCKER_HUB.has(pattern.host.toLowerCase()) ? { ...pattern, host: 'docker.io' } : pattern;

/** Parses a key as the kubelet does: it ignores a scheme, `/v1/` and `/v2/`, and a slash at the end. */
const parseKey = (key: string): ImagePattern => {
  const { path, ...authority } = withDockerHubName(parseImagePattern(key.replace(/^https?:\/\//, '')));
  return { ...authority, path: withoutTrailing(path.replace(/^\/v[12](?=\/|$)/, ''), '/') };
};

const matches = (pattern: ImagePattern, repository: string): boolean =>
  matchesImagePattern(pattern, withDockerHubName(parseImagePattern(repository)));

/** True if the credentials under `key` are for a repository, as the kubelet decides. */
export const credentialsMatch = (key: string, repository: string): boolean =>
  matches(parseKey(key), repository);

const byLength = (left: Entry, right: Entry): number =>
  right.path.length - left.path.length || right.host.length - left.host.length;

const recordAt = (from: JsonObject, name: string): JsonObject => {
  const value = Object.hasOwn(from, name) ? from[name] : {};
  if (!isJsonObject(value)) throw new Error(`"${name}" is not an object`);
  return value;
};

const helperCredentials = (helper: string | undefined, server: string): HelperCredentials | undefined =>
  helper === undefined ? undefined : { kind: 'helper', helper, server };

/** Returns the keys of one map with their credentials, the most specific first. */
export const entriesOf = (
  keys: JsonObject,
  find: (key: string) => Credentials | undefined = (key) => parseCredentials(keys[key]),
): readonly Entry[] =>
  Object.keys(keys)
    .flatMap((key) => {
      const credentials = find(key);
      return credentials === undefined ? [] : [{ ...parseKey(key), credentials }];
    })
    .toSorted(byLength);

const NAMES = ['auths', 'credHelpers', 'credsStore'] as const;

/**
 * Parses a docker `config.json`, a `.dockerconfigjson` or, if it has none of their members, a `.dockercfg`, which is the
 * content of `auths` (kubernetes/kubernetes pkg/credentialprovider/config.go). Throws an error that quotes nothing of the
 * text if it is none of them.
 */
export const parseDockerConfig = (text: string): DockerConfig => {
  const document: unknown = JSON.parse(text);
  if (!isJsonObject(document)) throw new Error('it is not a JSON object');
  if (!NAMES.some((name) => Object.hasOwn(document, name)))
    return { entries: entriesOf(document), store: undefined };
  const [auths, helpers] = [recordAt(document, 'auths'), recordAt(document, 'credHelpers')];
  const store = textAt(document, 'credsStore');
  return {
    entries: [
      ...entriesOf(auths),
      ...entriesOf(helpers, (key) => helperCredentials(textAt(helpers, key), key)),
      // Docker leaves an empty entry in `auths` for credentials that it moved into the store.
      ...entriesOf(auths, (key) => helperCredentials(store, key)),
    ],
    store,
  };
};

/** Returns the credentials that match a repository, in the order to try them. */
export const credentialsFor = (entries: readonly Entry[], repository: string): readonly Credentials[] =>
  entries.filter((entry) => matches(entry, repository)).map(({ credentials }) => credentials);

/** Returns the helper that may store credentials for a repository that the file does not list. */
export const storeHelperFor = (
  { store }: DockerConfig,
  repository: string,
): HelperCredentials | undefined => {
  const { host, port } = withDockerHubName(parseImagePattern(repository));
  if (host === 'docker.io') return helperCredentials(store, DOCKER_HUB_SERVER);
  return helperCredentials(store, port === '' ? host : `${host}:${port}`);
};
