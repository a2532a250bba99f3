import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Core, compose } from '../compose.ts';
import { type Config, loadConfig, parseDuration, withFlags } from '../config/index.ts';
import { parseImageReference } from '../image/index.ts';
import { createLog, createReport } from '../observability/index.ts';
import type { KeyEvent } from '../verification/index.ts';
import { type Flag, type Flags, type Io, UsageError } from './command.ts';
import { readFile } from './read-file.ts';

/** Flags of every command that verifies. */
export const coreFlags: readonly Flag[] = [
  {
    name: 'key',
    value: 'FILE|URL[#sha256=HEX]',
    repeatable: true,
    help: "a public key that may sign: PEM, JWK or JWKS; an https URL may carry the SHA-256 of the key's SubjectPublicKeyInfo as its pin. Replaces the configuration's keys; default: Istio's release keys",
  },
  { name: 'config', value: 'FILE', help: "a configuration, as the webhook's; flags count over it" },
  { name: 'ca-file', value: 'FILE', help: "PEM certificates to trust for registries, beside the system's" },
  {
    name: 'registry-config',
    value: 'FILE',
    help: 'registry credentials, a docker config.json; default: $DOCKER_CONFIG/config.json or ~/.docker/config.json, where it is there',
  },
  { name: 'allow-http-registry', help: 'plain HTTP for the hosts of the images named' },
  { name: 'timeout', value: 'DURATION', help: 'time for each image (default 30s)' },
];

/** Milliseconds. Throws `UsageError`. */
export const timeoutOf = (flags: Flags): number => {
  const text = flags.text('timeout') ?? '30s';
  const timeout = parseDuration(text);
  if (timeout === undefined || timeout === 0)
    throw new UsageError(`--timeout must be a duration such as 30s or 2m, and is ${JSON.stringify(text)}`);
  return timeout;
};

/** Where docker and cosign keep credentials, if anything is there. */
const defaultDockerConfig = async ({ env }: Io): Promise<string | undefined> => {
  const directory = env['DOCKER_CONFIG'] ?? join(env['HOME'] ?? homedir(), '.docker');
  const path = join(directory, 'config.json');
  return access(path).then(
    () => path,
    () => undefined,
  );
};

/** The hosts of the images named, where plain HTTP is allowed to them; never a realm or redirect elsewhere. */
const plainHttpHostsOf = (flags: Flags, images: readonly string[]): readonly string[] =>
  flags.has('allow-http-registry')
    ? images.map(parseImageReference).flatMap((parsed) => (parsed.ok ? [parsed.reference.registry] : []))
    : [];

/** The configuration that the flags of a command come to, for these images. Rejects with `ConfigError`. */
export const configOf = async (flags: Flags, io: Io, images: readonly string[] = []): Promise<Config> => {
  const plainHttpHosts = plainHttpHostsOf(flags, images);
  const config = await loadConfig({ path: flags.text('config'), readFile });
  const dockerConfig = flags.text('registry-config') ?? (await defaultDockerConfig(io));
  return withFlags(
    config,
    { keys: flags.list('key'), caFile: flags.text('ca-file'), dockerConfig, plainHttpHosts },
    readFile,
  );
};

const warnOfKeys = (core: Core, { keys }: Config, io: Io): void => {
  for (const { source, problem } of core.ring().missing)
    io.stderr.write(`Warning: the key of ${source} is missing: it ${problem}\n`);
  const unpinned = new Map(
    keys.flatMap(({ place }) =>
      place.kind === 'url' && place.spkiSha256 === undefined ? [[place.url, place]] : [],
    ),
  );
  for (const { source, spkiSha256 } of core.ring().keys.values())
    if (unpinned.has(source))
      io.stderr.write(
        `Note: ${source} is not pinned: whatever it serves is trusted. To pin it: ${source}#sha256=${spkiSha256}\n`,
      );
};

/** Does `work` with a core whose keys are loaded, and closes it. Tells what is wrong with the keys on standard error. */
export const withCore = async <T>(config: Config, io: Io, work: (core: Core) => Promise<T>): Promise<T> => {
  const log = createLog({
    level: 'error',
    format: 'text',
    to: { write: (line) => void io.stderr.write(line) },
  });
  const onKeyEvent = ({ code, source, detail }: KeyEvent): void => {
    if (code === 'key-url-changed' || code === 'key-file-invalid')
      io.stderr.write(`Warning: ${code}: ${source}: ${detail}\n`);
  };
  const core = compose(config, { report: createReport(log), onKeyEvent, now: Date.now });
  try {
    await core.load();
    warnOfKeys(core, config, io);
    return await work(core);
  } finally {
    await core.close();
  }
};
