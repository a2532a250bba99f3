export {
  createRegistries,
  type FetchDocument,
  type Registries,
  type RegistriesOptions,
} from './registries.ts';
export type { RegistryLimits, RegistrySettings } from './settings.ts';
export {
  type FaultCode,
  type Manifest,
  type OpenSource,
  type Referrer,
  type Referrers,
  type Source,
  SourceFault,
} from './source.ts';
