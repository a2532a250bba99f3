import { LRUCache } from 'lru-cache';
import { registryFromName } from '../../image/index.ts';
import { type CacheKeyType, KEY_TYPES, type ProviderResponse } from './provider-response.ts';

/** Anybody who may create pods can name images, as many as he likes. */
const MOST_ANSWERS = 1000;

const keyFor = (type: CacheKeyType, image: string): string =>
  type === 'Image' ? image : type === 'Registry' ? registryFromName(image) : '';

/** Asks a provider once for all who wait for the same, and holds its answer as long, and for as much, as it says. */
export const createProviderCache = (
  ask: (image: string) => Promise<ProviderResponse>,
  defaultDuration: number,
  now: () => number,
) => {
  const held = new LRUCache<string, { readonly answer: ProviderResponse; readonly until: number }>({
    max: MOST_ANSWERS,
  });
  const underWay = new Map<string, { readonly image: string; readonly answer: Promise<ProviderResponse> }>();
  // What the provider said last: until it speaks, every image is its own.
  let lastType: CacheKeyType = 'Image';
  const placeOf = (type: CacheKeyType, image: string): string => `${type} ${keyFor(type, image)}`;

  const find = (image: string): ProviderResponse | undefined =>
    KEY_TYPES.map((type) => held.get(placeOf(type, image))).find(
      (entry) => entry !== undefined && now() < entry.until,
    )?.answer;

  const start = (place: string, image: string): Promise<ProviderResponse> => {
    const answer = ask(image)
      .then((found) => {
        lastType = found.keyType;
        const until = now() + (found.duration ?? defaultDuration);
        if (until > now()) held.set(placeOf(found.keyType, image), { answer: found, until });
        return found;
      })
      .finally(() => underWay.delete(place));
    underWay.set(place, { image, answer });
    return answer;
  };

  return async (image: string): Promise<ProviderResponse> => {
    const known = find(image);
    if (known !== undefined) return known;
    const place = placeOf(lastType, image);
    const flight = underWay.get(place);
    if (flight === undefined) return start(place, image);
    const shared = await flight.answer;
    // The answer to another's question may turn out to be for that image alone.
    return keyFor(shared.keyType, flight.image) === keyFor(shared.keyType, image) ? shared : ask(image);
  };
};
