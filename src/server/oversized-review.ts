import { BadRequest } from './bad-request.ts';
import { decodeText } from './decode-text.ts';
import type { Failure } from './failure-response.ts';
import { type BodyLimits, type BodyScan, SMALL_BODY_BYTES, scanBody } from './scan-body.ts';

/** A review that holds more than may be parsed. It is answered, and its objects were not read. */
export class OversizedReview {
  /** The AdmissionReview without its objects. */
  readonly envelope: unknown;
  readonly limit: { readonly name: keyof BodyLimits; readonly value: number };

  constructor(envelope: unknown, limit: OversizedReview['limit']) {
    this.envelope = envelope;
    this.limit = limit;
  }
}

/** Parses what stands before the first object. The API server writes `uid` and the kind of the object there. */
const parseEnvelope = (bytes: Buffer, { objectAt }: BodyScan): unknown => {
  if (objectAt === undefined) return undefined;
  try {
    return JSON.parse(`${decodeText(bytes.subarray(0, objectAt))}null}}`);
  } catch {
    return undefined;
  }
};

/**
 * Returns the review without its objects if a scan went past a limit; undefined if the body can be parsed. Throws
 * `BadRequest` if no review can be told from it.
 */
export const findOversized = (
  bytes: Buffer,
  scan: BodyScan,
  limits: BodyLimits,
): OversizedReview | undefined => {
  const name =
    scan.imageUses > limits.imageUsesPerReview
      ? 'imageUsesPerReview'
      : scan.values > limits.valuesPerReview
        ? 'valuesPerReview'
        : undefined;
  if (name === undefined) return undefined;
  const envelope = parseEnvelope(bytes, scan);
  if (envelope === undefined)
    throw new BadRequest(`the body is not an AdmissionReview, and holds more than limits.${name} allows`);
  return new OversizedReview(envelope, { name, value: limits[name] });
};

/** Returns why the review of a body that holds too much was not judged. */
export const failureOf = ({ limit: { name, value } }: OversizedReview): Failure => ({
  code: 'too-many-images',
  limit: value,
  limitName: name,
});

/** Returns why a review would be answered without being read; undefined if it would be read. */
export const whyUnread = (review: object, limits: BodyLimits): Failure | undefined => {
  const bytes = Buffer.from(JSON.stringify(review));
  if (bytes.length <= SMALL_BODY_BYTES) return undefined;
  const oversized = findOversized(bytes, scanBody(bytes, limits), limits);
  return oversized && failureOf(oversized);
};
