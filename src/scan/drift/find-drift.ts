import { oneLine } from '../../base/index.ts';
import type { Digest, ImageReference } from '../../image/index.ts';
import type { Judgement } from '../../policy/index.ts';
import { createSourceCaller, type OpenSource } from '../../registry/index.ts';
import type { Drift } from '../scan-result.ts';
import { compareRunning } from './compare.ts';
import type { RunningUse } from './drift-collector.ts';
import { createImageContent, type ImageContent } from './image-content.ts';
import { parseImageId } from './image-id.ts';

/** The drift of a cluster. The numbers are of containers, before the list was cut. */
export interface FoundDrift {
  readonly drift: readonly Drift[];
  readonly drifted: number;
  readonly unknown: number;
  /** Sentences for `coverage.cut`. */
  readonly cut: readonly string[];
}

export interface DriftOptions {
  readonly uses: readonly RunningUse[];
  /** Containers that the collector left out. */
  readonly omitted: number;
  /** The judgement of a reference; undefined: it was not judged. */
  readonly judgementOf: (reference: string) => Judgement | undefined;
  readonly open: OpenSource;
  /** Called for each request to a registry. */
  readonly onRequest: () => void;
  readonly signal: AbortSignal;
  readonly maxRows?: number;
}

/** For each verified digest, with those that its verification took. */
const MAX_REQUESTS = 7;
const MAX_ROWS = 2_000;
const MAX_ID = 300;
/** Digests that are compared at a time. */
const PARALLEL = 4;

/** The digest that a use is compared to, or the reason why there is none. */
type Verified =
  | { readonly digest: Digest; readonly reference: ImageReference; readonly requests: number }
  | { readonly why: string }
  /** Not Istio's, or not verified: it is named as such, and nothing else is expected of it. */
  | undefined;

const verifiedOf = (judgement: Judgement | undefined): Verified => {
  if (judgement === undefined) return { why: 'the image was not judged' };
  const { reference, verification, class: imageClass } = judgement;
  if (imageClass?.kind !== 'istio' || reference === undefined || verification === undefined) return undefined;
  if (verification.outcome === 'undetermined')
    return { why: `the image could not be verified (${verification.reason.code})` };
  if (verification.outcome === 'rejected') return undefined;
  return { digest: verification.digest, reference, requests: verification.requests };
};

type Row = Omit<Drift, 'podNames'> & { readonly podNames: readonly string[] };

const rowOf = (use: RunningUse, verified: Digest | null, answer: Pick<Drift, 'status' | 'message'>): Row => ({
  ...answer,
  reference: use.reference,
  verified,
  running: oneLine(use.imageId, MAX_ID),
  namespace: use.namespace,
  owner: use.owner,
  container: use.container,
  pods: use.pods,
  podNames: use.podNames,
});

const messageOfDrift = ({ digest: named }: ImageReference): string =>
  named === undefined
    ? 'the node runs another image than the tag stands for now: the tag has moved since the container started'
    : 'the node runs another image than the one that the digest of the reference names';

/** Creates the function that finds the content of a verified digest, shared by all uses of it. */
const createContents = ({ open, onRequest, signal }: DriftOptions) => {
  const contents = new Map<string, ImageContent>();
  return ({ digest, reference, requests }: Extract<Verified, { digest: Digest }>): ImageContent => {
    const { repository } = reference;
    const key = `${repository.name}@${digest}`;
    const known = contents.get(key);
    if (known !== undefined) return known;
    let sent = 0;
    const caller = createSourceCaller(() => {
      sent += 1;
      onRequest();
    });
    const content = createImageContent({
      source: open(repository, caller),
      maxRequests: MAX_REQUESTS - requests,
      sent: () => sent,
      signal,
    });
    contents.set(key, content);
    return content;
  };
};

const rowFor = async (
  use: RunningUse,
  judgementOf: DriftOptions['judgementOf'],
  contentOf: ReturnType<typeof createContents>,
): Promise<Row | undefined> => {
  const verified = verifiedOf(judgementOf(use.reference));
  if (verified === undefined) return undefined;
  if ('why' in verified)
    return rowOf(use, null, { status: 'unknown', message: `not compared: ${verified.why}` });
  const { digest, reference } = verified;
  const running = parseImageId(use.imageId);
  if (running === undefined) {
    const message =
      use.imageId === '' ? 'the node reports no image ID' : 'the image ID has no form that is known';
    return rowOf(use, digest, { status: 'unknown', message });
  }
  if (running.digest === digest) return undefined;
  const answer = await compareRunning(running, digest, contentOf(verified));
  if (answer.status === 'same') return undefined;
  return rowOf(
    use,
    digest,
    answer.status === 'drifted' ? { status: 'drifted', message: messageOfDrift(reference) } : answer,
  );
};

const compareRows = (left: Row, right: Row): number =>
  (left.status === right.status ? 0 : left.status === 'drifted' ? -1 : 1) ||
  right.pods - left.pods ||
  `${left.namespace} ${left.owner}`.localeCompare(`${right.namespace} ${right.owner}`);

const countOf = (rows: readonly Row[], status: Drift['status']): number =>
  rows.reduce((sum, row) => sum + (row.status === status ? row.pods : 0), 0);

/**
 * Finds the containers that run another digest than the one verified now, and those of which it is not known. Sends requests
 * only for an image ID that is not the verified digest itself. Nothing rejects.
 */
export const findDrift = async (options: DriftOptions): Promise<FoundDrift> => {
  const { uses, omitted, judgementOf, signal, maxRows = MAX_ROWS } = options;
  const contentOf = createContents(options);
  const rows: Row[] = [];
  const waiting = uses.values();
  const work = async (): Promise<void> => {
    for (const use of waiting) {
      const row = await rowFor(use, judgementOf, contentOf);
      // An image that an interrupted scan did not get to is not unknown: the scan says that it is not complete.
      if (row !== undefined && !(signal.aborted && row.status === 'unknown')) rows.push(row);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  rows.sort(compareRows);
  const left = rows.length - maxRows;
  return {
    drift: rows.slice(0, maxRows),
    drifted: countOf(rows, 'drifted'),
    unknown: countOf(rows, 'unknown'),
    cut: [
      ...(omitted > 0
        ? [`${omitted} containers were not compared to what is verified: too many are different`]
        : []),
      ...(left > 0 ? [`${left} rows of drift are counted and not listed`] : []),
    ],
  };
};
