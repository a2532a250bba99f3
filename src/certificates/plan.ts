import { isIP } from 'node:net';
import type { CertificateSettings } from '../config/index.ts';
import type { CertificateAuthority, Issuer, Leaf, State } from './state.ts';
import { isDue, isValid } from './validity.ts';

/** The next step; once it is done, the plan is made again. */
export type Step =
  | { readonly do: 'nothing' }
  /** Create a CA and a leaf at once: there is nothing usable. */
  | { readonly do: 'begin' }
  /** Create the CA that will issue next, and trust it. */
  | { readonly do: 'prepare' }
  /** Let the next CA issue, the serving certificate first. */
  | { readonly do: 'promote' }
  /** Renew the serving certificate with the current CA. */
  | { readonly do: 'renew'; readonly names: readonly string[] }
  /** Stop trusting these CAs. */
  | { readonly do: 'retire'; readonly ids: ReadonlySet<string> };

export type PlanSettings = Pick<CertificateSettings, 'dnsNames' | 'lifetime' | 'overlap'>;

export interface PlanInput {
  readonly state: State;
  /** The time since which the webhook configuration has exactly the state's CAs, as observed by this process. */
  readonly trustedSince: number | undefined;
  readonly now: number;
  readonly settings: PlanSettings;
}

/** Bounds the Secret if several writers keep replacing each other's CA. */
const MAX_TRUSTED = 8;

/** An IPv6 address has many spellings, and a certificate has its own. */
const normalizeName = (name: string): string =>
  isIP(name) === 6 ? new URL(`http://[${name}]`).hostname : name.toLowerCase();

export const isNamed = ({ names }: Leaf, wanted: readonly string[]): boolean => {
  const present = new Set(names.map(normalizeName));
  return wanted.every((name) => present.has(normalizeName(name)));
};

/**
 * Returns the names for a leaf that must be renewed, or undefined. A missing name is added to those that are present:
 * during a rollout, replicas of two configurations would otherwise remove each other's names. The next renewal drops
 * names that are no longer configured.
 */
const namesToIssue = (
  leaf: Leaf,
  { until }: Issuer,
  { now, settings }: PlanInput,
): readonly string[] | undefined => {
  const { dnsNames, lifetime } = settings;
  // Reissuing helps only if the new leaf outlives the current one: a CA near its end would issue endlessly.
  if (isDue(leaf, now) && Math.min(now + lifetime, until) > leaf.until) return dnsNames;
  return isNamed(leaf, dnsNames) ? undefined : [...new Set([...dnsNames, ...leaf.names])];
};

/** A CA that no longer issues can be retired once the last leaf that it issued has ended. */
const findRetired = ({ state, now }: PlanInput, { issuer }: Leaf): ReadonlySet<string> => {
  const needed = new Set([state.issuer?.id, state.next?.id, issuer]);
  const others = state.trusted.filter(({ id }) => !needed.has(id));
  const endOf = ({ id, until }: CertificateAuthority): number =>
    Math.min(state.issuedUntil.get(id) ?? until, until);
  const surplus = Math.max(0, state.trusted.length - MAX_TRUSTED);
  return new Set([
    ...others.filter((authority) => now >= endOf(authority)).map(({ id }) => id),
    ...others
      .toSorted((a, b) => endOf(a) - endOf(b))
      .slice(0, surplus)
      .map(({ id }) => id),
  ]);
};

/**
 * Returns the next step. Pure: replicas with the same input decide the same.
 *
 * * A leaf is renewed at two thirds of its validity.
 * * At two thirds of a CA's validity the next one is created and trusted; after `overlap` it issues.
 * * A CA leaves the bundle only when every leaf that it issued has ended.
 */
export const plan = (input: PlanInput): Step => {
  const { state, now, settings } = input;
  const ifValid = (issuer: Issuer | undefined): Issuer | undefined =>
    issuer !== undefined && isValid(issuer, now) ? issuer : undefined;
  const issuers = { current: ifValid(state.issuer), next: ifValid(state.next) };
  if (state.leaf !== undefined && isValid(state.leaf, now)) return planRotation(input, issuers, state.leaf);
  // There is no leaf to serve: take the step that gives one soonest.
  if (issuers.current !== undefined) return { do: 'renew', names: settings.dnsNames };
  return { do: issuers.next === undefined ? 'begin' : 'promote' };
};

/** The CAs that are valid now. */
interface Issuers {
  readonly current: Issuer | undefined;
  readonly next: Issuer | undefined;
}

/** Plans while a valid leaf is served, so that no step is urgent. */
const planRotation = (input: PlanInput, { current, next }: Issuers, leaf: Leaf): Step => {
  const { trustedSince, now, settings } = input;
  const isTrusted = trustedSince !== undefined && now - trustedSince >= settings.overlap;
  if (next !== undefined && isTrusted) return { do: 'promote' };
  const names = current && namesToIssue(leaf, current, input);
  if (names !== undefined) return { do: 'renew', names };
  if (next === undefined && (current === undefined || isDue(current, now))) return { do: 'prepare' };
  const ids = findRetired(input, leaf);
  return ids.size === 0 ? { do: 'nothing' } : { do: 'retire', ids };
};
