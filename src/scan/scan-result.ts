import type { Effect, Mode, ReasonCode } from '../policy/index.ts';

/*
 * The result of a scan, as `scan --output json` prints it: schema `sailmark.dev/scan/v1`. Every report (text, HTML, SARIF,
 * JUnit, Reports, metrics) is made from it alone. Text in it comes from the cluster and its registries, and is not trusted.
 * An unknown member is null; none is left out.
 */

/** The name of the schema, a member of the document. */
export const SCAN_SCHEMA = 'sailmark.dev/scan/v1';

/** The answer for an image, an owner or a configured image, the most serious first. */
export type ScanStatus =
  /** Admission would deny it in its namespace's mode, for a reason that was determined. */
  | 'refused'
  /**
   * Could not be determined: a registry, a deadline, the key ring. Admission denies it too, unless an outage rule or the mode
   * of its namespace lets it start: `effect`, `refusedPods` and `summary.denied` tell.
   */
  | 'unknown'
  /** Has a finding that is not denied: a warning, an audit annotation, or in a namespace that no webhook is asked about. */
  | 'reported'
  /** Has a finding that an exemption lifts. */
  | 'exempt'
  /** Signed by a key of the ring. */
  | 'verified';

export interface ScanResult {
  readonly schema: typeof SCAN_SCHEMA;
  /** The version of sailmark. */
  readonly version: string;
  /** RFC 3339, UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** False: it was interrupted, and holds what was known then. */
  readonly complete: boolean;
  readonly cluster: {
    /** The API server's URL; null in a pod of the cluster. */
    readonly server: string | null;
    /** `v1.36.3`. */
    readonly version: string | null;
    /** The context of the kubeconfig. */
    readonly context: string | null;
  };
  readonly policy: ScannedPolicy;
  readonly keys: readonly ScannedKey[];
  readonly summary: ScanSummary;
  /** Every image that is Istio's or could be, the most serious first, then the most used. */
  readonly images: readonly ScannedImage[];
  /** Every owner with a pod or template that has a finding, the most serious first. */
  readonly owners: readonly ScannedOwner[];
  /** The remedies, the one that helps most pods first. */
  readonly remedies: readonly Remedy[];
  /** The images that Istio is configured to inject or install from now on. */
  readonly preflight: readonly ConfiguredImage[];
  /** Containers that run another digest than the one verified now, and those of which it is not known. */
  readonly drift: readonly Drift[];
  /** The Istio versions in use, the oldest first. Of those that Istio's table does not have, a number is listed. */
  readonly versions: readonly VersionUse[];
  readonly notices: readonly Notice[];
  readonly coverage: Coverage;
  readonly cost: {
    readonly apiRequests: number;
    readonly registryRequests: number;
  };
}

/** How namespaces are judged. */
export interface ScannedPolicy {
  /** The mode of namespaces without a label that counts. */
  readonly mode: Mode;
  /** The webhook configuration that says which namespaces are critical or excluded; null: none is installed, and the chart's defaults count. */
  readonly webhook: string | null;
  readonly criticalNamespaces: readonly string[];
  readonly excludedNamespaces: readonly string[];
  readonly pin: 'enforce' | 'always' | 'never';
}

export interface ScannedKey {
  readonly keyId: string;
  /** `istio-release-1`, a file, or a URL. */
  readonly source: string;
  /** Istio releases, `1.12–1.31.0`. */
  readonly covers: string | null;
  /** The problem that kept it from being loaded. */
  readonly problem: string | null;
}

export interface ScanSummary {
  readonly images: Readonly<Record<ScanStatus, number>>;
  readonly pods: Readonly<Record<ScanStatus, number>> & {
    /** Every pod that was read. */
    readonly all: number;
    /** Pods without an image of Istio's. */
    readonly other: number;
  };
  /** Pods that admission would deny now: the refused ones, and the unknown ones that no rule lets start. */
  readonly denied: number;
  /** Owners that would be refused: what a team has to work on. */
  readonly ownersRefused: number;
  readonly namespaces: number;
  /** Images that are not verified, by their reason. */
  readonly reasons: Readonly<Partial<Record<ReasonCode, number>>>;
  /** Containers. */
  readonly drifted: number;
  readonly driftUnknown: number;
  /** Configured images that would be refused, or are unknown. */
  readonly preflightRefused: number;
  readonly preflightUnknown: number;
}

/** A distinct image reference, and where it is used. */
export interface ScannedImage {
  /** As written in the pod; a text of more than 1024 characters without its middle. */
  readonly reference: string;
  /** The most serious use decides. */
  readonly status: ScanStatus;
  /** The hub or mirror, `docker.io/istio`; null if it is on none. */
  readonly hub: string | null;
  readonly component: string | null;
  /** `1.28.1`, without the variant; null if the tag names no release. */
  readonly istioVersion: string | null;
  /** The digest that the reference resolves to. */
  readonly digest: string | null;
  readonly reason: ReasonCode | null;
  /** One line: the denial's own words, or who signed it. */
  readonly message: string;
  readonly signedBy: readonly { readonly keyId: string; readonly source: string }[];
  readonly format: 'simple-signing' | 'sigstore-bundle' | null;
  /** A command line that reproduces the answer, quoted for a shell; empty if the reference cannot be pasted safely. */
  readonly command: string;
  /** Running pods. */
  readonly pods: number;
  readonly uses: readonly ScannedUse[];
  /** Containers of pods and templates that are counted and not listed. */
  readonly omittedUses: number;
}

/** An image in a container of one owner's pods. */
export interface ScannedUse {
  readonly namespace: string;
  /** `Deployment/httpbin`; `Pod/debug` of a pod by itself. */
  readonly owner: string;
  readonly container: string;
  /** `spec.initContainers[0].image`. */
  readonly path: string;
  /** Running pods; 0: only the template names it. */
  readonly pods: number;
  /** The effect that admission would have on the pod because of it, for a template on its pods; null: none. */
  readonly effect: Effect | null;
  readonly reason: ReasonCode | null;
}

/** A controller, or a pod without one, as admission would answer for its pods. */
export interface ScannedOwner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string | null;
  readonly status: ScanStatus;
  readonly mode: Mode;
  readonly critical: boolean;
  /** The number of its pods that have a finding. */
  readonly pods: number;
  /** Their names, as far as they are listed. */
  readonly podNames: readonly string[];
  /** Pods that admission would deny now, as far as they are listed; empty if only the template has a finding. */
  readonly refusedPods: readonly string[];
  /** The denial or the warning, verbatim. */
  readonly message: string;
  /** As far as they are listed; of one object the most serious first. */
  readonly findings: readonly {
    readonly image: string;
    readonly path: string;
    readonly code: ReasonCode;
    /** Null: no webhook is asked in this namespace. */
    readonly effect: Effect | null;
  }[];
}

export type RemedyKind =
  /** Declare a mirror in `config.mirrors`. */
  | 'declare-mirror'
  /** Copy signatures to the mirror. */
  | 'copy-signatures'
  /** Name a digest, or let the webhook pin. */
  | 'pin'
  /** Use a release that is signed. */
  | 'use-signed-release'
  /** Use Istio's own image, or a mirror of it. */
  | 'replace-image'
  /** Add the key that signed it. */
  | 'add-key'
  /** Let the registry be read: credentials, address, rate limit. */
  | 'reach-registry'
  /** Restart the pods, so that they run what is verified. */
  | 'restart-pods'
  /** Exempt it, with an owner and an end. Always the last resort. */
  | 'exempt'
  | 'other';

/** One thing to do, and what it settles. */
export interface Remedy {
  readonly kind: RemedyKind;
  /** One sentence, an instruction: `Declare registry.corp.example/istio as a mirror of docker.io/istio`. */
  readonly title: string;
  /** Commands or YAML to use as they are; empty if there is nothing to type. */
  readonly snippet: string;
  readonly language: 'yaml' | 'shell' | '';
  readonly images: readonly string[];
  readonly owners: readonly string[];
  /** Running pods with a finding that it settles; a pod that needs two remedies counts for both. */
  readonly pods: number;
}

/** An image that Istio is configured to inject or install. */
export interface ConfiguredImage {
  /** `ConfigMap istio-system/istio-sidecar-injector`. */
  readonly source: string;
  /** `data.values.global`. */
  readonly path: string;
  /** Empty: the object does not say, and `message` says why. */
  readonly reference: string;
  readonly status: ScanStatus;
  readonly reason: ReasonCode | null;
  readonly message: string;
  /** Namespaces whose pods get it; null: not known. */
  readonly namespaces: readonly string[] | null;
}

/** Containers with one image that run one digest. */
export interface Drift {
  readonly status: 'drifted' | 'unknown';
  readonly reference: string;
  /** The digest that is verified now; null if it is not verified. */
  readonly verified: string | null;
  /** The status' `imageID` as written. */
  readonly running: string;
  /** One sentence: why it is drift, or why it is not known. */
  readonly message: string;
  readonly namespace: string;
  readonly owner: string;
  readonly container: string;
  readonly pods: number;
  readonly podNames: readonly string[];
}

/** An Istio minor version whose images run. */
export interface VersionUse {
  /** `1.28`. */
  readonly version: string;
  /** The day on which its support ended or ends, `2026-05-31`; null: not known. */
  readonly supportEnds: string | null;
  /** Null: not known. */
  readonly supported: boolean | null;
  readonly pods: number;
  readonly images: readonly string[];
}

/** Something that is going to matter, though nothing is refused for it today. */
export interface Notice {
  readonly kind:
    | 'version-unsupported'
    | 'version-support-ends'
    | 'hub-disappears'
    | 'key-needed'
    /** A key that whoever controls its address could replace. */
    | 'key-unpinned'
    /** The configuration pins and the installed webhook does not, or the other way round. */
    | 'pin-differs'
    | 'exemption-expires'
    | 'exemption-unused';
  readonly severity: 'info' | 'warning';
  /** One sentence that names the thing and says what to do. */
  readonly message: string;
  /** `1.26`, a hub, a key, the number of an exemption. */
  readonly subject: string;
  /** The day, `2026-12-31`; null: none. */
  readonly date: string | null;
  readonly pods: number;
  readonly images: readonly string[];
}

/** The resources that were read, and those that were not. */
export interface Coverage {
  readonly resources: readonly {
    /** `pods`, `deployments.apps`. */
    readonly resource: string;
    readonly objects: number;
    readonly requests: number;
  }[];
  /** The resources that the account may not see, or the cluster did not return: one sentence each, with the right that is missing. */
  readonly notSeen: readonly { readonly resource: string; readonly why: string; readonly remedy: string }[];
  /** Limits that cut the result short, one sentence each. */
  readonly cut: readonly string[];
}
