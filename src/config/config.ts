import type { Places } from '../istio/index.ts';
import type { Rules } from '../policy/index.ts';
import type { RegistryDefaults, RegistrySettings } from '../registry/index.ts';
import type { KeySpec, TrustedLogs } from '../verification/index.ts';
import type { Limits } from './limits.ts';

/** An address that a listener binds; port 0 is any free port. */
export interface Address {
  /** A host name or IP address, IPv6 without brackets. Empty: every address of the node, IPv4 alone if it has no IPv6. */
  readonly host: string;
  readonly port: number;
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const logFormats = ['json', 'text'] as const;

export interface ServerSettings {
  readonly listen: Address;
  /** Serves probes and metrics over plain HTTP. */
  readonly probes: Address;
  /** Paths of PEM files. */
  readonly certificate: { readonly cert: string; readonly key: string };
  readonly log: {
    readonly level: (typeof logLevels)[number];
    readonly format: (typeof logFormats)[number];
  };
}

/** Certificates that the webhook issues to itself. Times are in milliseconds. */
export interface CertificateSettings {
  /** A Secret in the webhook's own namespace. */
  readonly secret: string;
  /** The ValidatingWebhookConfiguration whose `caBundle` is updated. */
  readonly webhookConfiguration: string;
  /** The MutatingWebhookConfiguration whose `caBundle` is updated, while there is one; undefined: none. */
  readonly mutatingWebhookConfiguration?: string;
  /** Subject alternative names: host names and IP addresses. */
  readonly dnsNames: readonly string[];
  readonly caLifetime: number;
  /** Lifetime of the serving certificate. */
  readonly lifetime: number;
  /**
   * From the time that a new CA is trusted to its first certificate: the longest that an API server may take to learn
   * of it.
   */
  readonly overlap: number;
}

/** The webhook configuration whose entries come into force once a replica is ready. */
export interface ActivationSettings {
  /** The ValidatingWebhookConfiguration. */
  readonly webhookConfiguration: string;
}

/** The ConfigMaps in which replicas share evidence. */
export interface SharedEvidenceSettings {
  /** Holds the table of tags. */
  readonly tags: string;
  /** Hold the evidence of images, each image in one of them. */
  readonly images: readonly string[];
}

/** The webhook's use of the API of the cluster that it runs in. */
export interface KubernetesSettings {
  /** The namespace that the webhook runs in. */
  readonly namespace: string;
  /** Undefined: the certificate is provided by someone else. */
  readonly certificates?: CertificateSettings;
  /** Undefined: the entries of the webhook configuration are in force as they were created. */
  readonly activation?: ActivationSettings;
  /** Undefined: evidence is not shared in the cluster. */
  readonly evidence?: SharedEvidenceSettings;
  /** The ConfigMap whose counts of the last scan become metrics; undefined: there are none. */
  readonly scanResult?: string;
  readonly events: boolean;
  /** Milliseconds that verifying the images of running pods may delay the first readiness; 0: no warm-up. */
  readonly warmUp: number;
}

/** Directories that hold evidence. */
export interface EvidenceSettings {
  /** Read before any registry, in this order. */
  readonly read: readonly string[];
  /** Verified evidence is stored here, and read like the others; undefined: it is not stored. */
  readonly write?: string;
}

/** Sigstore's `trusted_root.json`. */
export interface TrustedRoot {
  readonly path: string;
  readonly logs: TrustedLogs;
}

/** One configuration, complete and frozen: every default applied, every name in normal form, times in milliseconds. */
export interface Config {
  readonly keys: readonly KeySpec[];
  readonly requirePinnedKeys: boolean;
  readonly places: Places;
  readonly registries: readonly RegistrySettings[];
  /** Defaults for registries without their own. */
  readonly registryDefaults: RegistryDefaults;
  readonly rules: Rules;
  readonly evidence: EvidenceSettings;
  /** Only evidence is read, no registry. Set by the command line only. */
  readonly offline: boolean;
  /** The only repository that signatures are read from, in normal form. Set by the command line only. */
  readonly signatureRepository?: string;
  readonly transparencyLog: 'ignore' | 'require';
  /** The trusted logs if an entry is required; undefined: Sigstore's public ones. */
  readonly trustedRoot?: TrustedRoot;
  /** Where no signature names a component, the configuration of the image proves it, or nothing does. */
  readonly componentProof: 'configuration' | 'none';
  /** Milliseconds that a tag's digest is cached; 0: it is not cached. */
  readonly tagMemory: number;
  readonly limits: Limits;
  readonly server: ServerSettings;
  /** Undefined: the API of the cluster is not used. */
  readonly kubernetes?: KubernetesSettings;
}

/** Freezes a value and everything in it. */
export const deepFreeze = <Value>(value: Value): Value => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value))
    Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
};
