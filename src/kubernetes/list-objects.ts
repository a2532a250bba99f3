import { isJsonObject, type JsonObject, memberOf, textOf } from '../base/index.ts';
import { objectAt, readObject } from './api-object.ts';
import type { ApiRequest, ApiResponse, CallApi } from './call-api.ts';
import type { ListOptions, ListPage } from './cluster.ts';
import { ClusterFault, faultOfStatus } from './cluster-fault.ts';
import type { Resource } from './resource.ts';

/** Objects in a page, as in kubectl. */
const PAGE_SIZE = 500;
/** A running pod with a sidecar has some 20 kB. */
const MAX_PAGE_BYTES = 16 * 1024 * 1024;
/** A page that is too long is asked for again with so many objects fewer. */
const SHRINK = 4;
/** The number of times that a list begins again because it has expired. */
const MAX_RESTARTS = 3;

const GONE = 410;

/** The list as it stands after a page. */
interface Place {
  /** The `continue` token of the next page; empty: the first page. */
  readonly next: string;
  /** The number of objects to ask for. */
  readonly size: number;
}

/** A response, the number of objects that it was asked for, and the requests that it took. */
interface Asked {
  readonly response: ApiResponse;
  readonly size: number;
  readonly requests: number;
}

/** The `continue` token of a list, or of the `Status` that says that the list has expired; empty: there is none. */
const tokenOf = (body: unknown): string => textOf(memberOf(memberOf(body, 'metadata'), 'continue')) ?? '';

const itemsOf = (list: JsonObject): readonly JsonObject[] => {
  const { items } = list;
  return Array.isArray(items) ? items.filter(isJsonObject) : [];
};

const remainingOf = (list: JsonObject): number | undefined => {
  const count = objectAt(list, 'metadata')['remainingItemCount'];
  if (tokenOf(list) === '') return 0;
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : undefined;
};

/** Leaves out objects that an earlier page had: a list that begins again has them twice. */
const createDistinct = (): ((items: readonly JsonObject[]) => readonly JsonObject[]) => {
  const seen = new Set<string>();
  return (items) =>
    items.filter((item) => {
      const uid = textOf(memberOf(memberOf(item, 'metadata'), 'uid'));
      if (uid === undefined) return true;
      if (seen.has(uid)) return false;
      seen.add(uid);
      return true;
    });
};

const requestOf = (
  resource: Resource,
  { fieldSelector, labelSelector, pageBytes = MAX_PAGE_BYTES }: ListOptions,
  { next, size }: Place,
): ApiRequest => ({
  method: 'GET',
  resource,
  maxBytes: pageBytes,
  accept: [GONE],
  query: {
    limit: String(size),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(next === '' ? {} : { continue: next }),
  },
});

/** Creates the function that asks for a page of fewer objects while it is too long. */
const createAsk =
  (callApi: CallApi) =>
  async (resource: Resource, options: ListOptions, place: Place, signal: AbortSignal): Promise<Asked> => {
    let { size } = place;
    for (let requests = 1; ; requests += 1)
      try {
        const response = await callApi(requestOf(resource, options, { ...place, size }), signal);
        return { response, size, requests };
      } catch (error) {
        if (!(error instanceof ClusterFault && error.isTooLong && size > 1)) throw error;
        size = Math.ceil(size / SHRINK);
      }
  };

/**
 * Creates the function that lists objects page by page, with the verb `list`. If the list expires while it is read (410),
 * it goes on from the same key with the token that the API server returns for this, or else begins again: no object that
 * exists all the time is lost, and none comes twice.
 */
export const createListObjects = (
  callApi: CallApi,
): ((resource: Resource, options: ListOptions, signal: AbortSignal) => AsyncIterable<ListPage>) => {
  const ask = createAsk(callApi);
  return async function* pages(resource, options, signal) {
    const { pageSize = PAGE_SIZE } = options;
    const distinct = createDistinct();
    let place: Place | undefined = { next: '', size: pageSize };
    let restarts = 0;
    let requests = 0;
    while (place !== undefined) {
      signal.throwIfAborted();
      const asked: Asked = await ask(resource, options, place, signal);
      requests += asked.requests;
      const { status, body } = asked.response;
      if (status === GONE) {
        // A token that goes on loses no time, however often one expires after a page.
        const goesOn = tokenOf(body) !== '' && requests === asked.requests;
        restarts += goesOn ? 0 : 1;
        if (restarts > MAX_RESTARTS)
          throw faultOfStatus({ method: 'GET', resource }, GONE, JSON.stringify(body ?? {}));
        place = { next: tokenOf(body), size: asked.size };
      } else {
        const list = readObject(body, { method: 'GET', resource });
        yield { items: distinct(itemsOf(list)), remaining: remainingOf(list), requests };
        requests = 0;
        const next = tokenOf(list);
        place = next === '' ? undefined : { next, size: Math.min(asked.size * SHRINK, pageSize) };
      }
    }
  };
};
