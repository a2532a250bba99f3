import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../base/index.ts';
import type { FlagOverrides } from '../../config/index.ts';
import { dockerConfigProblem } from '../../registry/index.ts';
import { CommandError, type Flags, type Io } from '../command-line/command.ts';
import { homeOf } from './home.ts';

/** Throws `CommandError` if the path of `--registry-config` names no file: the user would be anonymous without knowing it. */
const checkFlag = async (path: string): Promise<void> => {
  const found = await stat(path).catch((error: unknown) => {
    throw new CommandError(`--registry-config ${path} cannot be read: ${messageOf(error)}`);
  });
  if (found.isDirectory())
    throw new CommandError(`--registry-config ${path} is a directory: name the file in it`);
};

/** A directory in place of a file, as a container engine makes for a mount without a source, is no file. */
const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => !found.isDirectory(),
    () => false,
  );

/**
 * The file of the user's credentials, in the order of cosign's keychain (go-containerregistry, pkg/authn/keychain.go):
 * Docker's file, and podman's only if there is none of Docker's. `$DOCKER_CONFIG` replaces `~/.docker`, even if the file is
 * in `~/.docker` alone.
 */
const findDockerConfig = async ({ env }: Io): Promise<string | undefined> => {
  const home = join(homeOf({ env }), '.docker', 'config.json');
  const named = env['DOCKER_CONFIG'] ? join(env['DOCKER_CONFIG'], 'config.json') : home;
  if (await isFile(named)) return named;
  if (await isFile(home)) return undefined;
  const { REGISTRY_AUTH_FILE: file, XDG_RUNTIME_DIR: runtime } = env;
  const ofPodman = [...(file ? [file] : []), ...(runtime ? [join(runtime, 'containers', 'auth.json')] : [])];
  for (const path of ofPodman) if (await isFile(path)) return path;
  return undefined;
};

/** `$DOCKER_AUTH_CONFIG`; one that cannot be read is passed over with a warning, as Docker does. */
const readDockerAuthConfig = ({ env, stderr }: Io): string | undefined => {
  const text = env['DOCKER_AUTH_CONFIG'];
  const problem = text === undefined ? undefined : dockerConfigProblem(text);
  if (problem === undefined) return text;
  stderr.write(`Warning: DOCKER_AUTH_CONFIG is not a docker config.json, and not used: ${problem}\n`);
  return undefined;
};

/** The user's registry credentials: the file of `--registry-config` alone, or else what the environment names. Throws `CommandError`. */
export const findCredentials = async (
  flags: Flags,
  io: Io,
): Promise<Pick<FlagOverrides, 'dockerConfig' | 'dockerAuthConfig'>> => {
  const dockerConfig = flags.text('registry-config');
  if (dockerConfig !== undefined) {
    await checkFlag(dockerConfig);
    return { dockerConfig };
  }
  return { dockerConfig: await findDockerConfig(io), dockerAuthConfig: readDockerAuthConfig(io) };
};
