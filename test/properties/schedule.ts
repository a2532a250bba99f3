import { FIRST_TAGS, REPOSITORIES, type RepositoryName, SIGNED, SIGNED_LATER, UNSIGNED } from './images.ts';
import { createRandom, type Random } from './random.ts';

export type Tenant = 'honest' | 'hostile';

/** A response of another host: a status, silence, or what it was asked for. */
export type Elsewhere = 401 | 429 | 503 | 'silence' | 'content';

/** How a repository, or all of the mirror, behaves for a while. */
export type Behaviour =
  | { readonly kind: 'status'; readonly status: 429 | 500 | 502 | 503; readonly retryAfter?: number }
  | { readonly kind: 'silence' }
  | { readonly kind: 'no connection' }
  | { readonly kind: 'slow' }
  | { readonly kind: 'challenge'; readonly scheme: 'Basic' | 'Bearer' | 'Bearer elsewhere' | 'none' }
  | {
      readonly kind: 'redirect';
      readonly of: 'manifests' | 'blobs' | 'referrers' | 'all';
      readonly to: Elsewhere;
    }
  | { readonly kind: 'token'; readonly answer: Elsewhere }
  | { readonly kind: 'huge'; readonly what: 'manifests' | 'list of referrers' | 'many referrers' };

/** Times are milliseconds from the schedule's begin. */
export interface Oddity {
  /** The hostile tenant's belong to its own repository, and are absent from the control run. */
  readonly of: Tenant;
  readonly from: number;
  readonly to: number;
  readonly where: RepositoryName | 'mirror';
  readonly behaviour: Behaviour;
}

/** A tag that stands for another image from then on. */
export interface Move {
  readonly at: number;
  readonly repository: RepositoryName;
  readonly tag: string;
  readonly image: number;
}

/** A signature that an image has from then on. */
export interface LateSignature {
  readonly at: number;
  readonly repository: RepositoryName;
  readonly image: number;
}

/** The images that the pods of a burst name. */
export type Naming =
  | { readonly by: 'tag'; readonly tags: readonly string[] }
  | { readonly by: 'digest'; readonly images: readonly number[] }
  | { readonly by: 'absent tag' | 'random digest' | 'absent repository'; readonly count: number };

/** Pods of one tenant, created one after the other. */
export interface Burst {
  readonly tenant: Tenant;
  readonly at: number;
  readonly pods: number;
  readonly every: number;
  /** The API server's `?timeout=`, in seconds. */
  readonly timeout: number;
  readonly repository: RepositoryName;
  readonly naming: Naming;
}

/** Everything that happens, and how the operator configured it. */
export interface Schedule {
  readonly seed: number;
  readonly undetermined: 'allow-verified-tag' | 'allow' | 'deny';
  /** `enforce`: each pod goes through the mutating webhook first, and tags are refused. */
  readonly pin: 'enforce' | 'never';
  /** Milliseconds. */
  readonly tagMemory: number;
  /** Milliseconds of each response. */
  readonly latency: number;
  readonly auth: 'anonymous' | 'token';
  readonly oddities: readonly Oddity[];
  readonly moves: readonly Move[];
  readonly lateSignatures: readonly LateSignature[];
  readonly bursts: readonly Burst[];
}

export const HONEST: readonly RepositoryName[] = ['pilot', 'proxyv2'];

/** The measures of a schedule. Times are in milliseconds. */
interface Pace {
  readonly duration: number;
  readonly latencies: readonly number[];
  readonly tagMemories: readonly number[];
  /** Timeouts of the honest tenant, in seconds. */
  readonly timeouts: readonly number[];
  /** Timeouts of the hostile tenant, in seconds. */
  readonly shortTimeouts: readonly number[];
  readonly pods: readonly number[];
  readonly imagesPerPod: readonly number[];
  /** The honest tenant's reviews, on average, and the most bursts of the hostile tenant. */
  readonly honestReviews: number;
  readonly hostileBursts: number;
  /** False: what would keep the honest tenant waiting is left out. */
  readonly honestSilence: boolean;
}

const VIRTUAL_PACE: Pace = {
  duration: 45_000,
  latencies: [20, 100, 400, 700],
  tagMemories: [0, 1_000, 10_000],
  timeouts: [10, 10, 10, 30],
  shortTimeouts: [1, 1, 2, 10, 30],
  pods: [1, 1, 2, 5, 10, 30],
  imagesPerPod: [1, 8, 64],
  honestReviews: 28,
  hostileBursts: 8,
  honestSilence: true,
};

/** For real sockets and real time. */
export const REAL_PACE: Pace = {
  duration: 2_000,
  latencies: [1, 20, 100],
  tagMemories: [0, 200, 10_000],
  timeouts: [10],
  shortTimeouts: [1, 2],
  pods: [1, 2],
  imagesPerPod: [1, 3, 8],
  honestReviews: 14,
  hostileBursts: 4,
  honestSilence: false,
};

const statusBehaviour = ({ pick, chance }: Random): Behaviour => ({
  kind: 'status',
  status: pick([429, 429, 500, 502, 503]),
  ...(chance(0.5) ? { retryAfter: pick([1, 3, 10, 120]) } : {}),
});

const redirectBehaviour = ({ pick }: Random): Behaviour => ({
  kind: 'redirect',
  of: pick(['manifests', 'blobs', 'referrers', 'all']),
  to: pick([401, 429, 503, 'silence', 'content']),
});

const honestBehaviour = (random: Random): Behaviour =>
  random.pick<() => Behaviour>([
    () => statusBehaviour(random),
    () => statusBehaviour(random),
    () => ({ kind: 'silence' }),
    () => ({ kind: 'slow' }),
    () => redirectBehaviour(random),
    () => ({ kind: 'challenge', scheme: random.pick(['Basic', 'Bearer']) }),
    () => ({ kind: 'token', answer: random.pick([401, 429, 503, 'silence']) }),
  ])();

const hostileBehaviour = (random: Random): Behaviour =>
  random.pick<() => Behaviour>([
    () => statusBehaviour(random),
    () => statusBehaviour(random),
    () => ({ kind: 'silence' }),
    () => redirectBehaviour(random),
    () => redirectBehaviour(random),
    () => ({
      kind: 'challenge',
      scheme: random.pick(['Basic', 'Basic', 'Bearer', 'Bearer elsewhere', 'none']),
    }),
    () => ({ kind: 'token', answer: random.pick([401, 429, 503, 'silence']) }),
    () => ({ kind: 'huge', what: random.pick(['manifests', 'list of referrers', 'many referrers']) }),
  ])();

const honestOddity = (random: Random, { duration }: Pace): Oddity => {
  const from = random.integer(Math.floor(duration * 0.25), Math.floor(duration * 0.7));
  const isHost = random.chance(0.15);
  return {
    of: 'honest',
    from,
    to: from + random.integer(Math.floor(duration * 0.02), Math.floor(duration * 0.25)),
    where: isHost ? 'mirror' : random.pick(HONEST),
    behaviour: isHost
      ? random.pick<Behaviour>([
          { kind: 'no connection' },
          { kind: 'silence' },
          { kind: 'status', status: 503 },
        ])
      : honestBehaviour(random),
  };
};

const hostileOddity = (random: Random, { duration }: Pace): Oddity => {
  const from = random.integer(0, Math.floor(duration / 2));
  return {
    of: 'hostile',
    from,
    to: from + random.integer(Math.floor(duration / 10), duration),
    where: 'ztunnel',
    behaviour: hostileBehaviour(random),
  };
};

const KNOWN_TAGS = ['v0', 'v1', 'v2', 'v3'] as const;

const honestNaming = (random: Random): Naming => {
  const { pick, chance } = random;
  if (chance(0.65))
    return { by: 'tag', tags: [pick(KNOWN_TAGS), ...(chance(0.3) ? [pick(KNOWN_TAGS)] : [])] };
  if (chance(0.3)) return { by: 'tag', tags: [pick(['u', 'later', 'late'])] };
  return { by: 'digest', images: [pick([...SIGNED, ...SIGNED_LATER, ...UNSIGNED])] };
};

const honestBursts = (random: Random, { duration, timeouts, honestReviews }: Pace): readonly Burst[] => {
  const bursts: Burst[] = [];
  for (let at = 100; at < duration; at += random.integer(1, (2 * duration) / honestReviews))
    bursts.push({
      tenant: 'honest',
      at,
      pods: 1,
      every: 0,
      timeout: random.pick(timeouts),
      repository: random.pick(HONEST),
      naming: honestNaming(random),
    });
  return bursts;
};

const hostileNaming = (random: Random, { imagesPerPod }: Pace): Naming => {
  const { pick, integer } = random;
  return random.pick<() => Naming>([
    () => ({ by: 'tag', tags: Array.from({ length: integer(1, 7) }, () => pick(Object.keys(FIRST_TAGS))) }),
    () => ({ by: 'digest', images: Array.from({ length: integer(1, 10) }, () => integer(0, 9)) }),
    () => ({ by: pick(['absent tag', 'random digest', 'absent repository']), count: pick(imagesPerPod) }),
    () => ({ by: pick(['absent tag', 'random digest']), count: Math.max(...imagesPerPod) }),
  ])();
};

const hostileBurst = (random: Random, pace: Pace): Burst => ({
  tenant: 'hostile',
  at: random.integer(0, pace.duration),
  pods: random.pick(pace.pods),
  every: random.pick([0, 20, 200, pace.duration / 45]),
  timeout: random.pick(pace.shortTimeouts),
  repository: random.pick(['ztunnel', 'ztunnel', ...REPOSITORIES]),
  naming: hostileNaming(random, pace),
});

const moveOf = ({ integer, pick }: Random, { duration }: Pace): Move => ({
  at: integer(Math.floor(duration / 6), Math.floor(duration * 0.8)),
  repository: pick(HONEST),
  tag: pick(KNOWN_TAGS),
  image: pick([...SIGNED, ...UNSIGNED]),
});

const lateSignatureOf = ({ integer, pick }: Random, { duration }: Pace): LateSignature => ({
  at: integer(Math.floor(duration / 9), Math.floor(duration * 0.7)),
  repository: pick(HONEST),
  image: pick(SIGNED_LATER),
});

const listOf = <T>({ integer }: Random, max: number, make: () => T): readonly T[] =>
  Array.from({ length: integer(0, max) }, make);

/** True if a request may get no response. */
export const keepsWaiting = (behaviour: Behaviour): boolean =>
  behaviour.kind === 'silence' ||
  ('to' in behaviour && behaviour.to === 'silence') ||
  ('answer' in behaviour && behaviour.answer === 'silence');

/** Creates the schedule of a seed. */
export const createSchedule = (seed: number, pace: Pace = VIRTUAL_PACE): Schedule => {
  const random = createRandom(seed);
  const honest = listOf(random, 2, () => honestOddity(random, pace));
  return {
    seed,
    undetermined: random.pick([
      'allow-verified-tag',
      'allow-verified-tag',
      'allow-verified-tag',
      'allow',
      'deny',
    ]),
    pin: random.pick(['enforce', 'never']),
    tagMemory: random.pick(pace.tagMemories),
    latency: random.pick(pace.latencies),
    auth: random.pick(['anonymous', 'token']),
    oddities: [
      ...honest.filter((oddity) => pace.honestSilence || !keepsWaiting(oddity.behaviour)),
      ...listOf(random, 3, () => hostileOddity(random, pace)),
    ],
    moves: listOf(random, 3, () => moveOf(random, pace)),
    lateSignatures: listOf(random, 2, () => lateSignatureOf(random, pace)),
    bursts: [
      ...honestBursts(random, pace),
      ...Array.from({ length: random.integer(2, pace.hostileBursts) }, () => hostileBurst(random, pace)),
    ],
  };
};

/** The same schedule without the hostile tenant and what it makes of its own repository. */
export const withoutHostile = (schedule: Schedule): Schedule => ({
  ...schedule,
  oddities: schedule.oddities.filter(({ of }) => of === 'honest'),
  bursts: schedule.bursts.filter(({ tenant }) => tenant === 'honest'),
});
