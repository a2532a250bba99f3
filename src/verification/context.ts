import type { Digest, Repository } from '../image/index.ts';
import { type Source, SourceFault } from '../registry/index.ts';
import type { VerifierDependencies } from './dependencies.ts';
import { readSignatures } from './formats/read-signatures.ts';
import type { Memory, RingGeneration, SourceResult } from './memory/memory.ts';
import type { FlightResult, RequestCount } from './memory/single-flight.ts';
import { isUndeterminedReason } from './undetermined-reason.ts';
import type { VerificationRequest } from './verification.ts';

/** One question on its way to a verdict. */
export interface VerificationContext {
  readonly options: VerifierDependencies;
  readonly memory: Memory;
  readonly question: VerificationRequest;
  readonly signal: AbortSignal;
  /** Evidence, which is asked first. */
  readonly evidence: readonly Source[];
  /** What this question's own flights sent. */
  readonly spent: RequestCount;
}

export const createContext = (
  options: VerifierDependencies,
  memory: Memory,
  question: VerificationRequest,
  signal: AbortSignal,
): VerificationContext => {
  const evidence = options.openEvidence?.(question.reference.repository.name) ?? [];
  return { options, memory, question, signal, evidence, spent: { requests: 0 } };
};

/** A repository as a source, whose requests are this visit's. */
const openRepository = ({ options, spent }: VerificationContext, repository: Repository): Source =>
  options.open(repository, () => {
    spent.requests += 1;
  });

/** The repositories that may hold signatures, in order; none offline. */
export const repositoriesOf = (visit: VerificationContext): readonly Source[] =>
  visit.options.offline === true
    ? []
    : visit.question.signaturesAt.map((repository) => openRepository(visit, repository));

/** The tag asked for; `latest` where none is written. */
export const tagOf = ({ reference }: VerificationRequest): string => reference.tag ?? 'latest';

/** What evidence says a tag stands for: the first answer. What cannot be read is a fault only where no other answers. */
const resolveOffline = async (
  evidence: readonly Source[],
  tag: string,
  signal: AbortSignal,
): Promise<Digest | undefined> => {
  let fault: SourceFault | undefined;
  for (const source of evidence) {
    try {
      const digest = await source.resolve(tag, signal);
      if (digest !== undefined) return digest;
    } catch (error) {
      if (!(error instanceof SourceFault)) throw error;
      fault ??= error;
    }
  }
  if (fault !== undefined) throw fault;
  return undefined;
};

/** What the tag stands for now, asked once for everyone who asks meanwhile. Evidence is asked offline alone. */
export const resolveTag = (visit: VerificationContext): Promise<FlightResult<Digest | undefined>> => {
  const { options, memory, question, evidence, spent } = visit;
  const { repository } = question.reference;
  const tag = tagOf(question);
  const ask = async (signal: AbortSignal) => {
    const digest = await (options.offline === true
      ? resolveOffline(evidence, tag, signal)
      : openRepository(visit, repository).resolve(tag, signal));
    memory.tags.add(repository.name, tag, digest);
    return digest;
  };
  return memory.tagFlights.join(`${repository.name}:${tag}`, spent, ask, visit.signal);
};

/** Names this digest was likely signed under, so that a payload need not be fetched. */
const likelyNamesOf = ({ options, question }: VerificationContext): readonly string[] => {
  const { reference, component, signaturesAt } = question;
  const segments = [
    reference.repository.path.split('/').at(-1) ?? '',
    ...(component === undefined ? [] : [component]),
  ];
  const atHubs = (options.hubs ?? []).flatMap((hub) => segments.map((segment) => `${hub}/${segment}`));
  const repositories = [...signaturesAt, reference.repository].map(({ name }) => name);
  return [...new Set([...repositories, ...atHubs])];
};

/** What a source holds for the digest. Remembered by the flight, so also where every caller has left it. */
export const askSource = (
  visit: VerificationContext,
  source: Source,
  digest: Digest,
  era: RingGeneration,
): Promise<FlightResult<SourceResult>> => {
  const { options, memory, evidence, spent } = visit;
  const ask = async (signal: AbortSignal): Promise<SourceResult> => {
    const { limits, proveLogged } = options;
    const wanted = { ...limits, digest, ring: era.ring, proveLogged, likelyNames: likelyNamesOf(visit) };
    const { valid, failure } = await readSignatures(source, wanted, signal, (early) =>
      memory.verified.add(
        digest,
        early.map(({ signature }) => signature),
      ),
    );
    if (valid.length === 0 && failure !== undefined && !isUndeterminedReason(failure))
      era.rejected.add(source.id, digest, failure);
    if (valid.length > 0 && !evidence.includes(source))
      options.storeProofs?.(valid.map(({ proof }) => proof));
    const signatures = valid.map(({ signature }) => signature);
    return { signatures: memory.verified.add(digest, signatures), failure };
  };
  return era.flights.join(`${source.id}@${digest}`, spent, ask, visit.signal);
};
