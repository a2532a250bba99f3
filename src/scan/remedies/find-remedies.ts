import type { Config } from '../../config/index.ts';
import { lastingHub } from '../../istio/index.ts';
import type { Judge } from '../../policy/index.ts';
import type { Drift, Remedy } from '../scan-result.ts';
import { draftFor } from './drafts.ts';
import { exemptRemedy } from './exempt.ts';
import { checkAtHub, type HubCheck } from './hub-check.ts';
import type { RemedyGroup, RemedyTally } from './remedy-tally.ts';
import { restartRemedy } from './restart.ts';

export interface RemedyOptions {
  readonly tally: RemedyTally;
  readonly drift: readonly Drift[];
  readonly config: Pick<Config, 'places'>;
  readonly judge: Pick<Judge, 'judge'>;
  /** The arguments of the scan that a verification takes too. */
  readonly flags: readonly string[];
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Mirrors and unknown prefixes whose images are looked up at Istio's hub. */
const MAX_CHECKED = 20;

const NOT_CHECKED: HubCheck = { genuine: 0, foreign: 0 };

const mostHelpful = (one: RemedyGroup, other: RemedyGroup): number =>
  other.pods - one.pods || other.images.size - one.images.size;

/** Looks up the copies of Istio's hub that most pods use. */
const checkCopies = async (
  groups: readonly RemedyGroup[],
  { config, judge, signal }: RemedyOptions,
): Promise<ReadonlyMap<RemedyGroup, HubCheck>> => {
  if (!config.places.hubs.includes(lastingHub)) return new Map();
  const copies = groups.filter(({ kind }) => kind === 'declare-mirror' || kind === 'copy-signatures');
  const checked = copies
    .slice(0, MAX_CHECKED)
    .map(async (group) => [group, await checkAtHub(group, config.places.mirrors, judge, signal)] as const);
  return new Map(await Promise.all(checked));
};

/** Finds what to do about findings and drift: what helps most pods first, and exempting last. */
export const findRemedies = async (options: RemedyOptions): Promise<readonly Remedy[]> => {
  const { tally, config, flags, drift, now } = options;
  const groups = tally.groups().toSorted(mostHelpful);
  const checks = await checkCopies(groups, options);
  const { mirrors } = config.places;
  const restarts = restartRemedy(drift);
  const exemption = exemptRemedy(groups, tally.exemptiblePods(), now);
  const remedies = groups.map((group): Remedy => {
    const draft = draftFor(group, { mirrors, flags, check: checks.get(group) ?? NOT_CHECKED });
    const { kind, images, owners, pods } = group;
    return { kind, ...draft, images: [...images.keys()], owners: [...owners], pods };
  });
  const byPods = [...remedies, ...(restarts === undefined ? [] : [restarts])].toSorted(
    (one, other) => other.pods - one.pods,
  );
  return [...byPods, ...(exemption === undefined ? [] : [exemption])];
};
