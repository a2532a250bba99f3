import { basename, dirname } from 'node:path';
import type { Config } from '../../config/index.ts';
import type { ImageReference, Repository } from '../../image/index.ts';
import type { ReasonCode } from '../../policy/index.ts';
import type { KeyLocation } from '../../verification/index.ts';

/** The settings of the command line and the configuration that cosign needs as well. */
export interface CosignSettings {
  readonly keys: Config['keys'];
  readonly registries: Config['registries'];
  readonly transparencyLog: Config['transparencyLog'];
  readonly trustedRoot?: Config['trustedRoot'];
  readonly signatureRepository?: Config['signatureRepository'];
  /** The path of the authorities of all registries. */
  readonly caFile: string | undefined;
  /** The path of the flag `--registry-config`. */
  readonly registryConfig: string | undefined;
}

/** The URLs of the built-in keys, from which cosign can fetch them. */
const PUBLISHED_KEYS: Readonly<Record<string, string>> = {
  'istio-release-1': 'https://istio.io/misc/istio-key.pub',
};

/** The placeholder of a file into which the user must copy an inline key of the configuration. */
const KEY_FILE = 'KEY.pub';

const nameOf = (location: KeyLocation): string => {
  if (location.kind === 'file') return location.path;
  return location.kind === 'url' ? location.url : location.name;
};

/** The location of a key by its source. A key that is listed twice has both names, `a.pub, b.pub`: the first is used. */
const findLocation = (source: string, keys: Config['keys']): KeyLocation | undefined =>
  keys.map(({ location }) => location).find((location) => `${source}, `.startsWith(`${nameOf(location)}, `));

const keyArgument = (source: string, keys: Config['keys']): string => {
  const location = findLocation(source, keys);
  if (location === undefined || location.kind === 'inline') return KEY_FILE;
  return PUBLISHED_KEYS[nameOf(location)] ?? nameOf(location);
};

const quoteArgument = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** cosign reads credentials where docker does, from `config.json` in the directory that `DOCKER_CONFIG` names. */
const environmentOf = ({ registryConfig }: CosignSettings): string =>
  registryConfig !== undefined && basename(registryConfig) === 'config.json'
    ? `DOCKER_CONFIG=${quoteArgument(dirname(registryConfig))} `
    : '';

const logArguments = ({ transparencyLog, trustedRoot }: CosignSettings): readonly string[] => {
  if (transparencyLog === 'ignore') return ['--insecure-ignore-tlog'];
  return trustedRoot === undefined ? [] : ['--trusted-root', trustedRoot.path];
};

/**
 * Returns the `cosign verify` command, for a shell, that reaches the same verdict with one key. Istio's older releases
 * are in no transparency log, so if the log is ignored here, cosign gets a flag to ignore it. `repository` holds the
 * signatures.
 */
export const cosignCommand = (
  reference: ImageReference,
  repository: Repository,
  keySource: string,
  settings: CosignSettings,
): string => {
  const registry = settings.registries.find(({ host }) => host === reference.repository.registry);
  const caFile = registry?.caFile ?? settings.caFile;
  const target = [
    registry?.plainHttp === true ? ['--allow-http-registry'] : [],
    caFile === undefined ? [] : ['--registry-cacert', caFile],
    [reference.text],
  ];
  const signatureRepository =
    repository.name === reference.repository.name
      ? ''
      : `COSIGN_REPOSITORY=${quoteArgument(repository.name)} `;
  return `${signatureRepository}${environmentOf(settings)}${withKey(keySource, settings, target.flat())}`;
};

/** Returns the `cosign verify` command for an image layout on disk. */
export const cosignLocalCommand = (directory: string, keySource: string, settings: CosignSettings): string =>
  withKey(keySource, settings, ['--local-image', directory]);

const withKey = (keySource: string, settings: CosignSettings, target: readonly string[]): string => {
  const key = keyArgument(keySource, settings.keys);
  const parts = ['cosign', 'verify', '--key', key, ...logArguments(settings), ...target];
  const command = parts.map(quoteArgument).join(' ');
  return key === KEY_FILE ? `${command}   (${KEY_FILE}: the key of ${keySource})` : command;
};

/** The reasons for which cosign accepts, or may accept, an image that is refused here. */
const DIFFERENCES: Partial<Record<ReasonCode, string>> = {
  'component-mismatch':
    'cosign accepts this image: it does not compare the component of an image with the requested one',
  'signature-invalid':
    'cosign may accept this image: it is less strict about the form of signatures (payload type, encoding, media type)',
  'too-many-signatures': 'cosign may accept this image: it tries up to 1000 signatures',
  'image-revoked': 'cosign may accept this image: it has no list of revoked digests',
};

/** Explains why cosign accepts, or may accept, an image that is refused here; undefined if cosign refuses it too. */
export const cosignDifference = (code: ReasonCode): string | undefined => DIFFERENCES[code];
