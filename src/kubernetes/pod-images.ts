import { imageUses } from '../admission/index.ts';
import { isJsonObject, type JsonObject } from '../base/index.ts';
import { objectAt, readObject } from './api-object.ts';
import type { CallApi } from './call-api.ts';
import type { Cluster } from './cluster.ts';
import { ClusterFault } from './cluster-fault.ts';
import type { Resource } from './resource.ts';

/** Pods per page, as in kubectl. */
const PAGE_SIZE = 500;
/** A running pod has some 10 kB. */
const MAX_PAGE_BYTES = 48 * 1024 * 1024;
/** Bounds memory: anyone who can create pods can name any number of images. */
const MAX_IMAGES = 10_000;

const PODS: Resource = { group: '', plural: 'pods' };
const ENDED: ReadonlySet<unknown> = new Set(['Succeeded', 'Failed']);
const NOT_ENDED = 'status.phase!=Succeeded,status.phase!=Failed';

interface Page {
  readonly images: readonly string[];
  /** The `continue` token of the next page; empty: this is the last page. */
  readonly next: string;
}

const imagesOf = (pod: unknown): readonly string[] => {
  if (!isJsonObject(pod) || ENDED.has(objectAt(pod, 'status')['phase'])) return [];
  return imageUses(objectAt(pod, 'spec'), 'spec', () => {}).map(({ image }) => image);
};

const pageOf = (list: JsonObject): Page => {
  const { items } = list;
  const next = objectAt(list, 'metadata')['continue'];
  return {
    images: Array.isArray(items) ? items.flatMap(imagesOf) : [],
    next: typeof next === 'string' ? next : '',
  };
};

/** Creates the function that lists the images of pods, with the verb `list`. */
export const createPodImages = (callApi: CallApi): Cluster['podImages'] => {
  const readPage = async (next: string, signal: AbortSignal): Promise<Page> => {
    const query = {
      limit: String(PAGE_SIZE),
      fieldSelector: NOT_ENDED,
      ...(next === '' ? {} : { continue: next }),
    };
    const request = { method: 'GET', resource: PODS, query, maxBytes: MAX_PAGE_BYTES } as const;
    return pageOf(readObject((await callApi(request, signal)).body, request));
  };

  /** Starts again, once, if the list took so long that it has expired (410). */
  async function* pages(signal: AbortSignal): AsyncIterable<readonly string[]> {
    let next = '';
    let mayRestart = true;
    do {
      const page: Page | undefined = await readPage(next, signal).catch((error: unknown) => {
        if (!(error instanceof ClusterFault && error.status === 410 && mayRestart)) throw error;
        mayRestart = false;
        return undefined;
      });
      if (page !== undefined) yield page.images;
      next = page?.next ?? '';
      if (page === undefined) continue;
      if (next === '') return;
    } while (!signal.aborted);
  }

  /** Yields each image once, and MAX_IMAGES at most. */
  async function* distinct(signal: AbortSignal): AsyncIterable<{ readonly image: string }> {
    const seen = new Set<string>();
    for await (const images of pages(signal)) {
      const newImages = [...new Set(images)].filter((image) => !seen.has(image));
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
