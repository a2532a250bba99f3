import { SourceFault } from '../source.ts';
import type { HttpRequest, HttpResponse } from './http-message.ts';

const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Throws a fault if a URL is neither https nor plain HTTP to the host that is permitted it. */
export const checkScheme = (
  { protocol, host }: URL,
  name: string,
  { plainHttpHost, asked }: { readonly plainHttpHost: string | undefined; readonly asked: boolean },
): void => {
  if (protocol === 'https:' || (protocol === 'http:' && host === plainHttpHost)) return;
  const detail = `${name}: ${protocol}//${host} is not https; only https is permitted`;
  throw new SourceFault('refused', detail, { asked, remedy: 'registry-setup' });
};

/** Returns the URL that a response redirects to, if any. Throws a fault if it must not be followed. */
export const redirectTarget = (
  response: HttpResponse,
  from: URL,
  name: string,
  plainHttpHost?: string,
): URL | undefined => {
  const location = REDIRECT_STATUSES.has(response.status) ? response.header('location') : undefined;
  if (location === undefined) return undefined;
  const target = URL.parse(location, from);
  if (target === null)
    throw new SourceFault('answer-invalid', `${name} redirects to a malformed URL`, { asked: true });
  checkScheme(target, name, { plainHttpHost, asked: true });
  return target;
};

/**
 * Returns the request to send to a redirect's target, which must not learn what was meant for the first host. A request that
 * has left its origin never returns to it: another host would speak through the registry.
 */
export const redirectedRequest = (
  { method, url, headers, limit, namedBy }: HttpRequest,
  target: URL,
): HttpRequest => ({
  method,
  url: target,
  limit,
  headers: headers?.['accept'] === undefined ? {} : { accept: headers['accept'] },
  namedBy: target.origin === url.origin ? namedBy : 'response',
});
