import { imageUses } from '../admission/index.ts';
import type { JsonObject } from '../base/index.ts';
import { objectAt } from './api-object.ts';
import type { Cluster } from './cluster.ts';
import type { Resource } from './resource.ts';

/** Bounds memory: anyone who can create pods can name any number of images. */
const MAX_IMAGES = 10_000;

const PODS: Resource = { group: '', plural: 'pods' };
const ENDED: ReadonlySet<unknown> = new Set(['Succeeded', 'Failed']);
const NOT_ENDED = 'status.phase!=Succeeded,status.phase!=Failed';

const imagesOf = (pod: JsonObject): readonly string[] => {
  if (ENDED.has(objectAt(pod, 'status')['phase'])) return [];
  return imageUses(objectAt(pod, 'spec'), 'spec', () => {}).map(({ image }) => image);
};

/** Creates the function that lists the images of pods. */
export const createPodImages = (list: Cluster['list']): Cluster['podImages'] => {
  /** Yields each image once, and MAX_IMAGES at most. */
  async function* distinct(signal: AbortSignal): AsyncIterable<{ readonly image: string }> {
    const seen = new Set<string>();
    for await (const { items } of list(PODS, { fieldSelector: NOT_ENDED }, signal)) {
      const newImages = [...new Set(items.flatMap(imagesOf))].filter((image) => !seen.has(image));
      for (const image of newImages.slice(0, MAX_IMAGES - seen.size)) {
        if (signal.aborted) return;
        seen.add(image);
        yield { image };
      }
      if (seen.size === MAX_IMAGES) return;
    }
  }

  return async function* podImages(signal) {
    try {
      yield* distinct(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };
};
