import type { KubernetesObject } from './builders.ts';
import { review } from './builders.ts';
import type { InProcessWebhook, ReviewSummary } from './in-process-webhook.ts';
import type { ReviewResponse } from './webhook.ts';

/** One step of a JSON patch (RFC 6902), of the one kind that pins. */
interface Replace {
  readonly op: string;
  readonly path: string;
  readonly value: string;
}

export const patchOf = ({ patch, patchType }: ReviewResponse): readonly Replace[] => {
  if (patch === undefined) return [];
  if (patchType !== 'JSONPatch') throw new Error(`a patch of type ${patchType}`);
  return JSON.parse(Buffer.from(patch, 'base64').toString('utf8')) as readonly Replace[];
};

/** Replaces the text at a pointer, as the API server does: what is not there cannot be replaced. */
const replaceAt = (object: unknown, { op, path, value }: Replace): void => {
  if (op !== 'replace' || !path.startsWith('/')) throw new Error(`cannot apply ${op} ${path}`);
  const names = path.slice(1).split('/');
  const last = names.pop() ?? '';
  const parent = names.reduce((at, name) => (at as Record<string, unknown>)[name], object);
  if (typeof (parent as Record<string, unknown>)[last] !== 'string') throw new Error(`nothing at ${path}`);
  (parent as Record<string, unknown>)[last] = value;
};

/** Applies the patch of a response to a copy of an object. */
export const applyPatch = <Value>(object: Value, response: ReviewResponse): Value => {
  const copy = structuredClone(object);
  for (const step of patchOf(response)) replaceAt(copy, step);
  return copy;
};

/** The pinned references of a response, by pointer. */
export const pinsOf = (response: ReviewResponse): Readonly<Record<string, string>> =>
  Object.fromEntries(patchOf(response).map(({ path, value }) => [path, value]));

interface BothWebhooks {
  readonly pinning: ReviewResponse;
  readonly object: KubernetesObject;
  readonly verdict: ReviewSummary;
}

/** Sends an object through the mutating webhook and, as patched, through the validating one. */
export const sendToBoth = async (
  webhook: InProcessWebhook,
  object: KubernetesObject,
  request: Readonly<Record<string, unknown>> = {},
  paths = { pin: '/mutate/pin', validate: '/validate/enforce' },
): Promise<BothWebhooks> => {
  const pinning = await webhook.sendReview(paths.pin, review(object, request));
  const patched = applyPatch(object, pinning);
  return {
    pinning,
    object: patched,
    verdict: await webhook.summaryOf(review(patched, request), paths.validate),
  };
};
