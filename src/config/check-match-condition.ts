import { findUnmatchable } from '../istio/index.ts';
import type { Config } from './config.ts';
import type { Note } from './problem.ts';

/** Where a file has what stands in a configuration as a hub, a mirror or a revoked digest. */
const pathOf = (name: string, { places, rules }: Pick<Config, 'places' | 'rules'>): string => {
  const mirror = places.mirrors.findIndex((one) => one.mirror === name);
  if (mirror !== -1) return `mirrors[${mirror}].mirror`;
  const revoked = rules.revoked.findIndex(({ digest }) => digest === name);
  return revoked === -1 ? 'hubs' : `revoked[${revoked}].digest`;
};

/**
 * Notes what the webhook's match condition cannot hold: the API server would not ask about such images, and they would
 * start unseen.
 */
export const checkMatchCondition = (config: Pick<Config, 'places' | 'rules'>, note: Note): void => {
  const digests = config.rules.revoked.map(({ digest }) => digest);
  for (const { place, why } of findUnmatchable(config.places, digests))
    note(pathOf(place, config), `${why} (${place})`);
};
