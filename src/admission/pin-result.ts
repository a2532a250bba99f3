import { oneLine } from '../base/index.ts';
import type { Judgement, Reason, ReasonCode } from '../policy/index.ts';
import type { AdmissionRequest } from './admission-review.ts';
import type { PinnedUse, PinPlan, Pins } from './plan-pins.ts';
import { identityOf, judgedOf, MAX_LISTED, type ReviewRecord } from './record.ts';

/** The result of one call of the mutating webhook, from which the response and the record are made. */
export interface PinResult extends Pins {
  readonly request: AdmissionRequest;
  readonly critical: boolean;
  readonly skipped: PinPlan['skipped'];
  readonly judged: readonly Judgement[];
  /** The ids of the keys whose signatures count, each once. */
  readonly keyIds: readonly string[];
  /** Present if an error was thrown: then nothing is pinned. */
  readonly failure: Extract<Reason, { code: 'internal-error' }> | undefined;
}

/** The record of one call of the mutating webhook, for one log line and the metrics. */
export interface PinRecord
  extends Omit<ReviewRecord, 'route' | 'mode' | 'verdict' | 'skipped' | 'findings' | 'told'> {
  readonly route: 'pin';
  readonly skipped: PinPlan['skipped'];
  /** The first `MAX_LISTED`. */
  readonly pinned: readonly {
    /** As written, without the digest. */
    readonly image: string;
    readonly path: string;
    readonly digest: string;
    readonly source: PinnedUse['source'];
    /** The reason why the image is not verified; absent if it is, or was not judged. */
    readonly code?: ReasonCode;
  }[];
  /** The first `MAX_LISTED`. */
  readonly unpinned: readonly {
    readonly image: string;
    readonly path: string;
    readonly code: ReasonCode;
  }[];
}

/** Creates the record of a result. */
export const pinRecordOf = (result: PinResult): PinRecord => {
  const { request, critical, skipped, pinned, unpinned, judged, keyIds, failure } = result;
  return {
    route: 'pin',
    ...identityOf(request),
    critical,
    skipped,
    pinned: pinned.slice(0, MAX_LISTED).map(({ use, digest, source, reason }) => ({
      image: oneLine(use.image, 300),
      path: use.path,
      digest,
      source,
      ...(reason === undefined ? {} : { code: reason.code }),
    })),
    unpinned: unpinned.slice(0, MAX_LISTED).map(({ use, reason }) => ({
      image: oneLine(use.image, 300),
      path: use.path,
      code: reason.code,
    })),
    ...judgedOf(judged),
    keyIds,
    incident: failure?.incident,
  };
};
