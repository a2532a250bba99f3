import { basename, dirname } from 'node:path';
import type { Config } from '../../config/index.ts';
import type { ImageReference, Repository } from '../../image/index.ts';
import type { ReasonCode } from '../../policy/index.ts';
import type { KeyLocation } from '../../verification/index.ts';

/** What a command line and a configuration say that cosign must be told as well. */
export interface CosignSettings {
  readonly keys: Config['keys'];
  readonly registries: Config['registries'];
  readonly transparencyLog: Config['transparencyLog'];
  readonly trustedRoot?: Config['trustedRoot'];
  /** Paths of the flags `--ca-file` and `--registry-config`. */
  readonly caFile: string | undefined;
  readonly registryConfig: string | undefined;
}

/** Where cosign finds a key that is built in here. */
const PUBLISHED: Readonly<Record<string, string>> = {
  'istio-release-1': 'https://istio.io/misc/istio-key.pub',
};

/** Stands for a file that a key of the configuration must be put in first. */
const KEY_FILE = 'KEY.pub';

const nameOf = (place: KeyLocation): string => {
  if (place.kind === 'file') return place.path;
  return place.kind === 'url' ? place.url : place.name;
};

/** A key that is listed twice has both names, `a.pub, b.pub`; the first is enough. */
const findPlace = (source: string, keys: Config['keys']): KeyLocation | undefined =>
  keys.map(({ location: place }) => place).find((place) => `${source}, `.startsWith(`${nameOf(place)}, `));

const keyArgument = (source: string, keys: Config['keys']): string => {
  const place = findPlace(source, keys);
  if (place === undefined || place.kind === 'inline') return KEY_FILE;
  return PUBLISHED[nameOf(place)] ?? nameOf(place);
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
 * The `cosign verify` command that reaches the same verdict with one key, for a shell. Istio's older releases are in no
 * log: where it is ignored cosign must be told. `repository` holds the signatures.
 */
export const cosignCommand = (
  reference: ImageReference,
  repository: Repository,
  keySource: string,
  settings: CosignSettings,
): string => {
  const registry = settings.registries.find(({ host }) => host === reference.repository.registry);
  const caFile = registry?.caFile ?? settings.caFile;
  const rest = [
    registry?.plainHttp === true ? ['--allow-http-registry'] : [],
    caFile === undefined ? [] : ['--registry-cacert', caFile],
    [reference.text],
  ];
  const elsewhere =
    repository.name === reference.repository.name
      ? ''
      : `COSIGN_REPOSITORY=${quoteArgument(repository.name)} `;
  return `${elsewhere}${environmentOf(settings)}${withKey(keySource, settings, rest.flat())}`;
};

/** The same for an image layout on disk. */
export const cosignLocalCommand = (directory: string, keySource: string, settings: CosignSettings): string =>
  withKey(keySource, settings, ['--local-image', directory]);

const withKey = (keySource: string, settings: CosignSettings, rest: readonly string[]): string => {
  const key = keyArgument(keySource, settings.keys);
  const parts = ['cosign', 'verify', '--key', key, ...logArguments(settings), ...rest];
  const command = parts.map(quoteArgument).join(' ');
  return key === KEY_FILE ? `${command}   (${KEY_FILE}: the key of ${keySource})` : command;
};

/** By reason: where cosign, less strict or knowing less, accepts or may accept what is refused here. */
const LAXER: Partial<Record<ReasonCode, string>> = {
  'component-mismatch':
    'cosign accepts it: it does not compare the component that was signed with the one asked for',
  'signature-invalid':
    'cosign may accept it: it is laxer about the form of signatures (payload type, encoding, media type)',
  'too-many-signatures': 'cosign may accept it: it tries up to 1000 signatures',
  'image-revoked': 'cosign may accept it: it knows no revoked digests',
};

/** Why cosign would, or may, accept what is refused here; undefined: it would not. */
export const cosignDifference = (code: ReasonCode): string | undefined => LAXER[code];
