import { findUnmatchable } from '../istio/index.ts';
import type { Config } from './config.ts';
import type { Note } from './problem.ts';

/** Returns the file's path of a hub, a mirror or a revoked digest of the configuration. */
const pathOf = (name: string, { places, rules }: Pick<Config, 'places' | 'rules'>): string => {
  const mirrorIndex = places.mirrors.findIndex(({ mirror }) => mirror === name);
  if (mirrorIndex !== -1) return `mirrors[${mirrorIndex}].mirror`;
  const revokedIndex = rules.revoked.findIndex(({ digest }) => digest === name);
  return revokedIndex === -1 ? 'hubs' : `revoked[${revokedIndex}].digest`;
};

/**
 * Notes names that the webhook's match condition cannot express: the API server would not call the webhook for such
 * images, and they would start unverified.
 */
export const checkMatchCondition = (config: Pick<Config, 'places' | 'rules'>, note: Note): void => {
  const digests = config.rules.revoked.map(({ digest }) => digest);
  for (const { place, why } of findUnmatchable(config.places, digests))
    note(pathOf(place, config), `${why} (${place})`);
};
