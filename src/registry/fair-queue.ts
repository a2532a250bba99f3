/** The purpose of a request. */
export interface Purpose {
  /** The namespace that it is for. */
  readonly requester: string;
  /** The path of the repository that it is sent to. */
  readonly repository: string;
  /** True if it goes before those for what was never seen. */
  readonly known: boolean;
}

/** A request in line. */
export interface Waiting extends Purpose {
  readonly start: () => void;
}

/** True if one more request may be in flight. */
export interface MayStart {
  /** The requester may start one, whatever the repository. */
  readonly requester: (name: string, known: boolean) => boolean;
  /** The requester may start one to this repository. */
  readonly repository: (path: string, known: boolean, requester: string) => boolean;
}

export interface FairQueue {
  add(waiting: Waiting): void;
  remove(waiting: Waiting): void;
  /** Removes and returns the request whose turn it is; undefined: none may start. */
  take(mayStart: MayStart): Waiting | undefined;
  readonly size: number;
  /** The number of requests of a requester in line. */
  sizeOf(requester: string): number;
}

/** The requests in line by requester and repository. Each level is in the order of its turns. */
type Lane = Map<string, Map<string, Set<Waiting>>>;

const addTo = (lane: Lane, waiting: Waiting): void => {
  const repositories = lane.get(waiting.requester) ?? new Map<string, Set<Waiting>>();
  lane.set(waiting.requester, repositories);
  const line = repositories.get(waiting.repository) ?? new Set<Waiting>();
  repositories.set(waiting.repository, line);
  line.add(waiting);
};

const removeFrom = (lane: Lane, waiting: Waiting): boolean => {
  const repositories = lane.get(waiting.requester);
  const line = repositories?.get(waiting.repository);
  const removed = line?.delete(waiting) === true;
  if (line?.size === 0) repositories?.delete(waiting.repository);
  if (repositories?.size === 0) lane.delete(waiting.requester);
  return removed;
};

/** Puts the requester behind the others, and the repository behind its others. */
const endTurn = (lane: Lane, { requester, repository }: Waiting): void => {
  const repositories = lane.get(requester);
  if (repositories === undefined) return;
  lane.delete(requester);
  lane.set(requester, repositories);
  const line = repositories.get(repository);
  if (line === undefined) return;
  repositories.delete(repository);
  repositories.set(repository, line);
};

/** Finds the request whose turn it is. Who may not start is passed over at once, however many requests are in line. */
const findNext = (lane: Lane, known: boolean, mayStart: MayStart): Waiting | undefined => {
  for (const [requester, repositories] of lane) {
    if (!mayStart.requester(requester, known)) continue;
    for (const [repository, line] of repositories) {
      if (!mayStart.repository(repository, known, requester)) continue;
      const [first] = line;
      return first;
    }
  }
  return undefined;
};

/** Creates a line in which known requests come first, then requesters take turns, then the repositories of each. */
export const createFairQueue = (): FairQueue => {
  const lanes = { known: new Map() as Lane, unknown: new Map() as Lane };
  const laneOf = ({ known }: Waiting): Lane => (known ? lanes.known : lanes.unknown);
  const sizes = new Map<string, number>();
  let size = 0;
  const count = ({ requester }: Waiting, change: 1 | -1): void => {
    const ofRequester = (sizes.get(requester) ?? 0) + change;
    if (ofRequester === 0) sizes.delete(requester);
    else sizes.set(requester, ofRequester);
    size += change;
  };
  const remove = (waiting: Waiting): void => {
    if (removeFrom(laneOf(waiting), waiting)) count(waiting, -1);
  };
  return {
    add(waiting) {
      addTo(laneOf(waiting), waiting);
      count(waiting, 1);
    },
    remove,
    take(mayStart) {
      const next = findNext(lanes.known, true, mayStart) ?? findNext(lanes.unknown, false, mayStart);
      if (next === undefined) return undefined;
      remove(next);
      endTurn(laneOf(next), next);
      return next;
    },
    get size() {
      return size;
    },
    sizeOf: (requester) => sizes.get(requester) ?? 0,
  };
};
