export type { CredentialProvider, CredentialProviders } from './credentials/credential-provider.ts';
export { dockerConfigProblem } from './credentials/docker-config-file.ts';
export { parseGoDuration } from './credentials/go-duration.ts';
export type { PullSecretName, PullSecrets } from './credentials/pull-secrets.ts';
export type { FetchDocument } from './fetch-document.ts';
export type { Caller, HttpRequest, HttpResponse } from './http/http-message.ts';
export type { CreateTransport, Transport, TransportOptions } from './http/transport.ts';
export { imageEntry, signatureEntry, startEntry } from './layout/evidence-entry.ts';
export { type Layout, openLayout } from './layout/layout.ts';
export type { LayoutImage } from './layout/layout-images.ts';
export {
  checkIsLayout,
  createLayoutWriter,
  type EvidenceEntry,
  type LayoutWriter,
} from './layout/layout-writer.ts';
export {
  createTagRows,
  datedResolution,
  laterResolution,
  type TagResolution,
  UNKNOWN_TIME,
} from './layout/tag-rows.ts';
export { createTagTable, type TagTable } from './layout/tag-table.ts';
export { parseProxy } from './proxy/parse-proxy.ts';
export { createProxyFor, type Proxy } from './proxy/proxy.ts';
export { childrenOf } from './referrers/parse-referrers.ts';
export {
  createRegistries,
  type Registries,
  type RegistriesOptions,
} from './registries.ts';
export type { RegistryState } from './registry.ts';
export type { RegistryDefaults, RegistryLimits, RegistrySettings } from './settings.ts';
export { follow } from './shared-evidence/follow.ts';
export {
  createSharedEvidence,
  type SharedEvidence,
  type SharedObjects,
} from './shared-evidence/shared-evidence.ts';
export type { SharedEvidenceState } from './shared-evidence/shared-evidence-state.ts';
export type {
  SharedChanges,
  SharedContent,
  SharedObject,
} from './shared-evidence/shared-object.ts';
export {
  createSourceCaller,
  type FaultCode,
  type FaultRemedy,
  isTimeout,
  type Manifest,
  type OpenSource,
  OversizedBody,
  type Referrer,
  type Referrers,
  type Source,
  type SourceCaller,
  SourceFault,
  unlessOversized,
} from './source.ts';
export { certificatesProblem } from './tls/certificates.ts';
