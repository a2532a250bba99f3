import { parseImageReference } from '../../image/index.ts';
import {
  certificatesProblem,
  dockerConfigProblem,
  type PullSecretName,
  type RegistrySettings,
} from '../../registry/index.ts';
import type { Config } from '../config.ts';
import type { Note } from '../problem.ts';
import { readProviders } from './credential-providers.ts';
import { readText } from './file-text.ts';
import type { AllRead, Entry, ListItem, ReadContext, ReadFile, SoundFile } from './read-context.ts';

type RegistryEntry = Entry<'registries'>;

/** Returns a registry host in the normal form of image references, or undefined if the text is not one. */
const parseRegistryHost = (text: string): string | undefined => {
  const parsed = parseImageReference(`${text}/any/image`);
  return parsed.ok && parsed.reference.repository.path === 'any/image'
    ? parsed.reference.repository.registry
    : undefined;
};

/** Returns a host, with a path if it has one, in normal form; undefined if the text is not one. */
const parseEndpoint = (text: string): string | undefined => {
  const [first = '', ...rest] = text.split('/');
  const host = parseRegistryHost(first);
  const parsed = parseImageReference(`${text}/any/image`);
  const path = [...rest, 'any/image'].join('/');
  if (host === undefined || !parsed.ok || parsed.reference.repository.path !== path) return undefined;
  return [host, ...rest].join('/');
};

const parseRealmHost = (text: string): string | undefined => {
  const url = URL.parse(`https://${text}`);
  return url !== null && url.href === `https://${url.host}/` && !/[/?#@]/.test(text) ? url.host : undefined;
};

/** Reads a file of PEM certificates and checks each; notes a problem. */
export const readCaFile = async (
  path: string,
  at: string,
  note: Note,
  readFile: ReadFile,
): Promise<string | undefined> => {
  const text = await readText(path, at, note, readFile);
  const problem = text === undefined ? undefined : certificatesProblem(text);
  if (problem !== undefined) note(at, `${path}: ${problem}`);
  return text;
};

/** Notes it if a docker config.json is missing or malformed; the file is read again whenever credentials are needed. */
const checkDockerConfig = async (path: string, at: string, note: Note, readFile: ReadFile): Promise<void> => {
  const text = await readText(path, at, note, readFile);
  const problem = text === undefined ? undefined : dockerConfigProblem(text);
  if (problem !== undefined) note(at, `${path} is not a docker config.json: ${problem}`);
};

const readHost = (text: string | undefined, path: string, seen: Set<string>, note: Note): string => {
  if (text === undefined) return '';
  const host = parseRegistryHost(text);
  if (host === undefined)
    note(`${path}.host`, 'must be a registry host, with its port if it has one, and no scheme or path');
  else if (seen.has(host)) note(`${path}.host`, `must be listed once, and ${host} already is`);
  else seen.add(host);
  return host ?? text;
};

const readRealms = (realms: readonly string[], path: string, note: Note): readonly string[] =>
  realms.map((text, index) => {
    const host = parseRealmHost(text);
    if (host === undefined)
      note(`${path}[${index}]`, 'must be a host, with its port if it has one, and no scheme or path');
    return host ?? text;
  });

const readEndpoint = (text: string, path: string, note: Note): string | undefined => {
  const endpoint = parseEndpoint(text);
  if (endpoint === undefined)
    note(
      `${path}.endpoint`,
      'must be a registry host, with a path if it has one, and no scheme: harbor.corp.example/hub',
    );
  return endpoint;
};

const checkBesideEndpoint = (item: Partial<RegistryEntry>, path: string, note: Note): void => {
  for (const key of ['caFile', 'tokenRealms', 'plainHTTP', 'credentials'] as const)
    if (item[key] !== undefined)
      note(`${path}.${key}`, 'has no effect beside endpoint: set it for the host of the endpoint');
};

const readPullSecret = (text: string): PullSecretName => {
  const [namespace = '', name = ''] = text.split('/');
  return { namespace, name };
};

type Credentials = Pick<RegistrySettings, 'dockerConfig' | 'providers' | 'pullSecrets'>;

const readProvidersFile = async (
  { config, binDir, ...unread }: NonNullable<NonNullable<RegistryEntry['credentials']>['providers']>,
  at: string,
  { note, readFile }: ReadContext,
): Promise<Pick<Credentials, 'providers'>> => {
  unread satisfies AllRead;
  const text = await readText(config, `${at}.config`, note, readFile);
  if (text === undefined) return {};
  return { providers: { config, binDir, providers: readProviders(text, config, `${at}.config`, note) } };
};

const readCredentials = async (
  file: RegistryEntry['credentials'],
  at: string,
  context: ReadContext,
): Promise<Credentials> => {
  const { dockerConfig, providers, pullSecrets, ...unread } = file ?? {};
  unread satisfies AllRead;
  if (dockerConfig !== undefined)
    await checkDockerConfig(dockerConfig, `${at}.dockerConfig`, context.note, context.readFile);
  return {
    ...(dockerConfig === undefined ? {} : { dockerConfig }),
    ...(providers === undefined ? {} : await readProvidersFile(providers, `${at}.providers`, context)),
    ...(pullSecrets === undefined ? {} : { pullSecrets: pullSecrets.map(readPullSecret) }),
  };
};

const readRegistry = async (
  { item, path }: ListItem<RegistryEntry>,
  seen: Set<string>,
  context: ReadContext,
): Promise<RegistrySettings> => {
  const { note, readFile } = context;
  const { host: name, endpoint: target, caFile, tokenRealms, plainHTTP, credentials, ...unread } = item;
  unread satisfies AllRead;
  const host = readHost(name, path, seen, note);
  const endpoint = target === undefined ? undefined : readEndpoint(target, path, note);
  if (target !== undefined) checkBesideEndpoint(item, path, note);
  if (plainHTTP === true && caFile !== undefined)
    note(`${path}.caFile`, 'has no effect while plainHTTP is true: remove one of them');
  const ca = caFile === undefined ? undefined : await readCaFile(caFile, `${path}.caFile`, note, readFile);
  return {
    host,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(caFile === undefined || ca === undefined ? {} : { caFile, ca }),
    ...(tokenRealms === undefined
      ? {}
      : { tokenRealms: readRealms(tokenRealms, `${path}.tokenRealms`, note) }),
    ...(plainHTTP === undefined ? {} : { plainHttp: plainHTTP }),
    ...(await readCredentials(credentials, `${path}.credentials`, context)),
  };
};

/** An endpoint must be read directly: it must not be the registry itself, or one that has an endpoint too. */
const checkEndpoints = (
  registries: readonly RegistrySettings[],
  paths: readonly string[],
  note: Note,
): void => {
  for (const [index, { host, endpoint }] of registries.entries()) {
    const target = endpoint?.split('/', 1)[0];
    const at = `${paths[index]}.endpoint`;
    if (target === host) note(at, `must not be ${host} itself`);
    else if (registries.some((registry) => registry.host === target && registry.endpoint !== undefined))
      note(at, `must be where ${host} is read, and ${target} has an endpoint itself`);
  }
};

/** Reads the settings of single registries: certificates and providers now, credentials when they are needed. */
export const readRegistries = async (
  file: SoundFile['registries'],
  context: ReadContext,
): Promise<readonly RegistrySettings[]> => {
  const seen = new Set<string>();
  const items = context.entries(file, 'registries');
  const registries = await Promise.all(items.map((item) => readRegistry(item, seen, context)));
  checkEndpoints(
    registries,
    items.map(({ path }) => path),
    context.note,
  );
  return registries;
};

/** Reads the settings of all registries. */
export const readRegistryDefaults = async (
  { caFile, ...unread }: NonNullable<SoundFile['registryDefaults']>,
  { note, readFile }: ReadContext,
): Promise<Config['registryDefaults']> => {
  unread satisfies AllRead;
  if (caFile === undefined) return {};
  const ca = await readCaFile(caFile, 'registryDefaults.caFile', note, readFile);
  return ca === undefined ? {} : { ca, caFile };
};
