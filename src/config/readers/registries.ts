import { X509Certificate } from 'node:crypto';
import { isJsonObject, parseJson } from '../../base/index.ts';
import { parseImageReference } from '../../image/index.ts';
import type { PullSecretName } from '../../registry/index.ts';
import type { ConfiguredRegistry } from '../config.ts';
import type { Note } from '../problem.ts';
import type { ConfigurationFile } from '../schema/configuration-schema.ts';
import { readProviders } from './credential-providers.ts';
import { readText } from './file-text.ts';
import type { ListItem, ReadContext, ReadFile } from './read-context.ts';

type RegistryEntry = NonNullable<ConfigurationFile['registries']>[number];

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

/** A registry's host in the normal form of image references, or undefined where the text is no host. */
const parseRegistryHost = (text: string): string | undefined => {
  const parsed = parseImageReference(`${text}/any/image`);
  return parsed.ok && parsed.reference.repository.path === 'any/image'
    ? parsed.reference.repository.registry
    : undefined;
};

/** A host and the path below it, if there is one, in normal form; undefined where the text is none. */
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

const isCertificate = (block: string): boolean => {
  try {
    void new X509Certificate(block);
    return true;
  } catch {
    return false;
  }
};

const authorityProblem = (text: string): string | undefined => {
  const blocks = [...text.matchAll(PEM_BLOCK)];
  if (blocks.length === 0) return 'holds no PEM certificate';
  const bad = blocks.findIndex(([block]) => !isCertificate(block));
  if (bad === -1) return undefined;
  const label = blocks[bad]?.[1] ?? '';
  return label === 'CERTIFICATE'
    ? `certificate ${bad + 1} is damaged`
    : `holds a ${label}, and must hold certificates alone`;
};

/** The PEM certificates of a file, all of them checked; a problem is noted. */
export const readAuthority = async (
  path: string,
  at: string,
  note: Note,
  readFile: ReadFile,
): Promise<string | undefined> => {
  const text = await readText(path, at, note, readFile);
  const problem = text === undefined ? undefined : authorityProblem(text);
  if (problem !== undefined) note(at, `${path}: ${problem}`);
  return text;
};

/** Checks that a docker config.json is there and is one; it is read again when it is needed. */
const checkDockerConfig = async (path: string, at: string, note: Note, readFile: ReadFile): Promise<void> => {
  const text = await readText(path, at, note, readFile);
  if (text !== undefined && !isJsonObject(parseJson(text)))
    note(at, `${path} is not a docker config.json: it is no JSON object`);
};

const readHost = ({ item, path }: ListItem<RegistryEntry>, seen: Set<string>, note: Note): string => {
  if (item.host === undefined) return '';
  const host = parseRegistryHost(item.host);
  if (host === undefined)
    note(`${path}.host`, 'must be a registry host, with its port if it has one, and no scheme or path');
  else if (seen.has(host)) note(`${path}.host`, `must be listed once, and ${host} already is`);
  else seen.add(host);
  return host ?? item.host;
};

const readRealms = (realms: readonly string[], path: string, note: Note): readonly string[] =>
  realms.map((text, index) => {
    const host = parseRealmHost(text);
    if (host === undefined)
      note(`${path}[${index}]`, 'must be a host, with its port if it has one, and no scheme or path');
    return host ?? text;
  });

const readEndpoint = ({ item, path }: ListItem<RegistryEntry>, note: Note): string | undefined => {
  if (item.endpoint === undefined) return undefined;
  const endpoint = parseEndpoint(item.endpoint);
  if (endpoint === undefined)
    note(
      `${path}.endpoint`,
      'must be a registry host, with a path if it has one, and no scheme: harbor.corp.example/hub',
    );
  for (const key of ['caFile', 'tokenRealms', 'plainHTTP', 'credentials'] as const)
    if (item[key] !== undefined)
      note(`${path}.${key}`, 'means nothing beside endpoint: write it for the host of the endpoint');
  return endpoint;
};

const readPullSecret = (text: string): PullSecretName => {
  const [namespace = '', name = ''] = text.split('/');
  return { namespace, name };
};

type CredentialsRead = Pick<ConfiguredRegistry, 'dockerConfig' | 'providers' | 'pullSecrets'>;

const readCredentials = async (
  { item, path }: ListItem<RegistryEntry>,
  { note, readFile }: ReadContext,
): Promise<CredentialsRead> => {
  const { dockerConfig, providers, pullSecrets } = item.credentials ?? {};
  const at = `${path}.credentials`;
  if (dockerConfig !== undefined) await checkDockerConfig(dockerConfig, `${at}.dockerConfig`, note, readFile);
  const text =
    providers === undefined
      ? undefined
      : await readText(providers.config, `${at}.providers.config`, note, readFile);
  return {
    ...(dockerConfig === undefined ? {} : { dockerConfig }),
    ...(providers === undefined || text === undefined
      ? {}
      : {
          providers: {
            ...providers,
            providers: readProviders(text, providers.config, `${at}.providers.config`, note),
          },
        }),
    ...(pullSecrets === undefined ? {} : { pullSecrets: pullSecrets.map(readPullSecret) }),
  };
};

const readRegistry = async (
  entry: ListItem<RegistryEntry>,
  seen: Set<string>,
  reading: ReadContext,
): Promise<ConfiguredRegistry> => {
  const { item, path } = entry;
  const { note, readFile } = reading;
  const { caFile, tokenRealms, plainHTTP } = item;
  const host = readHost(entry, seen, note);
  const endpoint = readEndpoint(entry, note);
  if (plainHTTP === true && caFile !== undefined)
    note(`${path}.caFile`, 'means nothing where plainHTTP is true: remove one of them');
  const ca = caFile === undefined ? undefined : await readAuthority(caFile, `${path}.caFile`, note, readFile);
  return {
    host,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(caFile === undefined || ca === undefined ? {} : { caFile, ca }),
    ...(tokenRealms === undefined
      ? {}
      : { tokenRealms: readRealms(tokenRealms, `${path}.tokenRealms`, note) }),
    ...(plainHTTP === undefined ? {} : { plainHttp: plainHTTP }),
    ...(await readCredentials(entry, reading)),
  };
};

/** An endpoint is where a registry is read in the end: not itself, and not another that is read elsewhere. */
const checkEndpoints = (
  registries: readonly ConfiguredRegistry[],
  paths: readonly string[],
  note: Note,
): void => {
  for (const [index, { host, endpoint }] of registries.entries()) {
    const target = endpoint?.split('/', 1)[0];
    const at = `${paths[index]}.endpoint`;
    if (target === host) note(at, `must not be ${host} itself`);
    else if (registries.some((one) => one.host === target && one.endpoint !== undefined))
      note(at, `must be where ${host} is read, and ${target} has an endpoint itself`);
  }
};

/** What is said of single registries; certificates and providers are read now, credentials when they are needed. */
export const readRegistries = async (reading: ReadContext): Promise<readonly ConfiguredRegistry[]> => {
  const seen = new Set<string>();
  const entries = reading.entries(reading.part('registries'), 'registries');
  const registries = await Promise.all(entries.map((entry) => readRegistry(entry, seen, reading)));
  checkEndpoints(
    registries,
    entries.map(({ path }) => path),
    reading.note,
  );
  return registries;
};
