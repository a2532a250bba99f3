import { builtInHubs, releaseKeys } from '../istio/index.ts';
import { type Config, deepFreeze } from './config.ts';
import { defaultLimits } from './limits.ts';
import { parseDuration } from './quantity.ts';

const duration = (text: string): number => parseDuration(text) as number;

/** The configuration without a file, and the default of every key outside `kubernetes`: Istio's keys and hubs, strict rules. */
export const defaultConfig: Config = deepFreeze({
  keys: [...releaseKeys],
  requirePinnedKeys: false,
  places: { hubs: [...builtInHubs], mirrors: [] },
  registries: [],
  registryDefaults: {},
  rules: {
    undetermined: {
      enforce: 'allow-verified-tag',
      critical: 'allow-verified-tag',
      tagOutageWindow: duration('24h'),
    },
    lookAlikes: 'deny',
    unrecognised: 'warn',
    requireDigest: false,
    pin: 'never',
    revoked: [],
    exemptions: [],
  },
  evidence: { read: [] },
  offline: false,
  transparencyLog: 'ignore',
  componentProof: 'configuration',
  tagMemory: duration('10s'),
  limits: defaultLimits,
  server: {
    listen: { host: '', port: 8443 },
    probes: { host: '', port: 8081 },
    certificate: { cert: '/tls/tls.crt', key: '/tls/tls.key' },
    log: { level: 'info', format: 'json' },
  },
});
