import { isIP } from 'node:net';
import type { CertificateSettings } from '../config/index.ts';
import type { CertificateAuthority, Issuer, Leaf, State } from './state.ts';
import { isDue, isValid } from './validity.ts';

/** What is to be done next; once it is done, it is asked again. */
export type Step =
  | { readonly do: 'nothing' }
  /** Make a CA and a leaf at once: there is nothing to go on from. */
  | { readonly do: 'begin' }
  /** Make the CA that will issue next, and let it be trusted. */
  | { readonly do: 'prepare' }
  /** Let the next CA issue: the serving certificate is its first. */
  | { readonly do: 'promote' }
  /** Issue the serving certificate anew, by the CA that issues. */
  | { readonly do: 'renew'; readonly names: readonly string[] }
  /** Trust these CAs no longer. */
  | { readonly do: 'retire'; readonly ids: ReadonlySet<string> };

export type PlanSettings = Pick<CertificateSettings, 'dnsNames' | 'lifetime' | 'overlap'>;

export interface PlanInput {
  readonly state: State;
  /** Since when every API server is told to trust exactly the state's CAs, as far as we know. */
  readonly trustedSince: number | undefined;
  readonly now: number;
  readonly settings: PlanSettings;
}

/** CAs that are trusted at most: a fight over the Secret must not fill it. */
const MOST_TRUSTED = 8;

/** IPv6 has many spellings of an address, and a certificate has its own. */
const sameSpelling = (name: string): string =>
  isIP(name) === 6 ? new URL(`http://[${name}]`).hostname : name.toLowerCase();

export const isNamed = ({ names }: Leaf, wanted: readonly string[]): boolean => {
  const known = new Set(names.map(sameSpelling));
  return wanted.every((name) => known.has(sameSpelling(name)));
};

/**
 * The names for a leaf that must be issued anew, or undefined. A name that is missing is added to those that are there:
 * while a rollout lasts, replicas of two configurations would take each other's names away. The next renewal drops
 * what nobody wants any more.
 */
const namesToIssue = (
  leaf: Leaf,
  { until }: Issuer,
  { now, settings }: PlanInput,
): readonly string[] | undefined => {
  const { dnsNames, lifetime } = settings;
  // One that would not live longer is no gain: a CA near its end would issue without end.
  if (isDue(leaf, now) && Math.min(now + lifetime, until) > leaf.until) return dnsNames;
  return isNamed(leaf, dnsNames) ? undefined : [...new Set([...dnsNames, ...leaf.names])];
};

/** A CA that does not issue may go when the last leaf that it issued has ended, whoever still serves it. */
const findRetired = ({ state, now }: PlanInput, { issuer }: Leaf): ReadonlySet<string> => {
  const needed = new Set([state.issuer?.id, state.next?.id, issuer]);
  const others = state.trusted.filter(({ id }) => !needed.has(id));
  const endOf = ({ id, until }: CertificateAuthority): number =>
    Math.min(state.issuedUntil.get(id) ?? until, until);
  const surplus = Math.max(0, state.trusted.length - MOST_TRUSTED);
  return new Set([
    ...others.filter((authority) => now >= endOf(authority)).map(({ id }) => id),
    ...others
      .toSorted((one, other) => endOf(one) - endOf(other))
      .slice(0, surplus)
      .map(({ id }) => id),
  ]);
};

/**
 * Decides what to do next. Pure: every replica that sees the same decides the same.
 *
 * * A leaf is renewed at two thirds of its life.
 * * At two thirds of a CA's life the next one is made and trusted; after `overlap` it issues.
 * * A CA leaves the bundle only when every leaf that it issued has ended.
 */
export const plan = (outlook: PlanInput): Step => {
  const { state, now, settings } = outlook;
  const able = (issuer: Issuer | undefined): Issuer | undefined =>
    issuer !== undefined && isValid(issuer, now) ? issuer : undefined;
  const issuers = { issuing: able(state.issuer), next: able(state.next) };
  if (state.leaf !== undefined && isValid(state.leaf, now)) return planOn(outlook, issuers, state.leaf);
  // Nobody can be served as it is: what gives a leaf soonest.
  if (issuers.issuing !== undefined) return { do: 'renew', names: settings.dnsNames };
  return { do: issuers.next === undefined ? 'begin' : 'promote' };
};

/** The issuers that can issue at the moment. */
interface Issuers {
  readonly issuing: Issuer | undefined;
  readonly next: Issuer | undefined;
}

/** There is a leaf that serves: everything has the time it takes. */
const planOn = (outlook: PlanInput, { issuing, next }: Issuers, leaf: Leaf): Step => {
  const { trustedSince, now, settings } = outlook;
  const isTrusted = trustedSince !== undefined && now - trustedSince >= settings.overlap;
  if (next !== undefined && isTrusted) return { do: 'promote' };
  const names = issuing && namesToIssue(leaf, issuing, outlook);
  if (names !== undefined) return { do: 'renew', names };
  if (next === undefined && (issuing === undefined || isDue(issuing, now))) return { do: 'prepare' };
  const ids = findRetired(outlook, leaf);
  return ids.size === 0 ? { do: 'nothing' } : { do: 'retire', ids };
};
