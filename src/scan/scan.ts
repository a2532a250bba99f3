import { createCoverage } from './collect/index.ts';
import { type FoundDrift, findDrift } from './drift/find-drift.ts';
import { createScanJudge, type ScanJudge } from './judge/scan-judge.ts';
import { type JudgedCluster, judgeCluster } from './judge-cluster.ts';
import { lookAhead } from './look-ahead.ts';
import { findRemedies } from './remedies/find-remedies.ts';
import { scannedKeysOf, summaryOf, withCut } from './scan-document.ts';
import type { ScanOptions, ScanProgress } from './scan-options.ts';
import { type Remedy, SCAN_SCHEMA, type ScanResult } from './scan-result.ts';
import { bySeriousness, scannedImageOf } from './tally/scanned-image.ts';

const findClusterDrift = (
  { core, signal }: ScanOptions,
  judge: ScanJudge,
  { driftCollector }: JudgedCluster,
  onRequest: () => void,
): Promise<FoundDrift> =>
  findDrift({
    uses: driftCollector.uses(),
    omitted: driftCollector.omitted(),
    // A digest that the verifier knew before this scan was asked about nowhere else.
    judgementOf: (reference) => judge.recall(reference) ?? core.admission.judge.recall(reference),
    open: core.openRepository,
    onRequest,
    signal,
  });

const findClusterRemedies = (
  { config, verifyFlags, signal, now }: ScanOptions,
  judge: ScanJudge,
  { remedyTally }: JudgedCluster,
  { drift }: FoundDrift,
): Promise<readonly Remedy[]> =>
  findRemedies({ tally: remedyTally, drift, config, judge, flags: verifyFlags, signal, now: now() });

type Step = Pick<ScanProgress, 'stage' | 'resource' | 'done' | 'total'>;

/** Milliseconds: while a registry is slow, what is being verified changes and nothing else does. */
const REPEAT_MS = 500;

/** Creates the function that tells the progress, and tells it again until it is stopped. */
const createShow = ({ onProgress }: ScanOptions, judge: ScanJudge) => {
  let last: Step | undefined;
  const tell = (): void => {
    if (last !== undefined) onProgress({ ...last, images: judge.cost().images, current: judge.current()[0] });
  };
  const timer = setInterval(tell, REPEAT_MS);
  return {
    show: (step: Step): void => {
      last = step;
      tell();
    },
    stop: (): void => clearInterval(timer),
  };
};

/** Scans a cluster with the judge of this scan. */
const scanWith = async (
  options: ScanOptions,
  judge: ScanJudge,
  show: (step: Step) => void,
): Promise<ScanResult> => {
  const { core, cluster, signal, now } = options;
  const startedAt = now();
  const coverage = createCoverage();
  let driftRequests = 0;
  const version = await cluster.serverVersion(signal).catch(() => undefined);
  const judged = await judgeCluster(options, { judge, coverage, show });
  show({ stage: 'comparing', resource: 'images', done: 0, total: undefined });
  const drift = await findClusterDrift(options, judge, judged, () => {
    driftRequests += 1;
  });
  const { tally, policy } = judged;
  const context = { ring: core.ring(), flags: options.verifyFlags };
  const images = tally
    .images()
    .map((image) => scannedImageOf(image, context))
    .toSorted(bySeriousness);
  show({ stage: 'comparing', resource: 'configuration', done: 0, total: undefined });
  const ahead = await lookAhead(options, { judge, coverage, judged, images });
  show({ stage: 'comparing', resource: 'copies', done: 0, total: undefined });
  const remedies = await findClusterRemedies(options, judge, judged, drift);
  const owners = tally.owners();
  const cut = [...judge.cut(), ...tally.cut(), ...drift.cut];
  return {
    schema: SCAN_SCHEMA,
    version: options.version,
    startedAt: new Date(startedAt).toISOString(),
    durationMs: now() - startedAt,
    complete: !signal.aborted,
    cluster: { server: options.server, version: version ?? null, context: options.context },
    policy: policy.policy,
    keys: scannedKeysOf(core.ring()),
    summary: summaryOf(tally.pods(), images, owners, drift, ahead.preflight),
    images,
    owners,
    remedies,
    preflight: ahead.preflight,
    drift: drift.drift,
    versions: tally.versions(new Date(startedAt).toISOString().slice(0, 10)),
    notices: ahead.notices,
    coverage: withCut(coverage.result(), ...cut),
    cost: {
      apiRequests: cluster.requestCount(),
      registryRequests: judge.cost().requests + driftRequests,
    },
  };
};

/**
 * Scans a cluster: reads its objects page by page, asks admission about each, and verifies each image once. What could not
 * be read is said by the coverage. Ends early with the signal, and resolves with what is known by then. Rejects with a
 * `ClusterFault` if the API server does not respond at all or does not accept the credentials.
 */
export const runScan = (options: ScanOptions): Promise<ScanResult> => {
  const { core, timeout, signal } = options;
  const judge = createScanJudge({ judge: core.admission.judge, timeout, signal });
  const { show, stop } = createShow(options, judge);
  return scanWith(options, judge, show).finally(stop);
};
