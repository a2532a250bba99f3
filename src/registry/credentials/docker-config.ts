import { isJsonObject, type JsonObject } from '../../base/index.ts';
import type { Credentials, HelperCredentials } from './credentials.ts';
import { type ImagePattern, matchesImagePattern, parseImagePattern } from './image-pattern.ts';

/** One key of `auths` or `credHelpers`, taken apart. */
interface Entry extends ImagePattern {
  readonly credentials: Credentials;
}

/** What a docker `config.json` says of registries. */
export interface DockerConfig {
  /** What can be used before what a helper keeps, each the most particular first. */
  readonly entries: readonly Entry[];
  /** The helper for hosts of which nothing else is said (`credsStore`). */
  readonly store: string | undefined;
}

/** Docker Hub's names in these files. */
const DOCKER_HUB: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);
/** What Docker calls Docker Hub where it asks a helper. */
const DOCKER_HUB_SERVER = 'https://index.docker.io/v1/';

const textAt = (from: JsonObject, name: string): string | undefined => {
  const value = Object.hasOwn(from, name) ? from[name] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
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
    : { kind: 'password', username, password: password.replace(/\0+$/, '') };
};

const withHubsName = (place: ImagePattern): ImagePattern =>
  DOCKER_HUB.has(place.host.toLowerCase()) ? { ...place, host: 'docker.io' } : place;

/** A key as the kubelet reads it: a scheme, `/v1/` and `/v2/` say nothing, nor does a slash at the end. */
const parseKey = (key: string): ImagePattern => {
  const { path, ...authority } = withHubsName(parseImagePattern(key.replace(/^https?:\/\//, '')));
  return { ...authority, path: path.replace(/^\/v[12](?=\/|$)/, '').replace(/\/+$/, '') };
};

const isFor = (place: ImagePattern, repository: string): boolean =>
  matchesImagePattern(place, withHubsName(parseImagePattern(repository)));

/** Whether credentials kept under `key` are for a repository, as the kubelet decides. */
export const credentialsMatch = (key: string, repository: string): boolean =>
  isFor(parseKey(key), repository);

const isLonger = (one: Entry, other: Entry): number =>
  other.path.length - one.path.length || other.host.length - one.host.length;

const recordAt = (from: JsonObject, name: string): JsonObject => {
  const value = Object.hasOwn(from, name) ? from[name] : {};
  if (!isJsonObject(value)) throw new Error(`its "${name}" is no object`);
  return value;
};

const keptBy = (helper: string | undefined, server: string): HelperCredentials | undefined =>
  helper === undefined ? undefined : { kind: 'helper', helper, server };

/** The keys of one map with what is found for each, the most particular first. */
export const entriesOf = (
  keys: JsonObject,
  find: (key: string) => Credentials | undefined = (key) => parseCredentials(keys[key]),
): readonly Entry[] =>
  Object.keys(keys)
    .flatMap((key) => {
      const credentials = find(key);
      return credentials === undefined ? [] : [{ ...parseKey(key), credentials }];
    })
    .toSorted(isLonger);

const NAMES = ['auths', 'credHelpers', 'credsStore'] as const;

/**
 * Reads a docker `config.json`, a `.dockerconfigjson` or, where none of their names is in it, a `.dockercfg`, which is
 * `auths` alone (kubernetes/kubernetes pkg/credentialprovider/config.go). Throws a sentence, without a word of what is in
 * it, where the text is none of them.
 */
export const parseDockerConfig = (text: string): DockerConfig => {
  const document: unknown = JSON.parse(text);
  if (!isJsonObject(document)) throw new Error('it is no JSON object');
  if (!NAMES.some((name) => Object.hasOwn(document, name)))
    return { entries: entriesOf(document), store: undefined };
  const [auths, helpers] = [recordAt(document, 'auths'), recordAt(document, 'credHelpers')];
  const store = textAt(document, 'credsStore');
  return {
    entries: [
      ...entriesOf(auths),
      ...entriesOf(helpers, (key) => keptBy(textAt(helpers, key), key)),
      // Docker leaves an empty entry in `auths` for what it put into the store.
      ...entriesOf(auths, (key) => keptBy(store, key)),
    ],
    store,
  };
};

/** All credentials that match a repository, those to be tried first at the beginning. */
export const credentialsFor = (entries: readonly Entry[], repository: string): readonly Credentials[] =>
  entries.filter((entry) => isFor(entry, repository)).map(({ credentials }) => credentials);

/** Where a helper may keep credentials for a repository of which the file says nothing else. */
export const storeHelperFor = (
  { store }: DockerConfig,
  repository: string,
): HelperCredentials | undefined => {
  const { host, port } = withHubsName(parseImagePattern(repository));
  if (host === 'docker.io') return keptBy(store, DOCKER_HUB_SERVER);
  return keptBy(store, port === '' ? host : `${host}:${port}`);
};
