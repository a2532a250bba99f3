import type { Digest } from '../image/index.ts';
import type { Source } from '../registry/index.ts';
import type { Era, Memory } from './era.ts';
import type { Answer, Spent } from './flights.ts';
import { isObstacle } from './obstacle.ts';
import { type Findings, readSignatures } from './read-signatures.ts';
import type { Question } from './verification.ts';
import type { VerifierOptions } from './verifier-options.ts';

/** One question on its way to a verdict. */
export interface Visit {
  readonly options: VerifierOptions;
  readonly memory: Memory;
  readonly question: Question;
  readonly signal: AbortSignal;
  readonly source: Source;
  /** What this question's own flights sent. */
  readonly spent: Spent;
}

export const createVisit = (
  options: VerifierOptions,
  memory: Memory,
  question: Question,
  signal: AbortSignal,
): Visit => {
  const { registry, path } = question.reference;
  const spent = { requests: 0 };
  const count = () => {
    spent.requests += 1;
  };
  return { options, memory, question, signal, spent, source: options.open({ registry, path }, count) };
};

/** The tag asked for; `latest` where none is written. */
export const tagOf = ({ reference }: Question): string => reference.tag ?? 'latest';

/** What the tag stands for now, asked once for everyone who asks meanwhile. */
export const resolveTag = (visit: Visit): Promise<Answer<Digest | undefined>> => {
  const { memory, question, source, spent } = visit;
  const tag = tagOf(question);
  const ask = async (signal: AbortSignal) => {
    const digest = await source.resolve(tag, signal);
    memory.tags.add(question.reference.repository, tag, digest);
    return digest;
  };
  return memory.tagFlights.join(`${source.id}:${tag}`, spent, ask, visit.signal);
};

/** What the source holds for the digest. Remembered by the flight, so also where every caller has left it. */
export const askSource = (visit: Visit, digest: Digest, era: Era): Promise<Answer<Findings>> => {
  const { options, memory, question, source, spent } = visit;
  const name = question.reference.path.split('/').at(-1) ?? '';
  const likelyNames = [question.reference.repository, ...(options.hubs ?? []).map((hub) => `${hub}/${name}`)];
  const ask = async (signal: AbortSignal): Promise<Findings> => {
    const wanted = { ...options.limits, digest, ring: era.ring, likelyNames };
    const { signatures, failure } = await readSignatures(source, wanted, signal);
    if (signatures.length === 0 && failure !== undefined && !isObstacle(failure))
      era.rejected.add(source.id, digest, failure);
    return { signatures: memory.verified.add(digest, signatures), failure };
  };
  return era.flights.join(`${source.id}@${digest}`, spent, ask, visit.signal);
};
