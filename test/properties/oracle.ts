import { imageOfDigest, type RepositoryName } from './images.ts';
import type { Outcome, Run } from './run.ts';
import { keepsWaiting, type Oddity, type Schedule } from './schedule.ts';
import { digestOfTag, isSigned } from './simulated-registry.ts';

/** A review that broke a property. */
export interface Violation {
  readonly property: 'wrong allow' | 'wrong refusal' | 'other verdict' | 'delay';
  readonly detail: string;
  readonly outcome: Outcome;
  /** The same review in the run without the hostile tenant. */
  readonly control?: Outcome;
}

interface NamedImage {
  readonly repository: RepositoryName;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** Milliseconds that a response is on its way, with a redirect and a token. */
const IN_FLIGHT = 5_000;
/** Milliseconds that an absent tag or an unverified digest is remembered. */
const REJECTED_MEMORY = 10_000;
/** Milliseconds after which a registry that does not respond counts as silent, at the latest. */
const SILENCE = 10_000;
/** Milliseconds that the process of the test may be late during a review whose time and verdict are compared. */
const LATE = 300;
/** Milliseconds that a repository is not asked after it failed several times. */
const BREAKER = 6_000;

const parseImage = (image: string): NamedImage => {
  const [, repository, tag, digest] = /^[^/]+\/istio\/([^:@]+)(?::([^@]+))?(?:@(.+))?$/.exec(image) ?? [];
  return { repository: repository as RepositoryName, tag, digest };
};

/** The time after an oddity that its repository may not be asked yet. */
const aftermathOf = ({ behaviour }: Oddity): number => {
  if (behaviour.kind === 'status') return Math.max(BREAKER, ((behaviour.retryAfter ?? 0) + 1) * 1000);
  return keepsWaiting(behaviour) ? SILENCE + BREAKER : BREAKER;
};

const touches = (oddity: Oddity, { start, end }: Outcome, aftermath = aftermathOf(oddity)): boolean =>
  oddity.from <= end && start <= oddity.to + aftermath;

const OUTAGES: ReadonlySet<string> = new Set(['status', 'silence', 'no connection']);

/** The oracle of one schedule: it knows which answers are right. */
export const createOracle = (schedule: Schedule) => {
  const { oddities, moves, lateSignatures, tagMemory, undetermined, pin } = schedule;
  const odditiesOf = (image: string): readonly Oddity[] =>
    oddities.filter(({ where }) => where === 'mirror' || where === parseImage(image).repository);

  const isSignedDigest = (repository: RepositoryName, digest: string | undefined, time: number): boolean => {
    const image = digest === undefined ? undefined : imageOfDigest(repository, digest);
    return image !== undefined && isSigned(schedule, repository, image, time);
  };

  /** The digests that a tag stood for, or was remembered to stand for, at the time of a review. */
  const digestsOfTag = (repository: RepositoryName, tag: string, { start, end }: Outcome) => {
    const since = start - tagMemory - IN_FLIGHT;
    const times = [since, ...moves.map(({ at }) => at).filter((at) => since < at && at <= end)];
    return times.map((time) => digestOfTag(schedule, repository, tag, time));
  };

  /** Why an image must not have been verified; undefined: it was right. */
  const problemOfVerified = (image: string, outcome: Outcome, run: Run): string | undefined => {
    const { repository, tag, digest } = parseImage(image);
    const digests = tag === undefined ? [] : digestsOfTag(repository, tag, outcome);
    if (digest === undefined)
      return digests.some((one) => isSignedDigest(repository, one, outcome.end))
        ? undefined
        : 'it is not signed';
    if (!isSignedDigest(repository, digest, outcome.end)) return 'it is not signed';
    // Pinned to a digest that its tag does not stand for.
    return tag === undefined || digests.includes(digest)
      ? undefined
      : problemOfAllowance(image, outcome, run);
  };

  const isSignedAt = (image: string, time: number): boolean => {
    const { repository, tag, digest } = parseImage(image);
    return isSignedDigest(
      repository,
      tag === undefined ? digest : digestOfTag(schedule, repository, tag, time),
      time,
    );
  };

  const wasSilent = (image: string, outcome: Outcome): boolean =>
    odditiesOf(image).some((oddity) => OUTAGES.has(oddity.behaviour.kind) && touches(oddity, outcome));

  /** Why the outage rule must not have let an image through; undefined: it was right. */
  const problemOfAllowance = (image: string, outcome: Outcome, { resolutions }: Run): string | undefined => {
    if (undetermined === 'deny') return 'no outage rule is configured';
    if (!wasSilent(image, outcome)) return 'its registry was not silent';
    if (undetermined === 'allow') return undefined;
    const { repository, tag } = parseImage(image);
    const last = resolutions.findLast(
      (one) => one.repository === repository && one.tag === tag && one.at <= outcome.end,
    );
    return isSignedDigest(repository, last?.digest, outcome.end)
      ? undefined
      : 'its last digest was not signed';
  };

  const findWrongAllow = (outcome: Outcome, run: Run): Violation | undefined => {
    if (outcome.verdict !== 'allow' && outcome.verdict !== 'warn') return undefined;
    for (const image of outcome.validated) {
      const reason = outcome.reasons.get(image);
      const isUnpinned = pin === 'enforce' && parseImage(image).digest === undefined;
      const problemOf = reason === undefined ? problemOfVerified : problemOfAllowance;
      const problem = isUnpinned ? 'it is not pinned' : problemOf(image, outcome, run);
      if (problem !== undefined)
        return { property: 'wrong allow', detail: `${image} (${reason ?? 'verified'}): ${problem}`, outcome };
    }
    return undefined;
  };

  const disturbances = (outcome: Outcome): readonly Oddity[] =>
    outcome.images.flatMap((image) => odditiesOf(image).filter((oddity) => touches(oddity, outcome)));

  const isDisturbed = (...outcomes: readonly Outcome[]): boolean =>
    outcomes.some((outcome) => disturbances(outcome).length > 0);

  /** True if an outage rule allows what is known, whatever its registry does. */
  const mayNotBeRefused = (isKnown: boolean, ...outcomes: readonly Outcome[]): boolean =>
    isKnown &&
    undetermined !== 'deny' &&
    outcomes.flatMap(disturbances).every(({ behaviour }) => OUTAGES.has(behaviour.kind));

  /** True if the registry's content changed so shortly before that what is remembered may differ. */
  const isChanging = ({ images, start, end }: Outcome): boolean => {
    const since = start - Math.max(tagMemory, REJECTED_MEMORY) - IN_FLIGHT;
    return images.some((image) =>
      [...moves, ...lateSignatures].some(
        ({ at, repository }) => repository === parseImage(image).repository && since <= at && at <= end,
      ),
    );
  };

  const codesOf = ({ reasons }: Outcome): string => [...new Set(reasons.values())].toSorted().join(',');
  const describe = (outcome: Outcome): string => `${outcome.verdict} ${codesOf(outcome)}`.trim();

  const findOtherVerdict = (outcome: Outcome, control: Outcome, isKnown: boolean): Violation | undefined => {
    const difference = `${describe(outcome)}; without the hostile tenant: ${describe(control)}`;
    const violation = { detail: difference, outcome, control };
    if (outcome.verdict === 'late') return { property: 'other verdict', ...violation };
    if (isChanging(outcome) || isChanging(control)) return undefined;
    if (isDisturbed(outcome, control)) {
      const isWorse = outcome.verdict === 'deny' && control.verdict !== 'deny';
      return isWorse && mayNotBeRefused(isKnown, outcome, control)
        ? { property: 'other verdict', ...violation }
        : undefined;
    }
    if (describe(outcome) !== describe(control)) return { property: 'other verdict', ...violation };
    const isRight =
      outcome.images.every((image) => isSignedAt(image, outcome.start)) === (outcome.verdict === 'allow');
    return isRight ? undefined : { property: 'wrong refusal', ...violation };
  };

  const findDelay = (outcome: Outcome, control: Outcome, isKnown: boolean): Violation | undefined => {
    const needed = control.end - control.start;
    const took = outcome.end - outcome.start - outcome.late;
    const least = isDisturbed(outcome, control) ? Math.max(needed, SILENCE) : needed;
    if (took <= least + (isKnown ? 1_000 : 2_000)) return undefined;
    const detail = `${isKnown ? 'known' : 'new'}: ${took} ms; without the hostile tenant: ${needed} ms`;
    return { property: 'delay', detail, outcome, control };
  };

  /** Returns the violations of a run, by comparison with the run without the hostile tenant. */
  return (run: Run, controlRun: Run): readonly Violation[] => {
    const honest = run.outcomes.filter(({ tenant }) => tenant === 'honest');
    const controls = controlRun.outcomes;
    const knownSince = new Map<string, number>();
    const compare = (outcome: Outcome, index: number): readonly (Violation | undefined)[] => {
      const control = controls[index] as Outcome;
      const isKnown = outcome.images.every(
        (image) =>
          (knownSince.get(image) ?? Number.POSITIVE_INFINITY) <= Math.min(outcome.start, control.start),
      );
      if (outcome.verdict === 'allow' && control.verdict === 'allow')
        for (const image of outcome.images)
          knownSince.set(
            image,
            Math.min(knownSince.get(image) ?? Number.POSITIVE_INFINITY, Math.max(outcome.end, control.end)),
          );
      if (outcome.late > LATE || control.late > LATE) return [];
      return [findOtherVerdict(outcome, control, isKnown), findDelay(outcome, control, isKnown)];
    };
    return [
      ...run.outcomes.map((outcome) => findWrongAllow(outcome, run)),
      ...honest.flatMap(compare),
    ].filter((violation) => violation !== undefined);
  };
};
