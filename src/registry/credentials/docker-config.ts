import { isJsonObject, type JsonObject } from '../../base/index.ts';
import type { Credentials, HelperCredentials } from './credentials.ts';
import { memberAt, parseEntry, textAt } from './entry-credentials.ts';
import { createImageTest, type ImagePattern, parseImagePattern } from './image-pattern.ts';

/** One parsed key of `auths` or `credHelpers`. */
interface Entry {
  readonly pattern: ImagePattern;
  readonly matches: (repository: ImagePattern) => boolean;
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

/** Removes the slashes at the end of a text. An unanchored `/x+$/` takes the square of the length of a run. */
const withoutTrailingSlashes = (text: string): string => {
  let end = text.length;
  while (end > 0 && text[end - 1] === '/') end -= 1;
  return text.slice(0, end);
};

const withDockerHubName = (pattern: ImagePattern): ImagePattern =>
  DOCKER_HUB.has(pattern.host.toLowerCase()) ? { ...pattern, host: 'docker.io' } : pattern;

/** Parses a key as the kubelet does: it ignores a scheme, `/v1/` and `/v2/`, and a slash at the end. */
const parseKey = (key: string): ImagePattern => {
  const { path, ...authority } = withDockerHubName(parseImagePattern(key.replace(/^https?:\/\//i, '')));
  return { ...authority, path: withoutTrailingSlashes(path.replace(/^\/v[12](?=\/|$)/, '')) };
};

const parseRepository = (repository: string): ImagePattern =>
  withDockerHubName(parseImagePattern(repository));

/** True if the credentials under `key` are for a repository, as the kubelet decides. */
export const credentialsMatch = (key: string, repository: string): boolean =>
  createImageTest(parseKey(key))(parseRepository(repository));

const byLength = ({ pattern: left }: Entry, { pattern: right }: Entry): number =>
  right.path.length - left.path.length || right.host.length - left.host.length;

const recordAt = (from: JsonObject, name: string): JsonObject => {
  const value = memberAt(from, name) ?? {};
  if (!isJsonObject(value)) throw new Error(`"${name}" is not an object`);
  return value;
};

const helperCredentials = (helper: string | undefined, server: string): HelperCredentials | undefined =>
  helper === undefined ? undefined : { kind: 'helper', helper, server };

const entryOf = (key: string, credentials: Credentials): Entry => {
  const pattern = parseKey(key);
  return { pattern, matches: createImageTest(pattern), credentials };
};

/** Returns the keys of one map with their credentials, the most specific first. */
export const entriesOf = (
  keys: JsonObject,
  find: (key: string) => Credentials | undefined = (key) => parseEntry(keys[key]),
): readonly Entry[] =>
  Object.keys(keys)
    .flatMap((key) => {
      const credentials = find(key);
      return credentials === undefined ? [] : [entryOf(key, credentials)];
    })
    .toSorted(byLength);

const NAMES: ReadonlySet<string> = new Set(['auths', 'credhelpers', 'credsstore']);

const EMPTY: DockerConfig = { entries: [], store: undefined };

/**
 * Parses a docker `config.json`, a `.dockerconfigjson` or, if it has none of their members, a `.dockercfg`, which is the
 * content of `auths` (kubernetes/kubernetes pkg/credentialprovider/config.go). An empty text holds no credentials
 * (docker/cli, cli/config/configfile), and `null` is an absent member or document. Throws an error that quotes nothing of
 * the text if it is none of them.
 */
export const parseDockerConfig = (text: string): DockerConfig => {
  const document: unknown = text.trim() === '' ? null : JSON.parse(text);
  if (document === null) return EMPTY;
  if (!isJsonObject(document)) throw new Error('it is not a JSON object');
  if (!Object.keys(document).some((name) => NAMES.has(name.toLowerCase())))
    return { entries: entriesOf(document), store: undefined };
  const [auths, helpers] = [recordAt(document, 'auths'), recordAt(document, 'credHelpers')];
  const store = textAt(document, 'credsStore');
  return {
    entries: [
      ...entriesOf(auths),
      ...entriesOf(helpers, (key) => helperCredentials(helperAt(helpers, key), key)),
      // Docker leaves an empty entry in `auths` for credentials that it moved into the store.
      ...entriesOf(auths, (key) => helperCredentials(store, key)),
    ],
    store,
  };
};

/** A host's helper; undefined if it has none, or an empty name. */
const helperAt = (helpers: JsonObject, key: string): string | undefined => {
  const helper = helpers[key];
  return typeof helper === 'string' && helper !== '' ? helper : undefined;
};

/** Returns the credentials that match a repository, in the order to try them. */
export const credentialsFor = (entries: readonly Entry[], repository: string): readonly Credentials[] => {
  const target = parseRepository(repository);
  return entries.filter(({ matches }) => matches(target)).map(({ credentials }) => credentials);
};

/** Returns the helper that may store credentials for a repository that the file does not list. */
export const storeHelperFor = (
  { store }: DockerConfig,
  repository: string,
): HelperCredentials | undefined => {
  const { host, port } = parseRepository(repository);
  if (host === 'docker.io') return helperCredentials(store, DOCKER_HUB_SERVER);
  return helperCredentials(store, port === '' ? host : `${host}:${port}`);
};
