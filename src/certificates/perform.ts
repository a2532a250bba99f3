import type { CertificateSettings } from '../config/index.ts';
import type { Step } from './plan.ts';
import {
  type CertificateAuthority,
  type Issuer,
  readIssuer,
  readLeaf,
  type State,
  sortAuthorities,
} from './state.ts';
import { isValid } from './validity.ts';

export interface StepContext {
  readonly now: number;
  readonly settings: CertificateSettings;
  /** The CAs that were trusted after the last reconciliation: replicas serve certificates of them. */
  readonly lastTrusted: readonly CertificateAuthority[];
}

/** A CA of a lost Secret stays trusted for this many times `overlap`: every replica has rotated by then. */
const OVERLAPS_AFTER_LOSS = 3;

/** Loads the library that writes X.509, which takes a tenth of a second. */
const loadIssue = () => import('./issue.ts');

const createAuthority = async ({ now, settings }: StepContext): Promise<Issuer> =>
  readIssuer(await (await loadIssue()).issueAuthority(now, settings.caLifetime));

/** Returns the state with a new leaf of `issuer`, which issues from now on. */
const withLeaf = async (
  state: State,
  issuer: Issuer,
  names: readonly string[],
  { now, settings }: StepContext,
): Promise<State> => {
  const { issueLeaf } = await loadIssue();
  const until = now + settings.lifetime;
  const leaf = readLeaf(await issueLeaf(issuer, names, { now, until }), issuer);
  // A replica may serve the previous leaf, which may end later: `lifetime` may have been shortened.
  const last = Math.max(leaf.until, state.issuedUntil.get(issuer.id) ?? 0, leafEndOf(state, issuer));
  return {
    ...state,
    issuer,
    leaf,
    issuedUntil: new Map([...state.issuedUntil, [issuer.id, last]]),
  };
};

const leafEndOf = ({ leaf }: State, { id }: CertificateAuthority): number =>
  leaf?.issuer === id ? leaf.until : 0;

/** Trusts the CAs of a lost Secret a while longer, because replicas still serve certificates of them. */
const withLastTrusted = (state: State, { lastTrusted: known, now, settings }: StepContext): State => {
  const lost = known.filter((ca) => isValid(ca, now) && !state.trusted.some(({ id }) => id === ca.id));
  const until = now + OVERLAPS_AFTER_LOSS * settings.overlap;
  return {
    ...state,
    trusted: sortAuthorities([...state.trusted, ...lost]),
    issuedUntil: new Map([...state.issuedUntil, ...lost.map(({ id }) => [id, until] as const)]),
  };
};

const begin = async (state: State, context: StepContext): Promise<State> => {
  const authority = await createAuthority(context);
  const before = withLastTrusted(state, context);
  const trusted = sortAuthorities([...before.trusted, authority]);
  return withLeaf({ ...before, trusted, next: undefined }, authority, context.settings.dnsNames, context);
};

const prepare = async (state: State, context: StepContext): Promise<State> => {
  const next = await createAuthority(context);
  return { ...state, next, trusted: sortAuthorities([...state.trusted, next]) };
};

const promote = (state: State, context: StepContext): Promise<State> => {
  if (state.next === undefined) throw new Error('there is no next CA to promote');
  return withLeaf({ ...state, next: undefined }, state.next, context.settings.dnsNames, context);
};

const renew = (state: State, names: readonly string[], context: StepContext): Promise<State> => {
  if (state.issuer === undefined) throw new Error('there is no CA to renew the certificate with');
  return withLeaf(state, state.issuer, names, context);
};

/** Performs a step of {@link plan}, and returns the state to write. */
export const perform = (
  step: Exclude<Step, { do: 'nothing' }>,
  state: State,
  context: StepContext,
): Promise<State> => {
  switch (step.do) {
    case 'begin':
      return begin(state, context);
    case 'prepare':
      return prepare(state, context);
    case 'promote':
      return promote(state, context);
    case 'renew':
      return renew(state, step.names, context);
    case 'retire':
      break;
  }
  return Promise.resolve({ ...state, trusted: state.trusted.filter(({ id }) => !step.ids.has(id)) });
};
