import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../base/index.ts';
import { KIB, type Limit, MIB } from './limit.ts';
import { reviewLimits } from './review-limits.ts';
import { signatureLimits } from './signature-limits.ts';

/**
 * Every limit on sizes, counts, times and concurrency. `keepAlive` stays above the 90 s after which the API server drops
 * an idle connection, because it never retries a POST that met a connection closed by the webhook. So does
 * `requestTime`: the API server opens connections ahead, and Node counts the time of a first request from then.
 */
export const limitTable = [
  ...reviewLimits,
  {
    name: 'manifestBytes',
    default: 4 * MIB,
    unit: 'bytes',
    min: 64 * KIB,
    max: 64 * MIB,
    effect: 'a longer manifest of an image is `registry-answer-invalid`',
  },
  {
    name: 'blobBytes',
    default: MIB,
    unit: 'bytes',
    min: 4 * KIB,
    max: 64 * MIB,
    effect:
      'a bundle declared longer is not a signature; a body that turns out longer is `registry-answer-invalid`',
  },
  {
    name: 'tokenBytes',
    default: 64 * KIB,
    unit: 'bytes',
    min: 4 * KIB,
    max: MIB,
    effect:
      'a longer token response is `registry-answer-invalid`; of an error response no more than this is read',
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
      'further pages of referrers are not read; if no signature before was valid, `too-many-signatures`',
  },
  {
    name: 'requestTimeout',
    default: 10 * SECOND_MS,
    unit: 'milliseconds',
    min: 100,
    max: 2 * MINUTE_MS,
    effect:
      'a request to a registry, with its redirects, is aborted: `registry-unavailable`; never before `registrySilence`',
  },
  {
    name: 'requestsPerRegistry',
    default: 64,
    unit: 'count',
    min: 1,
    max: 1024,
    effect:
      'further requests to the same registry wait, known tags first, then namespaces in turns; a namespace and a repository hold at most as many of them as they leave free, and a namespace in one repository as many as that may still take',
  },
  ...signatureLimits,
  {
    name: 'verifiedBytes',
    default: 32 * MIB,
    unit: 'bytes',
    min: MIB,
    max: 4096 * MIB,
    effect: 'the least recently used verified digests are forgotten, and verified again when next used',
  },
  {
    name: 'rejectedMemory',
    default: 10 * SECOND_MS,
    unit: 'milliseconds',
    min: 0,
    max: HOUR_MS,
    effect: 'a rejected digest is verified again; `0` remembers none',
  },
  {
    name: 'rejectedEntries',
    default: 10_000,
    unit: 'count',
    min: 1,
    max: 1_000_000,
    effect: 'the least recently used rejected digests, and tags of unverified ones, are forgotten',
  },
  {
    name: 'tagEntries',
    default: 10_000,
    unit: 'count',
    min: 1,
    max: 1_000_000,
    effect:
      'of the repository with the most verified tags, the tag resolved the longest time ago is forgotten; it cannot be resolved in an outage',
  },
  {
    name: 'flightDeadline',
    default: 30 * SECOND_MS,
    unit: 'milliseconds',
    min: SECOND_MS,
    max: 10 * MINUTE_MS,
    effect: 'a verification that several reviews share is aborted, even while reviews still wait for it',
  },
  {
    name: 'sharedEvidenceBytes',
    default: 768 * KIB,
    unit: 'bytes',
    min: 64 * KIB,
    // The API server takes 1 MiB in a ConfigMap.
    max: 960 * KIB,
    effect:
      'of the evidence in one ConfigMap, the least recently used of the repository that holds most is removed',
  },
  {
    name: 'requestBudget',
    default: 60,
    unit: 'count',
    min: 1,
    max: 100_000,
    effect:
      'once so many questions of one namespace (a tag, or the signatures of a digest at one repository) were about images that did not verify, its further unknown images are `request-budget-exceeded`',
  },
  {
    name: 'requestBudgetPerSecond',
    default: 2,
    unit: 'count',
    min: 1,
    max: 10_000,
    effect: '`requestBudget` of a namespace is refilled by so many questions a second',
  },
  {
    name: 'registrySilence',
    default: 3 * SECOND_MS,
    unit: 'milliseconds',
    min: 500,
    max: MINUTE_MS,
    effect:
      'a registry that was asked and has not responded for so long is out of service: `registry-unavailable`; a verification that ends before is `deadline-exceeded`, which no outage rule covers',
  },
  {
    name: 'keyBytes',
    default: 64 * KIB,
    unit: 'bytes',
    min: KIB,
    max: MIB,
    effect: 'a longer key file or response of a key URL is not read: its keys are missing from the key ring',
  },
  {
    name: 'keyRefresh',
    default: HOUR_MS,
    unit: 'milliseconds',
    min: SECOND_MS,
    max: 7 * DAY_MS,
    effect: 'a key URL is read again; key files are read again every few seconds',
  },
  {
    name: 'keepAlive',
    default: 120 * SECOND_MS,
    unit: 'milliseconds',
    min: 95 * SECOND_MS,
    max: HOUR_MS,
    effect: 'an idle connection of the API server is closed',
  },
  {
    name: 'requestTime',
    default: 120 * SECOND_MS,
    unit: 'milliseconds',
    min: 95 * SECOND_MS,
    max: HOUR_MS,
    effect:
      'a request that has not arrived completely, or has not begun since the connection was made, gets HTTP 408 and its connection is closed',
  },
  {
    name: 'drain',
    default: 15 * SECOND_MS,
    unit: 'milliseconds',
    min: 0,
    max: 5 * MINUTE_MS,
    effect: 'after the signal to stop, no more connections are accepted; reviews in progress are finished',
  },
] as const satisfies readonly Limit[];

export type LimitName = (typeof limitTable)[number]['name'];

/** The value of every limit, in the `unit` of its row: bytes, milliseconds or a count. */
export type Limits = Readonly<Record<LimitName, number>>;

/** The limits if a configuration sets none. */
export const defaultLimits: Limits = Object.fromEntries(
  limitTable.map((limit) => [limit.name, limit.default]),
) as Limits;
