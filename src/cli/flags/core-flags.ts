import { type Config, loadConfig, withFlags } from '../../config/index.ts';
import { parseImageReference } from '../../image/index.ts';
import { type Flag, type Flags, type Io, UsageError } from '../command-line/command.ts';
import { readFile } from '../shared/input.ts';
import { layoutProblem } from '../shared/layout-problem.ts';
import { findCredentials } from './docker-config.ts';
import { parseTimeout } from './timeout-flag.ts';

/** The flags of every command that uses a key ring. */
export const keyFlags: readonly Flag[] = [
  {
    name: 'key',
    value: 'FILE|URL[#sha256=HEX]',
    repeatable: true,
    help: "a trusted public key: PEM, DER, JWK or JWKS; an https URL may be pinned to the SHA-256 of the key's SubjectPublicKeyInfo. Replaces the keys of the configuration; default: Istio's release keys",
  },
  {
    name: 'config',
    value: 'FILE',
    help: 'a configuration file, as for `serve`; flags take precedence over it',
  },
  {
    name: 'ca-file',
    value: 'FILE',
    help: "PEM certificates to trust for registries and key URLs, in addition to the system's",
  },
];

const LOG_CHOICES = ['ignore', 'require'] as const;

/** The flags of every command that verifies images. */
export const coreFlags: readonly Flag[] = [
  ...keyFlags,
  {
    name: 'registry-config',
    value: 'FILE',
    help: "registry credentials, a docker config.json; default: $DOCKER_AUTH_CONFIG, and $DOCKER_CONFIG/config.json, ~/.docker/config.json or podman's auth.json",
  },
  { name: 'allow-http-registry', help: 'allow plain HTTP for the registries of the given images' },
  {
    name: 'evidence',
    value: 'DIR',
    repeatable: true,
    help: 'an OCI image layout with signatures, as `evidence pull` writes it; read before any registry',
  },
  {
    name: 'offline',
    help: 'read only evidence, never a registry, and fetch no key; a tag resolves as the evidence says, without proof',
  },
  {
    name: 'transparency-log',
    value: LOG_CHOICES.join('|'),
    help: 'whether a pinned transparency log must prove each signature (default ignore: Istio 1.12 to 1.17 is in no log)',
  },
  { name: 'insecure-ignore-tlog', help: "cosign's name for --transparency-log ignore" },
  {
    name: 'trusted-root',
    value: 'FILE',
    help: "the transparency logs to trust, a Sigstore trusted_root.json; default: Sigstore's public logs",
  },
];

/** The setting of the transparency log in the flags; undefined if they do not set it. Throws `UsageError`. */
const parseTransparencyLog = (flags: Flags): Config['transparencyLog'] | undefined => {
  const text = flags.text('transparency-log');
  const ignored = flags.has('insecure-ignore-tlog');
  if (text === undefined) return ignored ? 'ignore' : undefined;
  const setting = LOG_CHOICES.find((choice) => choice === text);
  if (setting === undefined)
    throw new UsageError(
      `--transparency-log must be one of ${LOG_CHOICES.join(', ')}, got ${JSON.stringify(text)}`,
    );
  if (setting === 'require' && ignored)
    throw new UsageError('--transparency-log require and --insecure-ignore-tlog contradict each other');
  return setting;
};

/** Raises the deadline of verifications that images share, so that it does not undercut `--timeout`. */
const withTimeout = (config: Config, timeout: number): Config => {
  const flightDeadline = Math.max(config.limits.flightDeadline, timeout);
  return { ...config, limits: { ...config.limits, flightDeadline } };
};

/** The registries that may be reached over plain HTTP: those of the images, never a token realm or redirect elsewhere. */
const findPlainHttpHosts = (flags: Flags, images: () => readonly string[]): readonly string[] =>
  flags.has('allow-http-registry')
    ? images()
        .map(parseImageReference)
        .flatMap((parsed) => (parsed.ok ? [parsed.reference.repository.registry] : []))
    : [];

/** Throws `UsageError` if a directory of `--evidence` is none, or no image layout. */
const checkEvidence = async (flags: Flags): Promise<void> => {
  for (const directory of flags.list('evidence')) {
    const problem = await layoutProblem(directory);
    if (problem !== undefined) throw new UsageError(`--evidence ${directory}: ${problem}`);
  }
};

/** Throws `UsageError` if `--key` names a URL that `--offline` forbids to fetch. */
const checkOfflineKeys = (flags: Flags): void => {
  const url = flags.has('offline') ? flags.list('key').find((key) => /^https:/i.test(key)) : undefined;
  if (url !== undefined)
    throw new UsageError(`--key ${url} is not fetched with --offline: download it, and name the file`);
};

/** The configuration with no key that is fetched. Such keys stay missing: an unknown signer may be one of them. */
const withoutFetching = (config: Config): Config => ({
  ...config,
  keys: config.keys.map((key) =>
    key.location.kind === 'url' ? { ...key, location: { ...key.location, offline: true } } : key,
  ),
});

/**
 * The configuration of a command: the file of `--config`, with the flags over it. `images` are the images to verify;
 * `directories` are image layouts to verify offline; `signatureRepository` holds the signatures of all images. Rejects with
 * `UsageError` or `ConfigError`.
 */
export const readConfig = async (
  flags: Flags,
  io: Io,
  {
    images = () => [],
    directories = [],
    signatureRepository,
  }: {
    readonly images?: () => readonly string[];
    readonly directories?: readonly string[];
    readonly signatureRepository?: string | undefined;
  } = {},
): Promise<Config> => {
  const timeout = parseTimeout(flags);
  const plainHttpHosts = findPlainHttpHosts(flags, images);
  const config = await loadConfig({ path: flags.text('config'), readFile });
  await checkEvidence(flags);
  checkOfflineKeys(flags);
  const overrides = {
    keys: flags.list('key'),
    caFile: flags.text('ca-file'),
    ...(await findCredentials(flags, io)),
    plainHttpHosts,
    evidence: [...directories, ...flags.list('evidence')],
    offline: flags.has('offline') || directories.length > 0,
    transparencyLog: parseTransparencyLog(flags),
    trustedRoot: flags.text('trusted-root'),
    signatureRepository,
  };
  const withAll = withTimeout(await withFlags(config, overrides, readFile), timeout);
  return flags.has('offline') ? withoutFetching(withAll) : withAll;
};
