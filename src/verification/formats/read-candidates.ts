import { ownTurn } from '../../base/index.ts';
import { type Source, SourceFault } from '../../registry/index.ts';
import type { FindCandidate, Format, FoundCandidate } from './candidate.ts';
import {
  type CandidateResult,
  type CandidateResults,
  type SignatureQuery,
  unreadFor,
} from './candidate-result.ts';
import { judgeCandidate } from './judge-candidate.ts';

/** Candidates that are read at once. A genuine image has one or two. */
const AT_ONCE = 8;

interface Reading {
  readonly format: Format;
  readonly query: SignatureQuery;
  readonly signal: AbortSignal;
}

/** Reads and judges a candidate that was found. Rejects only for an error that is not the source's fault. */
const resultOf = async (
  found: FoundCandidate | CandidateResult,
  { format, query }: Reading,
): Promise<CandidateResult> => {
  if ('kind' in found) return found;
  try {
    const candidate = await found.read();
    if ('kind' in candidate) return candidate;
    // A proof of the log takes milliseconds.
    if (query.proveLogged !== undefined) await ownTurn();
    return judgeCandidate(candidate, format, query);
  } catch (error) {
    return unreadFor(error);
  }
};

/** Finds candidates at once. Returns them in their order, and the bytes that were read for them. */
const findAll = async (batch: readonly FindCandidate[]) => {
  let bytes = 0;
  const count = (read: number): void => {
    bytes += read;
  };
  const found = await Promise.all(batch.map((find) => find(count).catch(unreadFor)));
  return { found, bytes };
};

/** Returns as many as `bytes` suffice for, from the first on. */
const fitting = (found: readonly (FoundCandidate | CandidateResult)[], bytes: number) => {
  let left = bytes;
  const end = found.findIndex((each) => {
    left -= 'kind' in each ? 0 : Math.max(each.size, 0);
    return left < 0;
  });
  const fit = end === -1 ? found : found.slice(0, end);
  return { fit, left, areAll: end === -1 };
};

const timeIsUp: CandidateResult = {
  kind: 'unread',
  fault: new SourceFault('deadline', 'the time ended before all signatures were read', { asked: true }),
};

/**
 * Reads and judges the candidates of one format: few at a time, in the order of the list, until the limits on their number
 * and their bytes. So neither the time they take nor the order in which they arrive decides which of them count. `early`
 * receives the results of each few.
 */
export const readCandidates = async (
  source: Source,
  reading: Reading,
  early: (results: readonly CandidateResult[]) => void,
): Promise<CandidateResults> => {
  const { format, query, signal } = reading;
  const list = await format.listCandidates(source, query, signal);
  const tried = list.candidates.slice(0, query.signatureCandidates);
  const results: CandidateResult[] = list.fault === undefined ? [] : [unreadFor(list.fault)];
  let bytesLeft = query.signatureBytes - list.bytes;
  for (let start = 0; start < tried.length; start += AT_ONCE) {
    if (signal.aborted) return { results: [...results, timeIsUp], more: true };
    const { found, bytes } = await findAll(tried.slice(start, start + AT_ONCE));
    const { fit, left, areAll } = fitting(found, bytesLeft - bytes);
    const read = await Promise.all(fit.map((each) => resultOf(each, reading)));
    results.push(...read);
    early(read);
    if (!areAll) return { results, more: true };
    bytesLeft = left;
  }
  return { results, more: list.more || list.candidates.length > tried.length };
};
