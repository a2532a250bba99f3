import type { ClusterEvent } from '../observability/index.ts';
import type { PullSecrets } from '../registry/index.ts';

/** A Secret, its values decoded to text. */
export interface SecretData {
  /** `metadata.resourceVersion`: another one with every write. */
  readonly version: string;
  readonly data: Readonly<Record<string, string>>;
}

/**
 * What is asked of the cluster that we run in, and nothing else. Every function but `find` ends with its signal, and
 * rejects with a `ClusterFault` where there was no answer, or another one than hoped for.
 *
 * `find` answers from memory: the first question for a Secret reads it, and from then on it is read again beside the
 * questions. A Secret that was deleted is forgotten; while the API does not answer, the last answer stands.
 */
export interface Cluster extends PullSecrets {
  /** Undefined: it is not there. */
  readSecret(namespace: string, name: string, signal: AbortSignal): Promise<SecretData | undefined>;
  /**
   * Puts other data into a Secret; its labels, annotations and type stay. 'conflict': somebody wrote it, or took it
   * away, since `secret.version` was read.
   */
  replaceSecret(
    namespace: string,
    name: string,
    secret: SecretData,
    signal: AbortSignal,
  ): Promise<'written' | 'conflict'>;
  /**
   * Puts a bundle of PEM certificates into every entry of a ValidatingWebhookConfiguration that has another one; nothing
   * else of the object is changed. A bundle given as a function is asked for after the object was read, and what it
   * says is written only if nobody wrote the object since: so the last writer has read the newest bundle.
   */
  setCaBundle(
    webhookConfiguration: string,
    pem: string | (() => Promise<string>),
    signal: AbortSignal,
  ): Promise<'written' | 'unchanged'>;
  /**
   * The images of pods that run or are to run, as their specs name them, each text once: page by page through the whole
   * cluster, until the signal ends.
   */
  podImages(signal: AbortSignal): AsyncIterable<{ readonly image: string }>;
  /** Writes an Event of events.k8s.io/v1, or the series of one that was written. */
  writeEvent(event: ClusterEvent, signal: AbortSignal): Promise<void>;
  /** Ends what runs beside the questions, and every connection. */
  close(): Promise<void>;
}

export interface ClusterOptions {
  /** The text of a kubeconfig; undefined: we run in the cluster, as a pod with a service account. */
  readonly kubeconfig?: string;
  /** Milliseconds for one request, whatever the caller's deadline. */
  readonly requestTimeout?: number;
  /** Milliseconds between two readings of a pull secret. */
  readonly refresh?: number;
}
