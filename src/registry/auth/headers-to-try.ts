import { ANONYMOUS, type CredentialCandidate, type CredentialCandidates } from '../credentials/candidates.ts';
import type { Caller, HttpResponse } from '../http/http-message.ts';
import type { Resource } from '../registry-request.ts';
import { SourceFault } from '../source.ts';
import { type AuthScheme, keyOfScheme } from './auth-scheme.ts';
import { type ChallengeState, createChallengeState } from './challenge-state.ts';
import { basicAuthorization, helperNotRun, passwordOf } from './fetch-token.ts';
import type { RealmOptions } from './realm.ts';
import type { SchemeMemory } from './scheme-memory.ts';
import type { TokenCache } from './token-cache.ts';

/** The authorization of one registry. */
export interface AuthorizationContext {
  readonly options: RealmOptions;
  readonly tokens: TokenCache;
  readonly candidates: CredentialCandidates;
  readonly schemes: SchemeMemory;
}

export type HeadersToTry = AsyncGenerator<string | undefined, void, HttpResponse>;

/** One request, and what was tried for it. */
interface Question extends AuthorizationContext {
  readonly resource: Resource;
  readonly caller: Caller;
  readonly state: ChallengeState;
  /** Scheme and fingerprint of what was tried: nothing is tried twice, whatever the registry responds. */
  readonly tried: Set<string>;
}

/** Tries headers. Returns true once a response was neither 401 nor 403. */
type Attempts = AsyncGenerator<string | undefined, boolean, HttpResponse>;

/**
 * The schemes to meet for one request: none, two token services with two lists of scopes each, and Basic. A registry may name
 * another one in each response; the last is Basic if it is offered.
 */
const MAX_SCHEMES = 6;

const isAccepted = ({ status }: HttpResponse): boolean => status !== 401 && status !== 403;

const attemptOf = (scheme: AuthScheme, fingerprint: string): string =>
  `${keyOfScheme(scheme)} ${fingerprint}`;

async function* tryCachedToken(question: Question): Attempts {
  const { tokens, candidates, schemes, resource, state, tried } = question;
  const { path } = resource;
  const met = schemes.find(resource)?.scheme;
  const token = met?.kind === 'bearer' ? tokens.find(path, met) : undefined;
  if (met === undefined || token === undefined) return false;
  const response = yield `Bearer ${token.value}`;
  if (isAccepted(response)) return true;
  if (response.status === 403) {
    state.learn(response, met, token.fingerprint);
    // Another token for these credentials would not help.
    candidates.markRefused(path, token.fingerprint);
    tried.add(attemptOf(met, token.fingerprint));
  } else state.learn(response, undefined, token.fingerprint);
  // A token is not to blame where another scheme is required.
  if (state.scheme()?.kind !== 'basic') tokens.remove(path, token.value);
  return false;
}

async function* tryAnonymously({ schemes, resource, state }: Question): Attempts {
  const response = yield undefined;
  if (isAccepted(response)) schemes.addAnonymous(resource);
  else state.learn(response, undefined, ANONYMOUS);
  return isAccepted(response);
}

/** Throws a fault if the credentials are not a user name and password. */
const basicHeaderFor = (
  { credentials }: CredentialCandidate,
  repository: string,
  registry: string,
): string => {
  const password = passwordOf(credentials);
  if (password !== undefined) return basicAuthorization(password);
  const reason =
    credentials?.kind === 'helper' ? helperNotRun(credentials) : `none is configured for ${repository}`;
  const detail = `${registry} requires a user name and password, but ${reason}`;
  throw new SourceFault('refused', detail, { asked: true });
};

const headerFor = async (
  { options: { registry }, tokens, resource: { path }, caller }: Question,
  scheme: AuthScheme,
  candidate: CredentialCandidate,
): Promise<string> => {
  const { credentials } = candidate;
  if (credentials?.kind === 'registry-token') return `Bearer ${credentials.token}`;
  return scheme.kind === 'basic'
    ? basicHeaderFor(candidate, `${registry}/${path}`, registry)
    : `Bearer ${await tokens.get(path, { ...candidate, scheme }, caller)}`;
};

/** Tries one set of credentials. */
async function* tryCandidate(
  question: Question,
  scheme: AuthScheme,
  candidate: CredentialCandidate,
): Attempts {
  const { tokens, candidates, schemes, resource, state } = question;
  const { path } = resource;
  try {
    const header = await headerFor(question, scheme, candidate);
    const response = yield header;
    if (isAccepted(response)) {
      schemes.addAccepted(resource, scheme);
      return true;
    }
    tokens.remove(path, header.replace(/^Bearer /, ''));
    state.learn(response, scheme, candidate.fingerprint);
    if (!state.requires(scheme)) return false;
  } catch (error) {
    state.noteFault(error);
    if (!(error instanceof SourceFault && error.code === 'refused')) throw error;
  }
  candidates.markRefused(path, candidate.fingerprint);
  return false;
}

/** Tries all credentials until a response requires another scheme. */
async function* tryCandidates(question: Question, scheme: AuthScheme): Attempts {
  const { candidates, resource, state, tried } = question;
  try {
    for await (const candidate of candidates.inOrder(resource.path)) {
      const attempt = attemptOf(scheme, candidate.fingerprint);
      if (tried.has(attempt)) continue;
      tried.add(attempt);
      if (yield* tryCandidate(question, scheme, candidate)) return true;
      if (!state.requires(scheme)) return false;
    }
  } catch (error) {
    // It stays for the end: a token service that is known from memory alone may be another's by now.
    state.noteFault(error);
  }
  return false;
}

/**
 * True if nothing is left to try for a request that was challenged itself: a header was refused, or a token service or a source
 * of credentials failed.
 */
const isOver = (state: ChallengeState): boolean => {
  const hasFailed = (state.fault()?.code ?? 'refused') !== 'refused';
  return state.isConfirmed() && (state.isRefused() || hasFailed);
};

/**
 * Yields the headers for one request: the cached token, then each set of credentials as the challenge requires. What was
 * remembered of the repository is where it begins and never why it ends: a request that was not challenged itself is sent
 * without a header, and the challenge that then comes is met.
 */
export async function* createHeadersToTry(
  context: AuthorizationContext,
  resource: Resource,
  caller: Caller,
): HeadersToTry {
  const state = createChallengeState(context.options, context.schemes, resource);
  const question = { ...context, resource, caller, state, tried: new Set<string>() };
  if (yield* tryCachedToken(question)) return;
  let isAnonymousRefused = false;
  for (let count = 0; count < MAX_SCHEMES; count += 1) {
    const scheme = state.scheme(count === MAX_SCHEMES - 1);
    if (scheme === undefined) {
      if (isAnonymousRefused) break;
      isAnonymousRefused = true;
      if (yield* tryAnonymously(question)) return;
      continue;
    }
    if (yield* tryCandidates(question, scheme)) return;
    if (!state.requires(scheme)) continue;
    state.exhaust(scheme);
    if (state.scheme() !== undefined) continue;
    if (isAnonymousRefused || isOver(state)) break;
    state.forgetSchemes();
  }
  context.schemes.expire(resource);
  const fault = state.fault();
  if (fault !== undefined) throw fault;
}
