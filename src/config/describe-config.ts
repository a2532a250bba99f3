import { dump } from 'js-yaml';
import { releaseKeys } from '../istio/index.ts';
import type { KeySpec } from '../verification/index.ts';
import { formatAddress } from './address.ts';
import type { Config, ConfiguredRegistry } from './config.ts';
import { limitTable } from './limits.ts';
import { formatDuration, formatQuantity } from './quantity.ts';

/** What stands in the query of a URL may be a secret. */
const withoutQuery = (url: string): string => url.replace(/\?.*$/, '?…');

const describeKey = ({ location: place, for: names }: KeySpec): readonly object[] => {
  const limited = names === undefined ? {} : { for: names };
  const released = releaseKeys.findIndex((one) => one.location === place);
  if (released !== -1) return released === 0 ? [{ istio: 'release', ...limited }] : [];
  if (place.kind === 'file') return [{ file: place.path, ...limited }];
  if (place.kind !== 'url') return [{ inline: place.text, ...limited }];
  const pin = place.spkiSha256 === undefined ? {} : { sha256: place.spkiSha256 };
  return [{ url: withoutQuery(place.url), ...pin, ...limited }];
};

const describeCredentials = ({ dockerConfig, providers, pullSecrets }: ConfiguredRegistry): object => ({
  ...(dockerConfig === undefined ? {} : { dockerConfig }),
  ...(providers === undefined ? {} : { providers: { config: providers.config, binDir: providers.binDir } }),
  ...(pullSecrets === undefined
    ? {}
    : { pullSecrets: pullSecrets.map(({ namespace, name }) => `${namespace}/${name}`) }),
});

const describeRegistry = (registry: ConfiguredRegistry): object => {
  const { host, endpoint, caFile, tokenRealms, plainHttp } = registry;
  const credentials = describeCredentials(registry);
  return {
    host,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(caFile === undefined ? {} : { caFile }),
    ...(tokenRealms === undefined ? {} : { tokenRealms }),
    ...(plainHttp === undefined ? {} : { plainHTTP: plainHttp }),
    ...(Object.keys(credentials).length === 0 ? {} : { credentials }),
  };
};

const describeLimits = ({ limits }: Config): object =>
  Object.fromEntries(limitTable.map(({ name, unit }) => [name, formatQuantity(limits[name], unit)]));

const describeKubernetes = ({ kubernetes }: Config): object => {
  if (kubernetes === undefined) return {};
  const { certificates, warmUp, ...rest } = kubernetes;
  if (certificates === undefined) return { kubernetes: { ...rest, warmUp: formatDuration(warmUp) } };
  const { caLifetime, lifetime, overlap, ...names } = certificates;
  const times = {
    caLifetime: formatDuration(caLifetime),
    lifetime: formatDuration(lifetime),
    overlap: formatDuration(overlap),
  };
  return { kubernetes: { ...rest, warmUp: formatDuration(warmUp), certificates: { ...names, ...times } } };
};

const describeServer = ({ server }: Config): object => ({
  ...server,
  listen: formatAddress(server.listen),
  probes: formatAddress(server.probes),
});

/**
 * The whole of a configuration as the file that would make it, every default written out. Credentials are files, and
 * named only; queries of key URLs are left out.
 */
export const describeConfig = (config: Config): string => {
  const { rules, places } = config;
  const { tagOutageWindow, ...choices } = rules.undetermined;
  const file = {
    apiVersion: 'sailmark.dev/v1alpha1',
    kind: 'Configuration',
    keys: config.keys.flatMap(describeKey),
    requirePinnedKeys: config.requirePinnedKeys,
    hubs: places.hubs,
    replaceHubs: true,
    mirrors: places.mirrors,
    registries: config.registries.map(describeRegistry),
    transparencyLog: config.transparencyLog,
    ...(config.trustedRoot === undefined ? {} : { trustedRoot: config.trustedRoot.path }),
    undetermined: { ...choices, tagOutageWindow: formatDuration(tagOutageWindow) },
    lookAlikes: rules.lookAlikes,
    unrecognised: rules.unrecognised,
    requireDigest: rules.requireDigest,
    revoked: rules.revoked,
    exemptions: rules.exemptions,
    evidence: config.evidence,
    tagMemory: formatDuration(config.tagMemory),
    limits: describeLimits(config),
    server: describeServer(config),
    ...describeKubernetes(config),
  };
  return dump(file, { noRefs: true, lineWidth: -1 });
};
