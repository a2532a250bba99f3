import { findRunningContainers, type RunningContainer } from './running-containers.ts';

/** A pod that runs, and its owner. */
export interface OwnedPod {
  readonly namespace: string;
  /** `Deployment/httpbin`. */
  readonly owner: string;
  readonly name: string;
  readonly pod: unknown;
}

/** Containers of one owner with one name, one image and one image ID. */
export interface RunningUse extends RunningContainer {
  readonly namespace: string;
  readonly owner: string;
  readonly pods: number;
  /** The first of them. */
  readonly podNames: readonly string[];
}

/** Holds what runs until the images are verified, in bounded memory. */
export interface DriftCollector {
  readonly add: (pod: OwnedPod) => void;
  readonly uses: () => readonly RunningUse[];
  /** Containers that were left out because the collector was full. */
  readonly omitted: () => number;
}

interface CollectorOptions {
  /** True for an image that is verified as Istio's: others are left out. */
  readonly isIstio: (reference: string) => boolean;
  readonly maxUses?: number;
}

/** Some 500 bytes each. */
const MAX_USES = 50_000;
const MAX_NAMES = 5;
/** Longer than any reference or image ID that a runtime takes; what is longer is of no known form. */
const MAX_TEXT = 4_096;

/** Creates an empty collector. Whoever can create pods can fill it with containers of Istio's images. */
export const createDriftCollector = ({ isIstio, maxUses = MAX_USES }: CollectorOptions): DriftCollector => {
  const uses = new Map<string, RunningUse>();
  let omitted = 0;

  const addOne = (running: RunningContainer, { namespace, owner, name }: OwnedPod): void => {
    const { container, reference, imageId } = running;
    const key = JSON.stringify([reference, imageId, namespace, owner, container]);
    const known = uses.get(key);
    if (known === undefined && uses.size >= maxUses) {
      omitted += 1;
      return;
    }
    const { pods, podNames } = known ?? { pods: 0, podNames: [] };
    const names = podNames.length < MAX_NAMES ? [...podNames, name] : podNames;
    uses.set(key, { ...running, namespace, owner, pods: pods + 1, podNames: names });
  };

  return {
    add(pod) {
      for (const running of findRunningContainers(pod.pod)) {
        const { reference, imageId } = running;
        if (reference.length > MAX_TEXT || !isIstio(reference)) continue;
        addOne(
          imageId.length > MAX_TEXT ? { ...running, imageId: imageId.slice(0, MAX_TEXT) } : running,
          pod,
        );
      }
    },
    uses: () => [...uses.values()],
    omitted: () => omitted,
  };
};
