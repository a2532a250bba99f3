import { isJsonObject, type JsonObject } from '../../base/index.ts';
import { type CredentialProvider, parseGoDuration } from '../../registry/index.ts';
import { parseYaml } from '../parse-yaml.ts';
import { ConfigError, type Note, pathTo, suggestion } from '../problem.ts';

/** What the kubelet calls its configuration; all versions have the same shape as far as it is read here. */
const CONFIG_VERSION = /^kubelet\.config\.k8s\.io\/(v1|v1beta1|v1alpha1)$/;
const REQUEST_VERSION = /^credentialprovider\.kubelet\.k8s\.io\/(v1|v1beta1|v1alpha1)$/;

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

/** One key of a provider: whether it may be missing, what it is, and what to say where it is not. */
interface Rule {
  readonly optional?: true;
  readonly holds: (value: unknown) => boolean;
  readonly must: string;
}

/** As the kubelet checks them (kubernetes/kubernetes pkg/credentialprovider/plugin/config.go). */
const RULES: Readonly<Record<keyof CredentialProvider, Rule>> = {
  name: {
    holds: (value) => isText(value) && !/[/\\\s]/.test(value) && value !== '.' && value !== '..',
    must: 'the name of an executable, without a slash or a space',
  },
  matchImages: {
    holds: (value) =>
      isTexts(value) && value.length > 0 && value.every((one) => /^[^\s/:]+(:\d+)?(\/\S*)?$/.test(one)),
    must: 'a list of hosts, each with a port and a path if it has them, and no scheme: "*.dkr.ecr.*.amazonaws.com"',
  },
  defaultCacheDuration: {
    holds: (value) => typeof value === 'string' && (parseGoDuration(value) ?? -1) >= 0,
    must: 'a duration, such as 12h',
  },
  apiVersion: {
    holds: (value) => typeof value === 'string' && REQUEST_VERSION.test(value),
    must: 'credentialprovider.kubelet.k8s.io/v1',
  },
  args: { optional: true, holds: isTexts, must: 'a list of texts' },
  env: {
    optional: true,
    holds: (value) =>
      Array.isArray(value) &&
      value.every((one) => isJsonObject(one) && isText(one['name']) && typeof one['value'] === 'string'),
    must: 'a list of {name: …, value: …}',
  },
};

const checkProvider = (provider: JsonObject, path: string, note: Note): void => {
  for (const [key, { optional, holds, must }] of Object.entries(RULES)) {
    if (provider[key] === undefined && optional === true) continue;
    if (!holds(provider[key])) note(pathTo(path, key), `must be ${must}`);
  }
  for (const key of Object.keys(provider).filter((one) => !Object.hasOwn(RULES, one)))
    note(
      pathTo(path, key),
      key === 'tokenAttributes'
        ? "is the kubelet's alone: it has the tokens of the pods' service accounts, and nobody else"
        : `is not a key that is known here${suggestion(key, Object.keys(RULES))}`,
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
    if (seen.has(name)) note(`providers[${index}].name`, 'must be there once');
    seen.add(name);
  }
};

/**
 * The providers of a kubelet `CredentialProviderConfig` (kubelet.config.k8s.io/v1), read from `file`; each problem is
 * noted at `at`, with its place in the file.
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
  const found = Array.isArray(providers) ? providers : [];
  if (found.length === 0 || !found.every(isJsonObject)) {
    noteInFile('providers', 'must be a list with at least one provider');
    return [];
  }
  found.forEach((provider, index) => checkProvider(provider, `providers[${index}]`, noteInFile));
  checkNames(found, noteInFile);
  return problems === 0 ? found.map(providerOf) : [];
};
