import { digestOf } from '../../src/image/index.ts';
import { digestOfImage } from './images.ts';
import type { Burst, Schedule, Tenant } from './schedule.ts';
import type { Fate, SimulatedRequest } from './simulated-registry.ts';

/** One review and its response. Times are milliseconds from the schedule's begin. */
export interface Outcome {
  readonly tenant: Tenant;
  readonly images: readonly string[];
  /** The same, after pinning, as they were validated. */
  readonly validated: readonly string[];
  readonly start: number;
  readonly end: number;
  /** Milliseconds of these that the process of the test was late. */
  readonly late: number;
  readonly verdict: string;
  /** The reason of each validated image that has a finding; past the first 64 they are left out. */
  readonly reasons: ReadonlyMap<string, string>;
}

/** A digest that the registry said a tag stands for, and the time that its response arrived. */
export interface Resolution {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly at: number;
}

/** A run of a schedule. The outcomes are in the order that their reviews arrived. */
export interface Run {
  readonly outcomes: readonly Outcome[];
  readonly resolutions: readonly Resolution[];
}

/** The images of the pod with this number in a burst. */
const imagesOf = (
  { repository, naming, at }: Burst,
  podNumber: number,
  mirror: string,
): readonly string[] => {
  const name = `${mirror}/istio/${repository}`;
  if (naming.by === 'tag') return naming.tags.map((tag) => `${name}:${tag}`);
  if (naming.by === 'digest')
    return naming.images.map((image) => `${name}@${digestOfImage(repository, image)}`);
  return Array.from({ length: naming.count }, (_, index) => {
    const unique = `${at}-${podNumber}-${index}`;
    if (naming.by === 'absent tag') return `${name}:absent-${unique}`;
    if (naming.by === 'random digest') return `${name}@${digestOf(`${repository} ${unique}`)}`;
    return `${mirror}/istio/absent-${unique}:v0`;
  });
};

/** A review, and the time that it arrives at. */
export interface Arrival {
  readonly burst: Burst;
  readonly at: number;
  readonly images: readonly string[];
}

/** The reviews of a schedule, one for each pod. */
export const arrivalsOf = ({ bursts }: Schedule, mirror: string): readonly Arrival[] =>
  bursts.flatMap((burst) =>
    Array.from({ length: burst.pods }, (_, podNumber) => ({
      burst,
      at: burst.at + podNumber * burst.every,
      images: imagesOf(burst, podNumber, mirror),
    })),
  );

/** Decides what becomes of a request when it is sent. */
export type Network = (request: SimulatedRequest) => Fate;

/** Records what tags were resolved to. */
export const recordResolutions = (
  network: Network,
  elapsed: () => number,
  resolutions: Resolution[],
): Network => {
  return (request) => {
    const fate = network(request);
    if (typeof fate === 'string' || fate.status !== 200) return fate;
    const [, repository = '', tag = ''] =
      /^\/v2\/istio\/([^/]+)\/manifests\/([^:/]+)$/.exec(request.url.pathname) ?? [];
    const digest = fate.headers['docker-content-digest'];
    if (digest !== undefined && tag !== '')
      resolutions.push({ repository, tag, digest, at: elapsed() + fate.after });
    return fate;
  };
};

/** Returns the images of a pod that the patch of the mutating webhook was applied to. */
export const pinnedImages = (images: readonly string[], patch: string | undefined): readonly string[] => {
  const pinned = [...images];
  const text = patch === undefined ? '[]' : Buffer.from(patch, 'base64').toString();
  for (const { path, value } of JSON.parse(text) as readonly {
    readonly path: string;
    readonly value: string;
  }[])
    pinned[Number(/^\/spec\/containers\/(\d+)\/image$/.exec(path)?.[1])] = value;
  return pinned;
};
