import type { JsonObject } from '../base/index.ts';
import type { ServedResources } from '../kubernetes/index.ts';
import {
  type CollectedObject,
  type CollectProgress,
  type CoverageRecorder,
  collect,
  readServed,
} from './collect/index.ts';
import { createDriftCollector, type DriftCollector } from './drift/drift-collector.ts';
import { judgeObjects } from './judge/judge-all.ts';
import { findingsOf, type JudgeDependencies } from './judge/judge-object.ts';
import type { ScanJudge } from './judge/scan-judge.ts';
import { type NamespacePolicy, readNamespacePolicy } from './namespaces/index.ts';
import { isNodeAgent } from './preflight/installed.ts';
import { createRemedyTally, type RemedyTally } from './remedies/remedy-tally.ts';
import type { ScanOptions, ScanProgress } from './scan-options.ts';
import { ownerName } from './tally/owner-tally.ts';
import { createTally, type Tally } from './tally/tally.ts';

/** The totals of a cluster's objects. */
export interface JudgedCluster {
  readonly policy: NamespacePolicy;
  /** The dependencies of the reviewer and the pinner. */
  readonly dependencies: JudgeDependencies;
  readonly tally: Tally;
  readonly driftCollector: DriftCollector;
  readonly remedyTally: RemedyTally;
  /** The kinds that are served; undefined: the scan ended before it was known. */
  readonly served: ServedResources | undefined;
  /** The DaemonSets that could be Istio's. */
  readonly daemonSets: readonly JsonObject[];
}

export interface JudgeClusterTools {
  readonly judge: ScanJudge;
  readonly coverage: CoverageRecorder;
  readonly show: (progress: CollectProgress & Pick<ScanProgress, 'stage'>) => void;
}

/** Bounds memory: a cluster has two or three. */
const MAX_DAEMON_SETS = 100;

/** Reads the objects of the cluster, and judges each in the mode that its namespace would have. */
export const judgeCluster = async (
  options: ScanOptions,
  { judge, coverage, show }: JudgeClusterTools,
): Promise<JudgedCluster> => {
  const { core, config, cluster, mode, pin, namespaces, signal } = options;
  const policy = await readNamespacePolicy({ cluster, coverage, mode, pin, namespaces, signal });
  const tally = createTally();
  const remedyTally = createRemedyTally(config.places.mirrors);
  const driftCollector = createDriftCollector({
    isIstio: (reference) => judge.inspect(reference).class?.kind === 'istio',
  });
  // The validating webhook demands pins where the mutating one makes them.
  const dependencies: JudgeDependencies = {
    ...core.admission,
    limits: config.limits,
    rules: { ...core.admission.rules, pin: policy.policy.pin },
    judge,
  };
  const onProgress = (progress: CollectProgress): void => show({ ...progress, stage: 'judging' });
  const addPod = ({ namespace, owner, name, object }: CollectedObject): void =>
    driftCollector.add({ namespace, owner: ownerName(owner), name, pod: object });
  const daemonSets: JsonObject[] = [];
  let served: ServedResources | undefined;
  async function* objects(): AsyncIterable<CollectedObject> {
    served = await readServed(cluster, coverage, signal);
    yield* collect({ cluster, coverage, namespaces, served, onProgress, signal });
  }
  await judgeObjects({
    objects: objects(),
    dependencies,
    rulesOf: policy.ruleFor,
    onJudged: (object, rules, judged) => {
      if (judged === undefined) return tally.addMalformed(object);
      tally.add(object, rules, judged);
      remedyTally.add({ ...object, owner: ownerName(object.owner) }, findingsOf(judged));
      if (object.isPod) addPod(object);
      if (daemonSets.length < MAX_DAEMON_SETS && isNodeAgent(object.object)) daemonSets.push(object.object);
    },
    signal,
  }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return { policy, dependencies, tally, driftCollector, remedyTally, served, daemonSets };
};
