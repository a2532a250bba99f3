import type { ReportError } from '../base/index.ts';
import { type Log, type Metrics, parseScanCounts, type ScanCounts } from '../observability/index.ts';
import { follow, type SharedContent, type SharedObject } from '../registry/index.ts';

interface FollowScanDependencies {
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'watchScan'>;
  readonly report: ReportError;
  readonly shutdown: AbortSignal;
}

/** The key of the kept result that holds its counts. */
const COUNTS = 'counts.json';

/**
 * Exposes the counts of the last scan, which a ConfigMap keeps, and follows it until the shutdown. What is malformed is
 * reported once, and the counts before it stay: whoever may write that object can choose numbers, and break nothing.
 */
export const followScan = (
  object: SharedObject,
  { log, metrics, report, shutdown }: FollowScanDependencies,
): void => {
  let counts: ScanCounts | undefined;
  let malformed: string | undefined;
  metrics.watchScan(() => counts);
  const receive = (content: SharedContent | undefined): void => {
    const text = content?.data[COUNTS];
    if (text === undefined) return;
    const parsed = parseScanCounts(text);
    if (parsed !== undefined) counts = parsed;
    else if (text !== malformed)
      log.warn({ object: object.name }, 'the counts of the last scan are malformed and ignored');
    malformed = parsed === undefined ? text : undefined;
  };
  void follow({
    object,
    receive,
    report,
    whenAbsent: 'there are no metrics of scans',
    signal: shutdown,
  });
};
