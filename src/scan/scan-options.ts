import type { Core } from '../compose.ts';
import type { Config } from '../config/index.ts';
import type { Cluster } from '../kubernetes/index.ts';
import type { Mode, PinScope } from '../policy/index.ts';

/** The step that a scan is at. */
export interface ScanProgress {
  /** A verb. */
  readonly stage: 'reading' | 'judging' | 'comparing';
  /** The things that `done` and `total` count: `pods`, `deployments.apps`. */
  readonly resource: string;
  readonly done: number;
  /** Undefined: not known. */
  readonly total: number | undefined;
  /** Distinct images that were verified so far. */
  readonly images: number;
  /** An image that is being verified. */
  readonly current: string | undefined;
}

export interface ScanOptions {
  /** Its keys are loaded. Its budget of requests counts for nothing here. */
  readonly core: Pick<Core, 'admission' | 'ring' | 'openRepository'>;
  readonly config: Config;
  readonly cluster: Cluster;
  /** The mode of namespaces without a label that counts: what would happen if the webhook had it. */
  readonly mode: Mode;
  /**
   * Where the configuration pins. Undefined: no configuration was given, so that the installed webhook's counts, or the
   * chart's default where none is installed.
   */
  readonly pin?: PinScope | undefined;
  /** The namespaces to read; undefined: the whole cluster. */
  readonly namespaces?: readonly string[] | undefined;
  /** Ends the scan: it resolves with what is known by then. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds for each image. */
  readonly timeout: number;
  /** The version of sailmark. */
  readonly version: string;
  /** The API server's URL; null in a pod of the cluster. */
  readonly server: string | null;
  /** The context of the kubeconfig. */
  readonly context: string | null;
  /** The arguments of the scan that a verification of one image takes too: `--config`, `sailmark.yaml`. */
  readonly verifyFlags: readonly string[];
  readonly onProgress: (progress: ScanProgress) => void;
}
