import { parsePlace } from '../istio/index.ts';
import type { RegistrySettings } from '../registry/index.ts';
import { findKeyReferenceProblem, findPastedKeyProblem, type KeySpec } from '../verification/index.ts';
import { type Config, deepFreeze } from './config.ts';
import { ConfigError, type Note, type Problem } from './problem.ts';
import type { ReadFile } from './readers/read-context.ts';
import { readCaFile } from './readers/registries.ts';
import { readTrustedRoot } from './readers/transparency-log.ts';

/** Flags of the command line that override the configuration. */
export interface FlagOverrides {
  /** `--key`: paths, or https URLs with `#sha256=HEX` as a pin. They replace all keys of the configuration. */
  readonly keys?: readonly string[];
  /** `--ca-file`: for every registry, in place of `registryDefaults.caFile`. */
  readonly caFile?: string | undefined;
  /** `--registry-config`: for every registry without its own. */
  readonly dockerConfig?: string | undefined;
  /** `$DOCKER_AUTH_CONFIG`, the text of a docker config.json: for every registry without its own. */
  readonly dockerAuthConfig?: string | undefined;
  /** `--evidence`: directories that are read before those of the configuration. */
  readonly evidence?: readonly string[];
  readonly offline?: boolean;
  /** The environment variable `COSIGN_REPOSITORY`: the repository that holds the signatures of every image. */
  readonly signatureRepository?: string | undefined;
  /** `--transparency-log`. */
  readonly transparencyLog?: Config['transparencyLog'] | undefined;
  /** `--trusted-root`. */
  readonly trustedRoot?: string | undefined;
  /** Hosts that plain HTTP is allowed for, in normal form. */
  readonly plainHttpHosts?: readonly string[];
}

const parseKeyUrl = (text: string, note: Note): KeySpec => {
  const [url = '', fragment] = text.split('#', 2);
  const pin = /^sha256=([0-9a-fA-F]{64})$/.exec(fragment ?? '')?.[1];
  if (fragment !== undefined && pin === undefined)
    note('--key', `${url}: the pin must be #sha256= and 64 hexadecimal digits`);
  if (!url.startsWith('https://') || URL.parse(url) === null)
    note('--key', `${url} must be an https URL, or a file`);
  return { location: { kind: 'url', url, ...(pin === undefined ? {} : { spkiSha256: pin.toLowerCase() }) } };
};

const parseKeyFlag = (text: string, note: Note): KeySpec => {
  // A key that was pasted may be private: it is not printed, and neither is what a URI of a token may hold.
  const problem = findPastedKeyProblem(text) ?? findKeyReferenceProblem(text);
  if (problem !== undefined) note('--key', problem);
  if (text === '') note('--key', 'must be a file or an https URL');
  if (problem !== undefined) return { location: { kind: 'file', path: '' } };
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
    ? parseKeyUrl(text, note)
    : { location: { kind: 'file', path: text } };
};

const allowPlainHttp = (
  registries: readonly RegistrySettings[],
  hosts: readonly string[],
): readonly RegistrySettings[] => [
  ...registries.map((registry) =>
    hosts.includes(registry.host) ? { ...registry, plainHttp: true } : registry,
  ),
  ...[...new Set(hosts)]
    .filter((host) => !registries.some((registry) => registry.host === host))
    .map((host) => ({ host, plainHttp: true })),
];

const withEvidenceFlags = (
  { evidence }: Config,
  { evidence: directories = [], offline }: FlagOverrides,
  note: Note,
): Config['evidence'] => {
  const read = [...new Set([...directories, ...evidence.read])];
  if (offline === true && read.length === 0 && evidence.write === undefined)
    note('--offline', 'reads evidence only, and none is configured: name a directory with --evidence');
  return { ...evidence, read };
};

const withLogFlags = async (
  config: Config,
  { transparencyLog = config.transparencyLog, trustedRoot: path }: FlagOverrides,
  note: Note,
  readFile: ReadFile,
): Promise<Pick<Config, 'transparencyLog' | 'trustedRoot'>> => {
  if (path === undefined) return { transparencyLog };
  if (transparencyLog === 'ignore')
    note('--trusted-root', 'has no effect while the log is ignored: add --transparency-log require');
  const trustedRoot = await readTrustedRoot(path, '--trusted-root', note, readFile);
  return { transparencyLog, ...(trustedRoot === undefined ? {} : { trustedRoot }) };
};

/** cosign's variable takes a repository with its path: a name alone would be one of Docker Hub's official images. */
const readSignatureRepository = (
  text: string | undefined,
  note: Note,
): Pick<Config, 'signatureRepository'> => {
  if (text === undefined) return {};
  const parsed = parsePlace(text);
  if (parsed.ok && text.includes('/')) return { signatureRepository: parsed.place };
  const problem = parsed.ok ? '' : `: ${parsed.problem}`;
  note('COSIGN_REPOSITORY', `must be a repository, such as registry.corp.example/signatures${problem}`);
  return {};
};

/** Returns the configuration with the flags applied. Rejects with `ConfigError`; the paths of its problems are flags. */
export const withFlags = async (
  config: Config,
  flags: FlagOverrides,
  readFile: ReadFile,
): Promise<Config> => {
  const problems: Problem[] = [];
  const note = (path: string, message: string): void => void problems.push({ path, message });
  const keys = (flags.keys ?? []).map((text) => parseKeyFlag(text, note));
  const ca =
    flags.caFile === undefined ? undefined : await readCaFile(flags.caFile, '--ca-file', note, readFile);
  const log = await withLogFlags(config, flags, note, readFile);
  const evidence = withEvidenceFlags(config, flags, note);
  const signatures = readSignatureRepository(flags.signatureRepository, note);
  if (problems.length > 0) throw new ConfigError(problems);
  return deepFreeze({
    ...config,
    ...log,
    ...signatures,
    evidence,
    offline: flags.offline === true,
    keys: keys.length === 0 ? config.keys : keys,
    registries: allowPlainHttp(config.registries, flags.plainHttpHosts ?? []),
    registryDefaults: {
      ...config.registryDefaults,
      ...(flags.caFile === undefined || ca === undefined ? {} : { ca, caFile: flags.caFile }),
      ...(flags.dockerConfig === undefined ? {} : { dockerConfig: flags.dockerConfig }),
      ...(flags.dockerAuthConfig === undefined ? {} : { dockerAuthConfig: flags.dockerAuthConfig }),
    },
  });
};
