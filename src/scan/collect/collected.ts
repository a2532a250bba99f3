import type { JsonObject } from '../../base/index.ts';

/** An object by its name: a controller, or a pod that has none. */
export interface ObjectOwner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string | null;
}

/** A pod, or an object with a pod template. */
export interface CollectedObject {
  /** With its `apiVersion` and `kind`. */
  readonly object: JsonObject;
  /** The API group; empty: the core group. */
  readonly group: string;
  /** `pods`, `deployments`. */
  readonly plural: string;
  readonly isPod: boolean;
  /** Empty: the kind belongs to the cluster (a SidecarSet). */
  readonly namespace: string;
  readonly name: string;
  /** The outermost controller that is known, the object itself if it has none. */
  readonly owner: ObjectOwner;
}

/** The progress of a scan's reading. */
export interface CollectProgress {
  /** `pods`, `deployments.apps`. */
  readonly resource: string;
  /** Objects of it that were read. */
  readonly done: number;
  /** Undefined: the API server does not say, as for pods. */
  readonly total: number | undefined;
}
