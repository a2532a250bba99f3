import { type JsonObject, memberOf } from './json.ts';

/** The number of the formats that this release reads and writes. */
const FORMAT = 1;

/**
 * True if this release knows the format of an object that another release may have stored: the member `format`, a number,
 * and 1 if it is absent. Who changes the meaning of members that are stored writes another number, so that a release before
 * it reads nothing there, instead of something else. Members that are unknown change nothing.
 */
export const isKnownFormat = (stored: JsonObject): boolean =>
  (memberOf(stored, 'format') ?? FORMAT) === FORMAT;
