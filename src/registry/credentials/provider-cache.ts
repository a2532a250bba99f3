import { LRUCache } from 'lru-cache';
import { registryFromName } from '../../image/index.ts';
import { type CacheKeyType, KEY_TYPES, type ProviderResponse } from './provider-response.ts';

/** Bounds memory: anyone who can create pods can name any number of images. */
const MAX_RESPONSES = 1000;

const keyFor = (type: CacheKeyType, image: string): string =>
  type === 'Image' ? image : type === 'Registry' ? registryFromName(image) : '';

/** Caches a provider's responses by the key type and duration that they state. Concurrent requests share one run. */
export const createProviderCache = (
  runProvider: (image: string) => Promise<ProviderResponse>,
  defaultDuration: number,
  now: () => number,
) => {
  const cache = new LRUCache<string, { readonly response: ProviderResponse; readonly until: number }>({
    max: MAX_RESPONSES,
  });
  const inFlight = new Map<
    string,
    { readonly image: string; readonly response: Promise<ProviderResponse> }
  >();
  // The key type of the last response; before the first, each image has a response of its own.
  let lastType: CacheKeyType = 'Image';
  const cacheKeyOf = (type: CacheKeyType, image: string): string => `${type} ${keyFor(type, image)}`;

  const find = (image: string): ProviderResponse | undefined =>
    KEY_TYPES.map((type) => cache.get(cacheKeyOf(type, image))).find(
      (entry) => entry !== undefined && now() < entry.until,
    )?.response;

  const start = (key: string, image: string): Promise<ProviderResponse> => {
    const response = runProvider(image)
      .then((received) => {
        lastType = received.keyType;
        const until = now() + (received.duration ?? defaultDuration);
        if (until > now()) cache.set(cacheKeyOf(received.keyType, image), { response: received, until });
        return received;
      })
      .finally(() => inFlight.delete(key));
    inFlight.set(key, { image, response });
    return response;
  };

  return async (image: string): Promise<ProviderResponse> => {
    const cached = find(image);
    if (cached !== undefined) return cached;
    const key = cacheKeyOf(lastType, image);
    const running = inFlight.get(key);
    if (running === undefined) return start(key, image);
    const shared = await running.response;
    // The shared response may turn out to be for the other image only.
    return keyFor(shared.keyType, running.image) === keyFor(shared.keyType, image)
      ? shared
      : runProvider(image);
  };
};
