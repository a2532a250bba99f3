import { imageUses } from '../admission/index.ts';
import { isJsonObject, type JsonObject } from '../base/index.ts';
import type { CallApi } from './api.ts';
import type { Cluster } from './cluster.ts';
import { ClusterFault } from './cluster-fault.ts';
import { objectAt, readObject } from './object.ts';
import type { Resource } from './resource.ts';

/** Pods a page, as kubectl asks. */
const PAGE = 500;
/** Bytes of a page: a pod that runs has some 10 kB. */
const PAGE_BYTES = 48 * 1024 * 1024;
/** Anybody who may create pods can name images, as many as he likes. */
const MOST_IMAGES = 10_000;

const PODS: Resource = { group: '', plural: 'pods' };
const ENDED: ReadonlySet<unknown> = new Set(['Succeeded', 'Failed']);
const NOT_ENDED = 'status.phase!=Succeeded,status.phase!=Failed';

interface Page {
  readonly images: readonly string[];
  /** Where the next page begins; empty: this was the last. */
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

/** Lists pods, with the verb `list`. */
export const createPodImages = (ask: CallApi): Cluster['podImages'] => {
  const readPage = async (next: string, signal: AbortSignal): Promise<Page> => {
    const query = {
      limit: String(PAGE),
      fieldSelector: NOT_ENDED,
      ...(next === '' ? {} : { continue: next }),
    };
    const question = { method: 'GET', resource: PODS, query, limit: PAGE_BYTES } as const;
    return pageOf(readObject((await ask(question, signal)).body, question));
  };

  /** A list that took so long that its state is gone (410) begins again, once. */
  async function* pages(signal: AbortSignal): AsyncIterable<readonly string[]> {
    let next = '';
    let mayBeginAgain = true;
    do {
      const page: Page | undefined = await readPage(next, signal).catch((error: unknown) => {
        if (!(error instanceof ClusterFault && error.status === 410 && mayBeginAgain)) throw error;
        mayBeginAgain = false;
        return undefined;
      });
      if (page !== undefined) yield page.images;
      next = page?.next ?? '';
      if (page === undefined) continue;
      if (next === '') return;
    } while (!signal.aborted);
  }

  /** Each image once, and no more than anybody could have meant. */
  async function* distinct(signal: AbortSignal): AsyncIterable<{ readonly image: string }> {
    const seen = new Set<string>();
    for await (const images of pages(signal)) {
      const fresh = [...new Set(images)].filter((image) => !seen.has(image));
      for (const image of fresh.slice(0, MOST_IMAGES - seen.size)) {
        if (signal.aborted) return;
        seen.add(image);
        yield { image };
      }
      if (seen.size === MOST_IMAGES) return;
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
