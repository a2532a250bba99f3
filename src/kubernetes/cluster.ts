import type { JsonObject } from '../base/index.ts';
import type { ClusterEvent } from '../observability/index.ts';
import type { PullSecrets, SharedObject } from '../registry/index.ts';
import type { KeptObject } from './kept-files.ts';
import type { Resource } from './resource.ts';
import type { WebhookObject } from './webhook-entries.ts';
import type { ObjectWriter } from './write-objects.ts';

/** A Secret, its values decoded to text. */
export interface SecretData {
  /** `metadata.resourceVersion`, which changes with every write. */
  readonly version: string;
  readonly data: Readonly<Record<string, string>>;
}

/** A ValidatingWebhookConfiguration or a MutatingWebhookConfiguration, by its name. */
export interface WebhookConfiguration {
  readonly kind: 'validating' | 'mutating';
  readonly name: string;
}

/** Narrows a list. */
export interface ListOptions {
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  /** The number of objects in a page. */
  readonly pageSize?: number;
  /** The maximum size of a page, in bytes; a page that is longer is read in smaller ones. */
  readonly pageBytes?: number;
}

export interface ListPage {
  /** As the API server returns them: without `apiVersion` and `kind`, unless they are custom resources. */
  readonly items: readonly JsonObject[];
  /** The number of objects after this page; undefined: the API server does not say, as with a selector. */
  readonly remaining: number | undefined;
  /** The number of requests that the page took. */
  readonly requests: number;
}

/** A kind of object that the API server serves. */
export interface ServedResource {
  readonly group: string;
  /** The version that the API server prefers: `v1`. */
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
}

/** The kinds of objects that the API server serves. */
export interface ServedResources {
  /** Undefined: it is not served, or its group is unavailable. */
  find(group: string, plural: string): ServedResource | undefined;
  /** The groups of aggregated API servers that do not respond: `metrics.k8s.io/v1beta1`. */
  readonly unavailable: readonly string[];
}

/**
 * The Kubernetes API operations that sailmark needs. Every function but `find` ends with its signal, and rejects
 * with a `ClusterFault` if there was no response, or not the expected one.
 *
 * `find` returns pull secrets from a cache: the first call for a Secret reads it, and from then on it is refreshed in
 * the background. A Secret that was deleted is removed; while the API fails, the cached Secret is returned.
 */
export interface Cluster extends PullSecrets, ObjectWriter {
  /** Undefined: the Secret does not exist. */
  readSecret(namespace: string, name: string, signal: AbortSignal): Promise<SecretData | undefined>;
  /**
   * Replaces the data of a Secret; its labels, annotations and type stay. 'conflict': it was changed or deleted since
   * `secret.version` was read.
   */
  replaceSecret(
    namespace: string,
    name: string,
    secret: SecretData,
    signal: AbortSignal,
  ): Promise<'written' | 'conflict'>;
  /** Opens a ConfigMap as an object that replicas share. Sends no request yet. */
  configMap(namespace: string, name: string): SharedObject;
  /** Opens a ConfigMap that holds files. Sends no request yet. */
  keptFiles(namespace: string, name: string): KeptObject;
  /** Opens a ValidatingWebhookConfiguration. Sends no request yet. */
  webhooks(name: string): WebhookObject;
  /**
   * Sets the bundle of PEM certificates in every entry of a webhook configuration that has another one, and changes
   * nothing else. A function is called after the object was read, and its bundle is written only if the object was not
   * changed since: so the last writer has read the newest bundle. 'absent': there is no such mutating configuration,
   * which nothing needs; an absent validating one is a fault.
   */
  setCaBundle(
    configuration: WebhookConfiguration,
    pem: string | (() => Promise<string>),
    signal: AbortSignal,
  ): Promise<'written' | 'unchanged' | 'absent'>;
  /**
   * Yields the images of running and pending pods as their specs name them, each text once: page by page through the
   * whole cluster, until the signal ends.
   */
  podImages(signal: AbortSignal): AsyncIterable<{ readonly image: string }>;
  /**
   * Yields the objects of a collection, page by page: none that exists all the time is left out, and none with a uid comes
   * twice. Rejects when its signal ends, too.
   */
  list(resource: Resource, options: ListOptions, signal: AbortSignal): AsyncIterable<ListPage>;
  /** Undefined: the object does not exist, or its kind is not served. */
  get(resource: Resource & { readonly name: string }, signal: AbortSignal): Promise<JsonObject | undefined>;
  /** Finds out which kinds of objects are served. A group whose API server does not respond is unavailable. */
  discover(signal: AbortSignal): Promise<ServedResources>;
  /** Returns the version of the API server: `v1.36.3`; undefined: it does not say. */
  serverVersion(signal: AbortSignal): Promise<string | undefined>;
  /** Returns the number of requests that were sent. */
  requestCount(): number;
  /** Writes an Event of events.k8s.io/v1, or updates the series of one that was written. */
  writeEvent(event: ClusterEvent, signal: AbortSignal): Promise<void>;
  /** Aborts the requests in flight, stops refreshing and closes every connection. No request is sent afterwards. */
  close(): Promise<void>;
}

export interface ClusterOptions {
  /** The text of a kubeconfig; undefined: this process is a pod of the cluster, with a service account. */
  readonly kubeconfig?: string;
  /** The environment of a kubeconfig's credential program; default: none. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The longest that one request may take, in milliseconds, whatever the caller's deadline. */
  readonly requestTimeout?: number;
  /** Milliseconds between two refreshes of a pull secret. */
  readonly refresh?: number;
  /** The name and version of this program, as requests carry it; default `sailmark`. */
  readonly userAgent?: string;
  /** Called before a response of more than a megabyte is parsed: the page before it is garbage by then. */
  readonly collectGarbage?: (() => void) | undefined;
}
