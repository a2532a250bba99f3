export { formatAddress, parseAddress } from './address.ts';
export type {
  Address,
  CertificateSettings,
  Config,
  KubernetesSettings,
  ServerSettings,
} from './config.ts';
export { defaultConfig } from './default-config.ts';
export { describeConfig } from './describe-config.ts';
export { type FlagOverrides, withFlags } from './flag-overrides.ts';
export type { Limit } from './limit.ts';
export { defaultLimits, type LimitName, type Limits, limitTable } from './limits.ts';
export { loadConfig, parseConfig } from './load-config.ts';
export { parseYaml } from './parse-yaml.ts';
export { ConfigError, type Problem } from './problem.ts';
export { formatQuantity, parseDuration } from './quantity.ts';
export type { ReadFile } from './readers/read-context.ts';
export { configurationSchema } from './schema/configuration-schema.ts';
export { type EndingExemption, endingExemptions, warningsOf } from './warnings.ts';
