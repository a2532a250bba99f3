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
  /** The CAs that were trusted when this process looked last: replicas serve by them. */
  readonly lastTrusted: readonly CertificateAuthority[];
}

/** How often `overlap` the CA of a Secret that was lost stays trusted: every replica has moved on by then. */
const OVERLAPS_AFTER_LOSS = 3;

/** Writing X.509 takes a library that takes a tenth of a second to load. */
const loadIssue = () => import('./issue.ts');

const createAuthority = async ({ now, settings }: StepContext): Promise<Issuer> =>
  readIssuer(await (await loadIssue()).issueAuthority(now, settings.caLifetime));

/** The state with a new leaf of `issuing`, which issues from now on. */
const withLeaf = async (
  state: State,
  issuing: Issuer,
  names: readonly string[],
  { now, settings }: StepContext,
): Promise<State> => {
  const { issueLeaf } = await loadIssue();
  const until = now + settings.lifetime;
  const leaf = readLeaf(await issueLeaf(issuing, names, { now, until }), issuing);
  // Somebody may serve the leaf before this one, and it may end later: `lifetime` may have been made shorter.
  const last = Math.max(leaf.until, state.issuedUntil.get(issuing.id) ?? 0, lastOf(state, issuing));
  return {
    ...state,
    issuer: issuing,
    leaf,
    issuedUntil: new Map([...state.issuedUntil, [issuing.id, last]]),
  };
};

const lastOf = ({ leaf }: State, { id }: CertificateAuthority): number =>
  leaf?.issuer === id ? leaf.until : 0;

/** Who serves by the CA of a Secret that was lost goes on for a while, and so that CA is trusted for a while. */
const withKnown = (state: State, { lastTrusted: known, now, settings }: StepContext): State => {
  const lost = known.filter((one) => isValid(one, now) && !state.trusted.some(({ id }) => id === one.id));
  const until = now + OVERLAPS_AFTER_LOSS * settings.overlap;
  return {
    ...state,
    trusted: sortAuthorities([...state.trusted, ...lost]),
    issuedUntil: new Map([...state.issuedUntil, ...lost.map(({ id }) => [id, until] as const)]),
  };
};

const begin = async (state: State, means: StepContext): Promise<State> => {
  const authority = await createAuthority(means);
  const before = withKnown(state, means);
  const trusted = sortAuthorities([...before.trusted, authority]);
  return withLeaf({ ...before, trusted, next: undefined }, authority, means.settings.dnsNames, means);
};

const prepare = async (state: State, means: StepContext): Promise<State> => {
  const next = await createAuthority(means);
  return { ...state, next, trusted: sortAuthorities([...state.trusted, next]) };
};

const promote = (state: State, means: StepContext): Promise<State> => {
  if (state.next === undefined) throw new Error('there is no next CA to promote');
  return withLeaf({ ...state, next: undefined }, state.next, means.settings.dnsNames, means);
};

const renew = (state: State, names: readonly string[], means: StepContext): Promise<State> => {
  if (state.issuer === undefined) throw new Error('there is no CA to renew by');
  return withLeaf(state, state.issuer, names, means);
};

/** Does what {@link plan} says: the state that is to be written. */
export const perform = (
  step: Exclude<Step, { do: 'nothing' }>,
  state: State,
  means: StepContext,
): Promise<State> => {
  switch (step.do) {
    case 'begin':
      return begin(state, means);
    case 'prepare':
      return prepare(state, means);
    case 'promote':
      return promote(state, means);
    case 'renew':
      return renew(state, step.names, means);
    case 'retire':
      break;
  }
  return Promise.resolve({ ...state, trusted: state.trusted.filter(({ id }) => !step.ids.has(id)) });
};
