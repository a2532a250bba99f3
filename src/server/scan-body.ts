/** Bytes of the bodies that nearly all reviews have: whatever they hold is parsed in milliseconds. */
export const SMALL_BODY_BYTES = 256 * 1024;

export interface BodyLimits {
  readonly valuesPerReview: number;
  readonly imageUsesPerReview: number;
}

/** The contents of a JSON body, counted without parsing it; counting ends past a limit. */
export interface BodyScan {
  /** Objects, lists, members and elements: what takes memory beside texts. */
  readonly values: number;
  /** Members that may name an image: `image`, `reference`. */
  readonly imageUses: number;
  /** Where the first object under review begins; undefined if there is none as far as was counted. */
  readonly objectAt: number | undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const SPACE = 0x20;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const IMAGE = Buffer.from('image');
const REFERENCE = Buffer.from('reference');
const REQUEST = Buffer.from('request');
const OBJECT = Buffer.from('object');
const OLD_OBJECT = Buffer.from('oldObject');
const UNICODE_ESCAPE = Buffer.from('\\u');

/** Bytes of the longest name of an image, each character written as an escape. */
const MAX_NAME_BYTES = 6 * REFERENCE.length;
/** Bytes of a text that are looked at one by one before the rest is searched. */
const SHORT_TEXT = 64;

/** Returns the index of the quote that ends the text that begins at `start`. */
const endOfText = (bytes: Buffer, start: number): number => {
  let at = start + 1;
  for (const short = Math.min(at + SHORT_TEXT, bytes.length); at < short; ) {
    const byte = bytes[at];
    if (byte === QUOTE) return at;
    at += byte === BACKSLASH ? 2 : 1;
  }
  const found = bytes.indexOf(QUOTE, at);
  if (found === -1) return bytes.length;
  if (found === at || bytes[found - 1] !== BACKSLASH) return found;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
};

/** True if the text between these quotes is the name. */
const isName = (bytes: Buffer, start: number, end: number, name: Buffer): boolean => {
  if (end - start - 1 !== name.length) return false;
  for (let at = 0; at < name.length; at += 1) if (bytes[start + 1 + at] !== name[at]) return false;
  return true;
};

/** True if a member may name an image. An escaped name may be any: nobody writes a letter so. */
const mayBeImage = (bytes: Buffer, start: number, end: number): boolean =>
  isName(bytes, start, end, IMAGE) ||
  isName(bytes, start, end, REFERENCE) ||
  (end - start <= MAX_NAME_BYTES && bytes.subarray(start, end).includes(UNICODE_ESCAPE));

const nextVisible = (bytes: Buffer, after: number): number => {
  let at = after + 1;
  while (at < bytes.length && (bytes[at] as number) <= SPACE) at += 1;
  return at;
};

interface ScanState {
  values: number;
  imageUses: number;
  depth: number;
  /** True within the member `request` of the review. */
  isRequest: boolean;
  /** True within a member of the request that holds an object under review. */
  isObject: boolean;
  objectAt: number | undefined;
}

const countMember = (state: ScanState, bytes: Buffer, start: number, end: number): void => {
  state.values += 1;
  if (state.depth === 1) state.isRequest = isName(bytes, start, end, REQUEST);
  else if (state.depth === 2)
    state.isObject = isName(bytes, start, end, OBJECT) || isName(bytes, start, end, OLD_OBJECT);
  else if (mayBeImage(bytes, start, end)) state.imageUses += 1;
};

/** Counts a text if it names a member. Returns the index of its last byte, with the blanks after it. */
const scanText = (state: ScanState, bytes: Buffer, start: number): number => {
  const end = endOfText(bytes, start);
  const next = nextVisible(bytes, end);
  if (bytes[next] === COLON) countMember(state, bytes, start, end);
  return next - 1;
};

const open = (state: ScanState, at: number): void => {
  state.values += 1;
  state.depth += 1;
  if (state.depth === 3 && state.isRequest && state.isObject) state.objectAt ??= at;
};

/**
 * Counts what a body of JSON holds, in one pass that takes no memory. Of a body that is not JSON the counts mean nothing,
 * but are never less than those of a beginning that is.
 */
export const scanBody = (bytes: Buffer, limits: BodyLimits): BodyScan => {
  const state: ScanState = {
    values: 0,
    imageUses: 0,
    depth: 0,
    isRequest: false,
    isObject: false,
    objectAt: undefined,
  };
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) at = scanText(state, bytes, at);
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) open(state, at);
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) state.depth -= 1;
    else if (byte === COMMA) state.values += 1;
    if (state.values > limits.valuesPerReview || state.imageUses > limits.imageUsesPerReview) break;
  }
  const { values, imageUses, objectAt } = state;
  return { values, imageUses, objectAt };
};
