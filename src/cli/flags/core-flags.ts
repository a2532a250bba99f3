import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { HOUR_MS } from '../../base/index.ts';
import { type Config, loadConfig, parseDuration, withFlags } from '../../config/index.ts';
import { parseImageReference } from '../../image/index.ts';
import { type Flag, type Flags, type Io, UsageError } from '../command-line/command.ts';
import { readFile } from '../shared/input.ts';

/** Flags of every command that has a key ring. */
export const keyFlags: readonly Flag[] = [
  {
    name: 'key',
    value: 'FILE|URL[#sha256=HEX]',
    repeatable: true,
    help: "a public key that may sign: PEM, JWK or JWKS; an https URL may carry the SHA-256 of the key's SubjectPublicKeyInfo as its pin. Replaces the configuration's keys; default: Istio's release keys",
  },
  { name: 'config', value: 'FILE', help: "a configuration, as the webhook's; flags count over it" },
  {
    name: 'ca-file',
    value: 'FILE',
    help: "PEM certificates to trust for registries and key URLs, beside the system's",
  },
];

const LOG_CHOICES = ['ignore', 'require'] as const;

/** Flags of every command that verifies. */
export const coreFlags: readonly Flag[] = [
  ...keyFlags,
  {
    name: 'registry-config',
    value: 'FILE',
    help: 'registry credentials, a docker config.json; default: $DOCKER_CONFIG/config.json or ~/.docker/config.json, where it is there',
  },
  { name: 'allow-http-registry', help: 'plain HTTP for the hosts of the images named' },
  {
    name: 'evidence',
    value: 'DIR',
    repeatable: true,
    help: 'an OCI image layout with signatures, asked before any registry (`evidence pull` makes one)',
  },
  {
    name: 'offline',
    help: 'ask evidence alone, and let it say what a tag stands for, which it cannot prove',
  },
  {
    name: 'transparency-log',
    value: LOG_CHOICES.join('|'),
    help: 'whether a pinned transparency log must prove each signature (default ignore: Istio 1.12 to 1.17 is in none)',
  },
  { name: 'insecure-ignore-tlog', help: 'ignore, as cosign spells it' },
  {
    name: 'trusted-root',
    value: 'FILE',
    help: "the logs to trust, a Sigstore trusted_root.json; default: Sigstore's public ones",
  },
];

/** What the flags say of the transparency log; undefined: nothing. Throws `UsageError`. */
const logOf = (flags: Flags): Config['transparencyLog'] | undefined => {
  const given = flags.text('transparency-log');
  const ignored = flags.has('insecure-ignore-tlog');
  if (given === undefined) return ignored ? 'ignore' : undefined;
  const log = LOG_CHOICES.find((choice) => choice === given);
  if (log === undefined)
    throw new UsageError(
      `--transparency-log must be one of ${LOG_CHOICES.join(', ')}, and is ${JSON.stringify(given)}`,
    );
  if (log === 'require' && ignored)
    throw new UsageError('--transparency-log require and --insecure-ignore-tlog contradict each other');
  return log;
};

const DEFAULT_TIMEOUT = '30s';

/** A timer takes no longer time than some 24 days. */
const LONGEST_TIMEOUT = 24 * HOUR_MS;

/** `--timeout`, said of what it is the time for. */
export const timeoutFlag = (each: string): Flag => ({
  name: 'timeout',
  value: 'DURATION',
  help: `time for each ${each} (default ${DEFAULT_TIMEOUT})`,
});

/** Milliseconds. Throws `UsageError`. */
export const parseTimeout = (flags: Flags): number => {
  const text = flags.text('timeout') ?? DEFAULT_TIMEOUT;
  const timeout = parseDuration(text);
  if (timeout === undefined || timeout === 0 || timeout > LONGEST_TIMEOUT)
    throw new UsageError(
      `--timeout must be a duration such as 30s or 2m, at most 24h, and is ${JSON.stringify(text)}`,
    );
  return timeout;
};

/** Where docker and cosign keep credentials, if anything is there. */
const defaultDockerConfig = async ({ env }: Io): Promise<string | undefined> => {
  const directory = env['DOCKER_CONFIG'] || join(env['HOME'] ?? homedir(), '.docker');
  const path = join(directory, 'config.json');
  return access(path).then(
    () => path,
    () => undefined,
  );
};

/** A person who waits longer for an image waits longer for what images share. */
const withTimeout = (config: Config, timeout: number): Config => {
  const flightDeadline = Math.max(config.limits.flightDeadline, timeout);
  return { ...config, limits: { ...config.limits, flightDeadline } };
};

/** The hosts of the images named, where plain HTTP is allowed to them; never a realm or redirect elsewhere. */
const plainHttpHostsOf = (flags: Flags, images: () => readonly string[]): readonly string[] =>
  flags.has('allow-http-registry')
    ? images()
        .map(parseImageReference)
        .flatMap((parsed) => (parsed.ok ? [parsed.reference.repository.registry] : []))
    : [];

/**
 * The configuration that the flags of a command come to, for these images, or for images that lie in these directories.
 * Rejects with `UsageError` or `ConfigError`.
 */
export const readConfig = async (
  flags: Flags,
  io: Io,
  {
    images = () => [],
    directories = [],
  }: { readonly images?: () => readonly string[]; readonly directories?: readonly string[] } = {},
): Promise<Config> => {
  const timeout = parseTimeout(flags);
  const plainHttpHosts = plainHttpHostsOf(flags, images);
  const config = await loadConfig({ path: flags.text('config'), readFile });
  const dockerConfig = flags.text('registry-config') ?? (await defaultDockerConfig(io));
  const given = {
    keys: flags.list('key'),
    caFile: flags.text('ca-file'),
    dockerConfig,
    plainHttpHosts,
    evidence: [...directories, ...flags.list('evidence')],
    offline: flags.has('offline') || directories.length > 0,
    transparencyLog: logOf(flags),
    trustedRoot: flags.text('trusted-root'),
  };
  return withTimeout(await withFlags(config, given, readFile), timeout);
};
