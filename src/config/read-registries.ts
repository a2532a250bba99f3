import { X509Certificate } from 'node:crypto';
import { parseImageReference } from '../image/index.ts';
import type { ConfiguredRegistry } from './config.ts';
import type { Note } from './problem.ts';
import type { Entry, ReadFile, Reading } from './reading.ts';
import type { ConfigurationFile } from './schema.ts';

type RegistryEntry = NonNullable<ConfigurationFile['registries']>[number];

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

/** A registry's host in the normal form of image references, or undefined where the text is no host. */
const parseRegistryHost = (text: string): string | undefined => {
  const parsed = parseImageReference(`${text}/any/image`);
  return parsed.ok && parsed.reference.path === 'any/image' ? parsed.reference.registry : undefined;
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

const readText = async (
  path: string,
  at: string,
  note: Note,
  readFile: ReadFile,
): Promise<string | undefined> => {
  try {
    return await readFile(path);
  } catch (error) {
    note(at, `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
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

const isObject = (text: string): boolean => {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
  } catch {
    return false;
  }
};

/** Checks that a docker config.json is there and is one; it is read again when it is needed. */
const checkDockerConfig = async (path: string, at: string, note: Note, readFile: ReadFile): Promise<void> => {
  const text = await readText(path, at, note, readFile);
  if (text !== undefined && !isObject(text))
    note(at, `${path} is not a docker config.json: it is no JSON object`);
};

const readHost = ({ item, path }: Entry<RegistryEntry>, seen: Set<string>, note: Note): string => {
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

const readRegistry = async (
  entry: Entry<RegistryEntry>,
  seen: Set<string>,
  { note, readFile }: Reading,
): Promise<ConfiguredRegistry> => {
  const { item, path } = entry;
  const { caFile, tokenRealms, plainHTTP, credentials } = item;
  const dockerConfig = credentials?.dockerConfig;
  const host = readHost(entry, seen, note);
  if (plainHTTP === true && caFile !== undefined)
    note(`${path}.caFile`, 'means nothing where plainHTTP is true: remove one of them');
  if (dockerConfig !== undefined)
    await checkDockerConfig(dockerConfig, `${path}.credentials.dockerConfig`, note, readFile);
  const ca = caFile === undefined ? undefined : await readAuthority(caFile, `${path}.caFile`, note, readFile);
  return {
    host,
    ...(caFile === undefined || ca === undefined ? {} : { caFile, ca }),
    ...(tokenRealms === undefined
      ? {}
      : { tokenRealms: readRealms(tokenRealms, `${path}.tokenRealms`, note) }),
    ...(plainHTTP === undefined ? {} : { plainHttp: plainHTTP }),
    ...(dockerConfig === undefined ? {} : { dockerConfig }),
  };
};

/** What is said of single registries; certificates are read now, credentials when they are needed. */
export const readRegistries = async (reading: Reading): Promise<readonly ConfiguredRegistry[]> => {
  const seen = new Set<string>();
  const entries = reading.entries(reading.part('registries'), 'registries');
  return Promise.all(entries.map((entry) => readRegistry(entry, seen, reading)));
};
