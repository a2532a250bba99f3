import { isJsonObject, listWithin, oneLine } from '../base/index.ts';
import { explain, type Finding } from '../policy/index.ts';
import {
  type AdmissionResponse,
  allowancesOf,
  findingWarnings,
  MAX_ANNOTATION_LENGTH,
  warningOf,
} from './admission-response.ts';
import { API_VERSION } from './admission-review.ts';
import type { PinResult } from './pin-result.ts';
import type { PinnedUse } from './plan-pins.ts';

/** Converts the path of an image use to a JSON pointer (RFC 6901): `spec.volumes[1].image.reference`. It has no name in it. */
const pointerOf = (path: string): string => `/${path.replaceAll(/[.[]/g, '/').replaceAll(']', '')}`;

/** One step of the patch. */
interface Replacement {
  readonly op: 'replace';
  readonly path: string;
  readonly value: string;
}

const replacementOf = ({ use, pinned }: PinnedUse): Replacement => ({
  op: 'replace',
  path: pointerOf(use.path),
  value: pinned,
});

const patchOf = (pinned: readonly PinnedUse[]): string =>
  Buffer.from(JSON.stringify(pinned.map(replacementOf))).toString('base64');

const replaceAt = (object: unknown, { path, value }: Replacement): void => {
  const fields = path.slice(1).split('/');
  const last = fields.pop() ?? '';
  const parent = fields.reduce((at, field) => (at as Record<string, unknown>)[field], object);
  (parent as Record<string, unknown>)[last] = value;
};

/** Returns the AdmissionReview with its object as the API server sends it on, patched by the response of the mutating webhook. */
export const withPatch = (body: unknown, { response: { patch } }: AdmissionResponse): unknown => {
  if (patch === undefined || !isJsonObject(body) || !isJsonObject(body['request'])) return body;
  const object = structuredClone(body['request']['object']);
  const replacements = JSON.parse(Buffer.from(patch, 'base64').toString()) as readonly Replacement[];
  for (const replacement of replacements) replaceAt(object, replacement);
  return { ...body, request: { ...body['request'], object } };
};

/** The images that stand in during an outage, as findings that warn. */
const letThrough = (pinned: readonly PinnedUse[]): readonly Finding[] =>
  pinned.flatMap(({ use, reason, allowedBecause }) =>
    reason === undefined || allowedBecause === undefined
      ? []
      : [{ use, reason, effect: 'warn' as const, allowedBecause }],
  );

const distinct = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

const annotationsOf = (
  { pinned, unpinned, keyIds, skipped, failure }: PinResult,
  outage: readonly Finding[],
): Readonly<Record<string, string>> => {
  const list = (texts: readonly string[], separator?: string): string =>
    listWithin(distinct(texts), MAX_ANNOTATION_LENGTH, separator);
  return {
    pinned: list(pinned.map((pin) => oneLine(pin.pinned, 400))),
    'not-pinned': list(unpinned.map(({ use, reason }) => `${oneLine(use.image, 300)} ${reason.code}`)),
    'key-id': list(keyIds),
    ...(outage.length === 0 ? {} : { 'let-through': list(allowancesOf(outage), '; ') }),
    ...(skipped === undefined ? {} : { skipped }),
    ...(failure === undefined ? {} : { failure: `${failure.code} ${failure.incident}` }),
  };
};

/** Converts the result of the mutating webhook to an AdmissionReview: always allowed, with a patch if an image is pinned. */
export const toPinResponse = (result: PinResult): AdmissionResponse => {
  const { pinned, failure, request } = result;
  const outage = letThrough(pinned);
  const warnings =
    failure === undefined
      ? findingWarnings(outage)
      : [warningOf(`Istio images were not pinned to their digests: ${explain(failure)}`)];
  return {
    apiVersion: API_VERSION,
    kind: 'AdmissionReview',
    response: {
      uid: request.uid,
      allowed: true,
      ...(pinned.length === 0 ? {} : { patchType: 'JSONPatch', patch: patchOf(pinned) }),
      ...(warnings.length === 0 ? {} : { warnings }),
      auditAnnotations: annotationsOf(result, outage),
    },
  };
};
