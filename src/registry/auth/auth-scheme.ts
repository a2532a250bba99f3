import type { HttpResponse } from '../http/http-message.ts';
import { SourceFault } from '../source.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { keyOfRealm, parseRealm, type RealmOptions, type TokenRealm } from './realm.ts';

/** The scheme that a challenge requires. */
export type AuthScheme = { readonly kind: 'basic' } | ({ readonly kind: 'bearer' } & TokenRealm);

/** Returns a text that is equal for challenges that are met alike. */
export const keyOfScheme = (scheme: AuthScheme): string =>
  scheme.kind === 'basic' ? 'basic' : `bearer ${keyOfRealm(scheme)}`;

/** Chooses the challenge to meet: bearer before basic, whatever their order; unknown schemes are ignored. */
const chooseChallenge = (response: HttpResponse, registry: string): Challenge => {
  const challenges = parseChallenges(response.headers('www-authenticate'));
  const chosen =
    challenges.find(({ scheme }) => scheme === 'bearer') ??
    challenges.find(({ scheme }) => scheme === 'basic');
  if (chosen !== undefined) return chosen;
  const detail = `${registry} responded 401 with neither a Bearer nor a Basic challenge`;
  throw new SourceFault('refused', detail, { asked: true });
};

/** Reads what a 401 requires. Throws a fault if it is nothing that is supported and permitted. */
export const schemeOf = (response: HttpResponse, options: RealmOptions): AuthScheme => {
  const challenge = chooseChallenge(response, options.registry);
  return challenge.scheme === 'basic'
    ? { kind: 'basic' }
    : { kind: 'bearer', ...parseRealm(challenge, options) };
};
