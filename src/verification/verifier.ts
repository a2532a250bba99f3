import type { Digest } from '../image/index.ts';
import type { OpenSource, Source } from '../registry/index.ts';
import { type Answer, createFlights, type Flights, type Spent } from './flights.ts';
import type { KeyRing } from './key-ring.ts';
import {
  createRejectedMemory,
  createTagMemory,
  createVerifiedMemory,
  type MemoryLimits,
  type RejectedMemory,
  type TagMemory,
  type VerifiedMemory,
} from './memory.ts';
import { isObstacle, obstacleOfThrown, type Report } from './obstacle.ts';
import { type Findings, readSignatures } from './read-signatures.ts';
import { selectSignatures } from './select.ts';
import type {
  Obstacle,
  Question,
  Rejection,
  Undetermined,
  Verification,
  Verified,
  VerifyImage,
} from './verification.ts';

export interface VerifierLimits extends MemoryLimits {
  /** How many candidates of a digest are tried. */
  readonly signatureCandidates: number;
  /** Bytes a signed payload may have. */
  readonly payloadBytes: number;
  /** Milliseconds a question to a source may take, whoever waits for it. */
  readonly flightDeadline: number;
}

export interface VerifierOptions {
  readonly open: OpenSource;
  /** The keys of this moment; asked at every use. */
  readonly ring: () => KeyRing;
  readonly limits: VerifierLimits;
  /** Milliseconds a tag's digest may be remembered; 0: not at all. */
  readonly tagMemory: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly report: Report;
  /** Hubs whose signatures mirrors copy, in normal form: under their names a payload is rebuilt, not fetched. */
  readonly hubs?: readonly string[];
}

/** What is true only while the ring stays as it is. */
interface Era {
  readonly ring: KeyRing;
  readonly rejected: RejectedMemory;
  readonly flights: Flights<Findings>;
}

interface Memory {
  readonly verified: VerifiedMemory;
  readonly tags: TagMemory;
  readonly tagFlights: Flights<Digest | undefined>;
  /** The era of the ring of this moment: a changed ring begins a new one, without *rejected* and without its flights. */
  readonly era: () => Era;
}

/** One question on its way to a verdict. */
interface Visit {
  readonly options: VerifierOptions;
  readonly memory: Memory;
  readonly question: Question;
  readonly signal: AbortSignal;
  readonly source: Source;
  /** What this question's own flights sent. */
  readonly spent: Spent;
}

const createMemory = ({ limits, now, report, ring, tagMemory }: VerifierOptions): Memory => {
  const flying = { deadline: limits.flightDeadline, report };
  const begin = (keys: KeyRing): Era => ({
    ring: keys,
    rejected: createRejectedMemory(limits, now),
    flights: createFlights(flying),
  });
  let era: Era | undefined;
  return {
    verified: createVerifiedMemory(limits),
    tags: createTagMemory(limits, { tagMemory, now }),
    tagFlights: createFlights(flying),
    era: () => {
      const keys = ring();
      if (keys !== era?.ring) era = begin(keys);
      return era;
    },
  };
};

const tagOf = ({ reference }: Question): string => reference.tag ?? 'latest';

const undetermined = (digest: Digest | undefined, reason: Obstacle, requests: number): Undetermined => ({
  outcome: 'undetermined',
  digest,
  reason,
  requests,
  fromMemory: false,
});

/** *Verified* from memory, for this use; the way most questions go. */
const recallVerified = (
  memory: Memory,
  question: Question,
  digest: Digest,
  requests: number,
): Verified | undefined => {
  const selection = selectSignatures(memory.verified.find(digest), question, memory.era().ring);
  if (!selection.satisfied) return undefined;
  const { signatures, componentProven } = selection;
  return { outcome: 'verified', digest, signatures, componentProven, requests, fromMemory: true };
};

/** Where resolving a tag got no answer: what its last answer stands for, if that is verified for this use. */
const findStandIn = ({ memory, question }: Visit): Undetermined['standsFor'] => {
  const last = memory.tags.last(question.reference.repository, tagOf(question));
  if (last?.digest === undefined) return undefined;
  const verified = recallVerified(memory, question, last.digest, 0);
  return verified && { answeredAt: last.at, verified };
};

const gotNoAnswer = (obstacle: Obstacle): boolean =>
  obstacle.code === 'registry-unavailable' ||
  obstacle.code === 'registry-rate-limited' ||
  (obstacle.code === 'deadline-exceeded' && obstacle.asked);

const withoutTag = (visit: Visit, obstacle: Obstacle): Undetermined => {
  const verdict = undetermined(undefined, obstacle, visit.spent.requests);
  const standsFor = gotNoAnswer(obstacle) ? findStandIn(visit) : undefined;
  return standsFor === undefined ? verdict : { ...verdict, standsFor };
};

/** What the tag stands for now, asked once for everyone who asks meanwhile. */
const resolveTag = (visit: Visit): Promise<Answer<Digest | undefined>> => {
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
const askSource = (visit: Visit, digest: Digest, era: Era): Promise<Answer<Findings>> => {
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

/** The verdict on valid signatures and on the failure of the others, for this use. */
const conclude = (visit: Visit, digest: Digest, findings: Findings, fromMemory: boolean): Verification => {
  const { memory, question } = visit;
  const { requests } = visit.spent;
  const selection = selectSignatures(findings.signatures, question, memory.era().ring);
  if (selection.satisfied) {
    const { signatures, componentProven } = selection;
    return { outcome: 'verified', digest, signatures, componentProven, requests, fromMemory };
  }
  if (findings.failure !== undefined && isObstacle(findings.failure))
    return undetermined(digest, findings.failure, requests);
  const reason: Rejection = selection.reason ??
    findings.failure ?? { code: 'signer-untrusted', detail: 'the key that made it has left the ring' };
  return { outcome: 'rejected', digest, reason, requests, fromMemory };
};

/** From the question to the verdict, where memory alone does not suffice. */
const verifyImage = async (visit: Visit, known: Digest | undefined): Promise<Verification> => {
  const { memory, question, source, spent } = visit;
  const resolved = known === undefined ? await resolveTag(visit) : ({ ok: true, value: known } as const);
  if (!resolved.ok) return withoutTag(visit, resolved.obstacle);
  const digest = resolved.value;
  if (digest === undefined)
    return {
      outcome: 'rejected',
      digest,
      reason: { code: 'image-not-found' },
      requests: spent.requests,
      fromMemory: false,
    };

  const verified = recallVerified(memory, question, digest, spent.requests);
  if (verified !== undefined) return verified;

  const era = memory.era();
  const failure = era.rejected.find(source.id, digest);
  if (failure !== undefined)
    return conclude(visit, digest, { signatures: memory.verified.find(digest), failure }, true);

  const answer = await askSource(visit, digest, era);
  if (!answer.ok) return undetermined(digest, answer.obstacle, spent.requests);
  return conclude(visit, digest, answer.value, false);
};

const createVisit = (
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

/**
 * Verifies images by the signatures of their repositories (design.md, "Memory"). A digest that is remembered is
 * answered without a source and without waiting. The function returned never rejects.
 */
export const createVerifier = (options: VerifierOptions): VerifyImage => {
  const memory = createMemory(options);
  const unexpected = (error: unknown): Undetermined =>
    undetermined(undefined, obstacleOfThrown(error, options.report), 0);
  return (question, signal) => {
    try {
      const { reference } = question;
      const digest = reference.digest ?? memory.tags.fresh(reference.repository, tagOf(question));
      const remembered = digest && recallVerified(memory, question, digest, 0);
      if (remembered !== undefined) return Promise.resolve(remembered);
      return verifyImage(createVisit(options, memory, question, signal), digest).catch(unexpected);
    } catch (error) {
      return Promise.resolve(unexpected(error));
    }
  };
};
