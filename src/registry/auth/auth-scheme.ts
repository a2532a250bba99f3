import type { HttpResponse } from '../http/http-message.ts';
import { SourceFault } from '../source.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { keyOfRealm, parseRealm, type RealmOptions, type TokenRealm } from './realm.ts';
import { scopeOf, scopesToAsk } from './scopes.ts';

/** A token service, and the scopes to ask it for. */
export interface BearerScheme extends TokenRealm {
  readonly kind: 'bearer';
  readonly scopes: readonly string[];
}

/** A scheme that a challenge requires. */
export type AuthScheme = { readonly kind: 'basic' } | BearerScheme;

/** Returns a text that is equal for challenges that are met alike. */
export const keyOfScheme = (scheme: AuthScheme): string =>
  scheme.kind === 'basic' ? 'basic' : `bearer ${keyOfRealm(scheme)} ${scheme.scopes.join(' ')}`;

/** Bounds the requests of one question: whoever writes challenges can write many. */
const MAX_REALMS = 2;

/** Returns the ways to meet a bearer challenge: with its scopes, and with the repository's own alone, which some refuse less. */
const bearerSchemes = (
  challenge: Challenge,
  path: string,
  options: RealmOptions,
): readonly BearerScheme[] => {
  const realm = parseRealm(challenge, options);
  const own = scopeOf(path);
  const scopes = scopesToAsk(challenge.params['scope'], path);
  const all = scopes.length > 1 ? [scopes, [own]] : [[own]];
  return all.map((each) => ({ kind: 'bearer', ...realm, scopes: each }));
};

/**
 * Reads what a 401 requires of requests for a repository: the schemes that can be met, bearer before basic, whatever their
 * order. Unknown ones, and those that are not permitted, hide none beside them. Throws a fault if there is none.
 */
export const schemesOf = (
  response: HttpResponse,
  path: string,
  options: RealmOptions,
): readonly AuthScheme[] => {
  const challenges = parseChallenges(response.headers('www-authenticate'));
  const schemes = new Map<string, AuthScheme>();
  let fault: unknown;
  let realms = 0;
  for (const challenge of challenges.filter(({ scheme }) => scheme === 'bearer')) {
    if (realms === MAX_REALMS) break;
    try {
      for (const scheme of bearerSchemes(challenge, path, options)) schemes.set(keyOfScheme(scheme), scheme);
      realms += 1;
    } catch (error) {
      fault ??= error;
    }
  }
  if (challenges.some(({ scheme }) => scheme === 'basic')) schemes.set('basic', { kind: 'basic' });
  if (schemes.size > 0) return [...schemes.values()];
  const detail = `${options.registry} responded 401 with neither a Bearer nor a Basic challenge`;
  throw fault ?? new SourceFault('refused', detail, { asked: true, remedy: 'access' });
};
