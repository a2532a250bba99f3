import {
  exactAdditionsOf,
  hubPattern,
  lookAlikePattern,
  MAX_PLAIN_LENGTH,
  plainPattern,
  samplePattern,
  vendorNamePattern,
  vendorPlacePattern,
} from './exact-patterns.ts';
import type { Places } from './image-class.ts';
import { additionsOf, basePattern } from './match-pattern.ts';

/** What one pattern is searched for with in a text of this length costs, as CEL counts it (cel-go, `runtimecost.go`). */
export const priceOfSearch = (characters: number, pattern: string): number =>
  Math.ceil((characters + 1) / 10) * Math.ceil(pattern.length / 4);

/** The patterns of a match condition, in which an image of a container or volume is searched for. */
export interface MatchPatterns {
  /** Ignoring case: a text that it does not match is not Istio's. */
  readonly wide: string;
  /**
   * Ignoring case: of the texts that `plainPattern` matches, it matches look-alikes, images of the configuration's own
   * places, and revoked digests. Images of built-in hubs and of vendors have patterns of their own.
   */
  readonly exact: string;
}

const joined = (first: string, more: Iterable<string>): string => [first, ...more].join('|');

/** Returns the patterns of a configuration: hubs and mirrors in normal form, and revoked digests. */
export const matchPatterns = (places: Places, revoked: readonly string[]): MatchPatterns => ({
  wide: joined(basePattern, additionsOf(places, revoked).keys()),
  exact: joined(lookAlikePattern, exactAdditionsOf(places, revoked)),
});

/** The flag and group that make a pattern ignore case, inside the pattern that is paid for. */
export const ignoringCase = (pattern: string): string => `(?i:${pattern})`;

/** The cost of the searches in a text that is not decided by the first of them. */
const priceOfDoubt = ({ exact }: MatchPatterns): number =>
  [
    plainPattern,
    ...[exact, hubPattern, samplePattern, vendorNamePattern, vendorPlacePattern].map(ignoringCase),
  ]
    .map((pattern) => priceOfSearch(MAX_PLAIN_LENGTH, pattern))
    .reduce((sum, price) => sum + price, 0);

/** A pod that is larger than any: its images, how many of them may be Istio's, and the characters of each. */
const LARGE_POD = { images: 60, inDoubt: 10, characters: 300 };

/** Returns the most that all searches in the images of a large pod cost. */
export const priceOfLargePod = (patterns: MatchPatterns): number =>
  LARGE_POD.images * priceOfSearch(LARGE_POD.characters, ignoringCase(patterns.wide)) +
  LARGE_POD.inDoubt * priceOfDoubt(patterns);
