import { dump } from 'js-yaml';
import { releaseKeys } from '../istio/index.ts';
import type { RegistrySettings } from '../registry/index.ts';
import type { KeySpec } from '../verification/index.ts';
import { formatAddress } from './address.ts';
import type { Config } from './config.ts';
import { limitTable } from './limits.ts';
import { formatDuration, formatQuantity } from './quantity.ts';
import type { ConfigurationFile } from './schema/configuration-schema.ts';

/**
 * A part of the file with every key that the schema allows in it, at every depth: so a key that is added to the schema
 * does not compile until it is described. A key whose value is undefined is not printed.
 */
type Described<Part> = Part extends readonly (infer Item)[]
  ? readonly Described<Item>[]
  : Part extends object
    ? { readonly [Key in keyof Part]-?: Described<Exclude<Part[Key], undefined>> | undefined }
    : Part;

type DescribedFile = Described<ConfigurationFile>;
type DescribedKey = NonNullable<DescribedFile['keys']>[number];
type DescribedRegistry = NonNullable<DescribedFile['registries']>[number];

/** The query of a URL may be a secret. */
const withoutQuery = (url: string): string => url.replace(/\?.*$/, '?…');

const NO_KEY = {
  istio: undefined,
  file: undefined,
  inline: undefined,
  url: undefined,
  sha256: undefined,
} as const;

/** The release keys are one entry of the file, described at the first of them. */
const describeKey = ({ location, for: names }: KeySpec): readonly DescribedKey[] => {
  const key = { ...NO_KEY, for: names };
  const releaseIndex = releaseKeys.findIndex((releaseKey) => releaseKey.location === location);
  if (releaseIndex !== -1) return releaseIndex === 0 ? [{ ...key, istio: 'release' }] : [];
  if (location.kind === 'file') return [{ ...key, file: location.path }];
  if (location.kind !== 'url') return [{ ...key, inline: location.text }];
  return [{ ...key, url: withoutQuery(location.url), sha256: location.spkiSha256 }];
};

const describeMirror = ({
  mirror,
  of,
  components,
  signatures,
}: Config['places']['mirrors'][number]): NonNullable<DescribedFile['mirrors']>[number] => ({
  mirror,
  of,
  components,
  signatures,
});

const describeCredentials = ({
  dockerConfig,
  providers,
  pullSecrets,
}: RegistrySettings): DescribedRegistry['credentials'] =>
  [dockerConfig, providers, pullSecrets].every((source) => source === undefined)
    ? undefined
    : {
        dockerConfig,
        providers: providers && { config: providers.config, binDir: providers.binDir },
        pullSecrets: pullSecrets?.map(({ namespace, name }) => `${namespace}/${name}`),
      };

const describeRegistry = (registry: RegistrySettings): DescribedRegistry => {
  const { host, endpoint, caFile, tokenRealms, plainHttp: plainHTTP } = registry;
  return { host, endpoint, caFile, tokenRealms, plainHTTP, credentials: describeCredentials(registry) };
};

const describeLimits = ({ limits }: Config): DescribedFile['limits'] =>
  Object.fromEntries(
    limitTable.map(({ name, unit }) => [name, formatQuantity(limits[name], unit)]),
  ) as Record<keyof Config['limits'], string | number>;

const describeKubernetes = ({ kubernetes }: Config): DescribedFile['kubernetes'] => {
  if (kubernetes === undefined) return undefined;
  const { namespace, events, warmUp, certificates, activation, evidence, scanResult } = kubernetes;
  return {
    namespace,
    events,
    warmUp: formatDuration(warmUp),
    certificates: certificates && {
      secret: certificates.secret,
      webhookConfiguration: certificates.webhookConfiguration,
      mutatingWebhookConfiguration: certificates.mutatingWebhookConfiguration,
      dnsNames: certificates.dnsNames,
      caLifetime: formatDuration(certificates.caLifetime),
      lifetime: formatDuration(certificates.lifetime),
      overlap: formatDuration(certificates.overlap),
    },
    activation,
    evidence: evidence && { tags: evidence.tags, images: evidence.images },
    scanResult,
  };
};

const describeServer = ({ server }: Config): DescribedFile['server'] => ({
  listen: formatAddress(server.listen),
  probes: formatAddress(server.probes),
  certificate: server.certificate,
  log: server.log,
});

/**
 * Returns a configuration as the file that would produce it, every default written out. Credentials are files, and
 * only named; queries of key URLs are left out.
 */
export const describeConfig = (config: Config): string => {
  const { rules, places, evidence } = config;
  const { enforce, critical, tagOutageWindow } = rules.undetermined;
  const file: DescribedFile = {
    apiVersion: 'sailmark.dev/v1alpha1',
    kind: 'Configuration',
    keys: config.keys.flatMap(describeKey),
    requirePinnedKeys: config.requirePinnedKeys,
    hubs: places.hubs,
    replaceHubs: true,
    mirrors: places.mirrors.map(describeMirror),
    registries: config.registries.map(describeRegistry),
    registryDefaults: { caFile: config.registryDefaults.caFile },
    transparencyLog: config.transparencyLog,
    trustedRoot: config.trustedRoot?.path,
    componentProof: config.componentProof,
    undetermined: { enforce, critical, tagOutageWindow: formatDuration(tagOutageWindow) },
    lookAlikes: rules.lookAlikes,
    unrecognised: rules.unrecognised,
    requireDigest: rules.requireDigest,
    pin: rules.pin,
    revoked: rules.revoked,
    exemptions: rules.exemptions,
    evidence: { read: evidence.read, write: evidence.write },
    tagMemory: formatDuration(config.tagMemory),
    limits: describeLimits(config),
    server: describeServer(config),
    kubernetes: describeKubernetes(config),
  };
  return dump(file, { noRefs: true, lineWidth: -1 });
};
