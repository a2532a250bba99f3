import { isJsonObject, parseJson } from '../../base/index.ts';
import { entriesOf } from './docker-config.ts';
import { parseGoDuration } from './go-duration.ts';

/** What an answer is for: the image that was asked about, its registry, or every image. */
export type CacheKeyType = 'Image' | 'Registry' | 'Global';

/** What a provider answered. */
export interface ProviderResponse {
  readonly keyType: CacheKeyType;
  /** Milliseconds; undefined: the provider's default. */
  readonly duration: number | undefined;
  readonly entries: ReturnType<typeof entriesOf>;
}

export const KEY_TYPES: readonly CacheKeyType[] = ['Image', 'Registry', 'Global'];

/** The password that an answer has under one key; empty ones are how providers say that they have none. */
const passwordIn = (auth: unknown) => {
  if (!isJsonObject(auth)) return undefined;
  const { username, password } = auth;
  if (typeof username !== 'string' || typeof password !== 'string' || `${username}${password}` === '')
    return undefined;
  return { kind: 'password', username, password } as const;
};

/** Milliseconds; undefined where it says nothing, null where it says nonsense. */
const parseCacheDuration = (value: unknown): number | undefined | null => {
  if (value === undefined || value === null) return undefined;
  const duration = typeof value === 'string' ? parseGoDuration(value) : undefined;
  return duration === undefined || duration < 0 ? null : duration;
};

/** Reads a `CredentialProviderResponse`; a sentence without its subject where it is none. It quotes nothing of it. */
export const parseProviderResponse = (output: string, apiVersion: string): ProviderResponse | string => {
  const document = parseJson(output);
  if (!isJsonObject(document) || document['kind'] !== 'CredentialProviderResponse')
    return 'does not answer with a CredentialProviderResponse in JSON';
  if (document['apiVersion'] !== apiVersion)
    return `does not answer in ${apiVersion}, as its configuration says`;
  const keyType = KEY_TYPES.find((one) => one === document['cacheKeyType']);
  if (keyType === undefined) return `answers with no cacheKeyType of ${KEY_TYPES.join(', ')}`;
  const duration = parseCacheDuration(document['cacheDuration']);
  if (duration === null) return 'answers with a cacheDuration that is none';
  const auths = document['auth'] ?? {};
  if (!isJsonObject(auths)) return 'answers with an auth that is no object';
  return { keyType, duration, entries: entriesOf(auths, (key) => passwordIn(auths[key])) };
};
