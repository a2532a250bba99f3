import type { Places } from '../istio/index.ts';
import type { Rules } from '../policy/index.ts';
import type { RegistrySettings } from '../registry/index.ts';
import type { KeySpec, TrustedLogs } from '../verification/index.ts';
import type { Limits } from './limits.ts';

/** Where a listener binds; port 0 is any free one. */
export interface Address {
  /** A name or address, an IPv6 one without its brackets. */
  readonly host: string;
  readonly port: number;
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const logFormats = ['json', 'text'] as const;

export interface ServerSettings {
  readonly listen: Address;
  /** Probes and metrics, plain HTTP. */
  readonly probes: Address;
  /** Paths of PEM files. */
  readonly certificate: { readonly cert: string; readonly key: string };
  readonly log: {
    readonly level: (typeof logLevels)[number];
    readonly format: (typeof logFormats)[number];
  };
}

/** Certificates that the webhook issues to itself. Milliseconds. */
export interface CertificateSettings {
  /** A Secret in the webhook's own namespace. */
  readonly secret: string;
  /** The ValidatingWebhookConfiguration whose `caBundle` follows. */
  readonly webhookConfiguration: string;
  /** Subject alternative names: host names and IP addresses. */
  readonly dnsNames: readonly string[];
  readonly caLifetime: number;
  /** Of the serving certificate. */
  readonly lifetime: number;
  /** From a new CA being trusted to the first certificate it issues: as long as an API server may take to hear of it. */
  readonly overlap: number;
}

/** What is asked of the API of the cluster that the webhook runs in. */
export interface KubernetesSettings {
  /** The namespace that the webhook runs in. */
  readonly namespace: string;
  /** Undefined: somebody else brings the certificate. */
  readonly certificates?: CertificateSettings;
  readonly events: boolean;
  /** Milliseconds that looking at the images that run already may hold up the first readiness; 0: not at all. */
  readonly warmUp: number;
}

/** Directories that hold evidence. */
export interface EvidenceSettings {
  /** Asked before any registry, in this order. */
  readonly read: readonly string[];
  /** What was verified is kept here, and asked for like the others; undefined: nowhere. */
  readonly write?: string;
}

/** A file of Sigstore's, `trusted_root.json`. */
export interface TrustedRoot {
  readonly path: string;
  readonly logs: TrustedLogs;
}

/** A registry's settings, with the path that `ca` was read from. */
export interface ConfiguredRegistry extends RegistrySettings {
  readonly caFile?: string;
}

/** One configuration, complete and frozen: every default applied, every name in normal form, times in milliseconds. */
export interface Config {
  readonly keys: readonly KeySpec[];
  readonly requirePinnedKeys: boolean;
  readonly places: Places;
  readonly registries: readonly ConfiguredRegistry[];
  /** For every registry whose own settings say nothing else: PEM certificates, the path of a docker config.json. */
  readonly registryDefaults: { readonly ca?: string; readonly dockerConfig?: string };
  readonly rules: Rules;
  readonly evidence: EvidenceSettings;
  /** Only evidence is asked, no registry; the command line's word alone. */
  readonly offline: boolean;
  readonly transparencyLog: 'ignore' | 'require';
  /** The logs that count where it is required; undefined: Sigstore's public ones. */
  readonly trustedRoot?: TrustedRoot;
  /** Milliseconds that a tag's digest is remembered; 0: not at all. */
  readonly tagMemory: number;
  readonly limits: Limits;
  readonly server: ServerSettings;
  /** Undefined: the API of the cluster is never asked. */
  readonly kubernetes?: KubernetesSettings;
}

/** Freezes a value and everything in it. */
export const deepFreeze = <Value>(value: Value): Value => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value))
    Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
};
