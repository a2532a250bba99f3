import { isJsonObject, parseJson } from '../../base/index.ts';
import { entriesOf } from './docker-config.ts';
import { parseGoDuration } from './go-duration.ts';

/** The images that a response is valid for: the requested image, those of its registry, or every image. */
export type CacheKeyType = 'Image' | 'Registry' | 'Global';

export interface ProviderResponse {
  readonly keyType: CacheKeyType;
  /** Milliseconds; undefined: the provider's default. */
  readonly duration: number | undefined;
  readonly entries: ReturnType<typeof entriesOf>;
}

export const KEY_TYPES: readonly CacheKeyType[] = ['Image', 'Registry', 'Global'];

/** Parses the password under one key; undefined if it is empty, which providers send when they have none. */
const parsePassword = (auth: unknown) => {
  if (!isJsonObject(auth)) return undefined;
  const { username, password } = auth;
  if (typeof username !== 'string' || typeof password !== 'string' || `${username}${password}` === '')
    return undefined;
  return { kind: 'password', username, password } as const;
};

/** Parses a duration in milliseconds; undefined if there is none, null if it is malformed. */
const parseCacheDuration = (value: unknown): number | undefined | null => {
  if (value === undefined || value === null) return undefined;
  const duration = typeof value === 'string' ? parseGoDuration(value) : undefined;
  return duration === undefined || duration < 0 ? null : duration;
};

/** Parses a `CredentialProviderResponse`, or returns the problem, without its subject, which quotes nothing of the output. */
export const parseProviderResponse = (output: string, apiVersion: string): ProviderResponse | string => {
  const document = parseJson(output);
  if (!isJsonObject(document) || document['kind'] !== 'CredentialProviderResponse')
    return 'did not return a CredentialProviderResponse in JSON';
  if (document['apiVersion'] !== apiVersion) return `did not return the configured apiVersion, ${apiVersion}`;
  const keyType = KEY_TYPES.find((type) => type === document['cacheKeyType']);
  if (keyType === undefined) return `returned no cacheKeyType of ${KEY_TYPES.join(', ')}`;
  const duration = parseCacheDuration(document['cacheDuration']);
  if (duration === null) return 'returned a malformed cacheDuration';
  const auths = document['auth'] ?? {};
  if (!isJsonObject(auths)) return 'returned an auth that is not an object';
  return { keyType, duration, entries: entriesOf(auths, (key) => parsePassword(auths[key])) };
};
