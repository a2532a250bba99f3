import { isJsonObject, type JsonObject } from '../../base/index.ts';
import { type CredentialProvider, parseGoDuration } from '../../registry/index.ts';
import { parseYaml } from '../parse-yaml.ts';
import { ConfigError, type Note, pathTo, suggestion } from '../problem.ts';

/** The versions of the kubelet's configuration; the keys that are read here have the same shape in all of them. */
const CONFIG_VERSION = /^kubelet\.config\.k8s\.io\/(v1|v1beta1|v1alpha1)$/;
const REQUEST_VERSION = /^credentialprovider\.kubelet\.k8s\.io\/(v1|v1beta1|v1alpha1)$/;

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isTextList = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

/** The check of one key of a provider, and the end of its message `must be …`. */
interface KeyCheck {
  readonly optional?: true;
  readonly isValid: (value: unknown) => boolean;
  readonly requirement: string;
}

/** The kubelet's own checks (kubernetes/kubernetes pkg/credentialprovider/plugin/config.go). */
const KEY_CHECKS: Readonly<Record<keyof CredentialProvider, KeyCheck>> = {
  name: {
    isValid: (value) => isText(value) && !/[/\\\s]/.test(value) && value !== '.' && value !== '..',
    requirement: 'the name of an executable, without a slash or a space',
  },
  matchImages: {
    isValid: (value) =>
      isTextList(value) &&
      value.length > 0 &&
      value.every((pattern) => /^[^\s/:]+(:\d+)?(\/\S*)?$/.test(pattern)),
    requirement:
      'a list of hosts, each with a port and a path if it has them, and no scheme: "*.dkr.ecr.*.amazonaws.com"',
  },
  defaultCacheDuration: {
    isValid: (value) => typeof value === 'string' && (parseGoDuration(value) ?? -1) >= 0,
    requirement: 'a duration, such as 12h',
  },
  apiVersion: {
    isValid: (value) => typeof value === 'string' && REQUEST_VERSION.test(value),
    requirement: 'credentialprovider.kubelet.k8s.io/v1',
  },
  args: { optional: true, isValid: isTextList, requirement: 'a list of strings' },
  env: {
    optional: true,
    isValid: (value) =>
      Array.isArray(value) &&
      value.every(
        (entry) => isJsonObject(entry) && isText(entry['name']) && typeof entry['value'] === 'string',
      ),
    requirement: 'a list of {name: …, value: …}',
  },
};

const checkProvider = (provider: JsonObject, path: string, note: Note): void => {
  for (const [key, { optional, isValid, requirement }] of Object.entries(KEY_CHECKS)) {
    if (provider[key] === undefined && optional === true) continue;
    if (!isValid(provider[key])) note(pathTo(path, key), `must be ${requirement}`);
  }
  for (const key of Object.keys(provider).filter((name) => !Object.hasOwn(KEY_CHECKS, name)))
    note(
      pathTo(path, key),
      key === 'tokenAttributes'
        ? "is supported by the kubelet only, which has the tokens of the pods' service accounts: remove it"
        : `is not a known key${suggestion(key, Object.keys(KEY_CHECKS))}`,
    );
};

const providerOf = (checked: JsonObject): CredentialProvider => {
  const { name, matchImages, defaultCacheDuration, apiVersion, args, env } = checked as Omit<
    CredentialProvider,
    'defaultCacheDuration'
  > & { readonly defaultCacheDuration: string };
  return {
    name,
    matchImages,
    defaultCacheDuration: parseGoDuration(defaultCacheDuration) ?? 0,
    apiVersion,
    args: args ?? [],
    env: env ?? [],
  };
};

const readDocument = (text: string, note: Note): JsonObject | undefined => {
  try {
    const document = parseYaml(text);
    if (isJsonObject(document) && document['kind'] === 'CredentialProviderConfig') return document;
    note('', 'is not a CredentialProviderConfig of the kubelet');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const { message } of error.problems) note('', message);
  }
  return undefined;
};

const checkNames = (providers: readonly JsonObject[], note: Note): void => {
  const seen = new Set<unknown>();
  for (const [index, { name }] of providers.entries()) {
    if (seen.has(name)) note(`providers[${index}].name`, 'must be unique');
    seen.add(name);
  }
};

/**
 * Reads the providers of a kubelet `CredentialProviderConfig` (kubelet.config.k8s.io/v1); `text` is the text of `file`.
 * Notes each problem at `at`, with its place in the file.
 */
export const readProviders = (
  text: string,
  file: string,
  at: string,
  note: Note,
): readonly CredentialProvider[] => {
  let problems = 0;
  const noteInFile: Note = (path, message) => {
    problems += 1;
    note(at, path === '' ? `${file}: ${message}` : `${file}: ${path} ${message}`);
  };
  const document = readDocument(text, noteInFile);
  if (document === undefined) return [];
  const { apiVersion, providers } = document;
  if (typeof apiVersion !== 'string' || !CONFIG_VERSION.test(apiVersion))
    noteInFile('apiVersion', 'must be kubelet.config.k8s.io/v1');
  const listed = Array.isArray(providers) ? providers : [];
  if (listed.length === 0 || !listed.every(isJsonObject)) {
    noteInFile('providers', 'must be a list with at least one provider');
    return [];
  }
  listed.forEach((provider, index) => checkProvider(provider, `providers[${index}]`, noteInFile));
  checkNames(listed, noteInFile);
  return problems === 0 ? listed.map(providerOf) : [];
};
