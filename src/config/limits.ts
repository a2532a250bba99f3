export type Unit = 'bytes' | 'milliseconds' | 'count';

/** One limit: what the README's table says of it, and what a configuration may set it to. */
export interface Limit {
  readonly name: string;
  readonly default: number;
  readonly unit: Unit;
  readonly min: number;
  readonly max: number;
  /** What happens at it. */
  readonly effect: string;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * Every limit on sizes, counts, times and concurrency. `keepAlive` stays above the 90 s after which the API server
 * drops an idle connection: it never repeats a POST that met a connection closed by us. So does `requestTime`: the API
 * server makes connections ahead, and Node counts the time of a first request from there.
 */
export const limitTable = [
  {
    name: 'reviewBytes',
    default: 24 * MIB,
    unit: 'bytes',
    min: MIB,
    max: 128 * MIB,
    effect: 'an AdmissionReview past it gets HTTP 413, which a webhook with failurePolicy Ignore admits',
  },
  {
    name: 'reviewBytesAtOnce',
    default: 128 * MIB,
    unit: 'bytes',
    // As much as the longest that may be configured: or that could never be read.
    min: 128 * MIB,
    max: 4096 * MIB,
    effect:
      'further AdmissionReviews of more than 256 KiB get HTTP 503 with `Retry-After`, and the API server asks again',
  },
  {
    name: 'reviewMargin',
    default: SECOND,
    unit: 'milliseconds',
    min: 10,
    max: 10 * SECOND,
    effect:
      "a review is answered this long before the API server's timeout, or at half of it if that is later",
  },
  {
    name: 'reviewDeadline',
    default: 10 * SECOND,
    unit: 'milliseconds',
    min: 100,
    max: 30 * SECOND,
    effect: 'a review sent with no timeout is answered by then; what is not known yet is `deadline-exceeded`',
  },
  {
    name: 'imagesPerReview',
    default: 64,
    unit: 'count',
    min: 1,
    max: 1000,
    effect: 'distinct Istio images past it are refused as `too-many-images` and not asked about',
  },
  {
    name: 'verificationsAtOnce',
    default: 8,
    unit: 'count',
    min: 1,
    max: 256,
    effect: 'further images of the same review wait for one that is under way',
  },
  {
    name: 'manifestBytes',
    default: 4 * MIB,
    unit: 'bytes',
    min: 64 * KIB,
    max: 64 * MIB,
    effect: 'a manifest past it is `registry-answer-invalid`',
  },
  {
    name: 'blobBytes',
    default: MIB,
    unit: 'bytes',
    min: 4 * KIB,
    max: 64 * MIB,
    effect:
      'a bundle declared longer is no signature; a body that turns out longer is `registry-answer-invalid`',
  },
  {
    name: 'tokenBytes',
    default: 64 * KIB,
    unit: 'bytes',
    min: 4 * KIB,
    max: MIB,
    effect: 'a token answer past it is `registry-answer-invalid`; of an error, no more than this is read',
  },
  {
    name: 'redirects',
    default: 5,
    unit: 'count',
    min: 0,
    max: 20,
    effect: 'the next redirect is not followed: `registry-refused`',
  },
  {
    name: 'referrerPages',
    default: 10,
    unit: 'count',
    min: 1,
    max: 100,
    effect:
      'further pages of what refers to an image are not read; with nothing valid before, `too-many-signatures`',
  },
  {
    name: 'requestTimeout',
    default: 10 * SECOND,
    unit: 'milliseconds',
    min: 100,
    max: 2 * MINUTE,
    effect: 'one question to a registry, with its redirects, is given up: `registry-unavailable`',
  },
  {
    name: 'requestsPerRegistry',
    default: 64,
    unit: 'count',
    min: 1,
    max: 1024,
    effect: 'further requests to the same registry wait for one that is under way',
  },
  {
    name: 'signatureCandidates',
    default: 100,
    unit: 'count',
    min: 1,
    max: 1000,
    effect:
      'with none valid among so many under the signature tag, or so many that refer to the image, and more left: `too-many-signatures`',
  },
  {
    name: 'payloadBytes',
    default: 64 * KIB,
    unit: 'bytes',
    min: 4 * KIB,
    max: MIB,
    effect: 'a longer signed payload is no signature: `signature-invalid`',
  },
  {
    name: 'verifiedBytes',
    default: 32 * MIB,
    unit: 'bytes',
    min: MIB,
    max: 4096 * MIB,
    effect: 'verified digests least recently used are forgotten, and asked about again when next used',
  },
  {
    name: 'rejectedMemory',
    default: 10 * SECOND,
    unit: 'milliseconds',
    min: 0,
    max: HOUR,
    effect: 'a rejected digest is asked about again; `0` remembers none',
  },
  {
    name: 'rejectedEntries',
    default: 10_000,
    unit: 'count',
    min: 1,
    max: 1_000_000,
    effect: 'rejected digests least recently used are forgotten',
  },
  {
    name: 'tagEntries',
    default: 10_000,
    unit: 'count',
    min: 1,
    max: 1_000_000,
    effect: 'last answers of tags least recently used are forgotten; such a tag has nothing to stand for',
  },
  {
    name: 'flightDeadline',
    default: 30 * SECOND,
    unit: 'milliseconds',
    min: SECOND,
    max: 10 * MINUTE,
    effect: 'a verification that several reviews share is given up, whoever still waits for it',
  },
  {
    name: 'keyBytes',
    default: 64 * KIB,
    unit: 'bytes',
    min: KIB,
    max: MIB,
    effect: 'a longer key file or answer of a key URL is not read: its keys are missing from the ring',
  },
  {
    name: 'keyRefresh',
    default: HOUR,
    unit: 'milliseconds',
    min: SECOND,
    max: 7 * 24 * HOUR,
    effect: 'a key URL is read again; key files are, every few seconds',
  },
  {
    name: 'keepAlive',
    default: 120 * SECOND,
    unit: 'milliseconds',
    min: 95 * SECOND,
    max: HOUR,
    effect: 'an idle connection of the API server is closed',
  },
  {
    name: 'requestTime',
    default: 120 * SECOND,
    unit: 'milliseconds',
    min: 95 * SECOND,
    max: HOUR,
    effect:
      'a request that has not arrived whole, or has not begun since the connection was made, is answered HTTP 408 and its connection closed',
  },
  {
    name: 'drain',
    default: 15 * SECOND,
    unit: 'milliseconds',
    min: 0,
    max: 5 * MINUTE,
    effect: 'after it is told to stop, no more connections are taken; reviews under way are finished',
  },
] as const satisfies readonly Limit[];

export type LimitName = (typeof limitTable)[number]['name'];

/** Every limit as one number: bytes, milliseconds or a count, as the table's `unit` says. */
export type Limits = Readonly<Record<LimitName, number>>;

/** The limits where a configuration sets none. */
export const defaultLimits: Limits = Object.fromEntries(
  limitTable.map((limit) => [limit.name, limit.default]),
) as Limits;
