import type * as Yaml from 'js-yaml';
import type { Event } from 'js-yaml';
import { splitJsonStream } from './json-stream.ts';

/** Returns the line (from 1) at which the value of a path in a document (from 0) stands, or the nearest value around it. */
export type FindLine = (document: number, path: string) => number;

/** The events of one text that is parsed by itself, and where it begins in the input. */
interface Part {
  readonly text: string;
  readonly offset: number;
  readonly events: readonly Event[];
  /** By the index of an event: the index of the event that ends its value. */
  readonly ends: Int32Array;
  /** The indexes of the events that begin documents. */
  readonly documents: readonly number[];
}

type YamlParser = Pick<typeof Yaml, 'parseEvents' | 'getScalarValue' | 'EVENT_ID'>;

const toPart = ({ parseEvents, EVENT_ID }: YamlParser, text: string, offset: number): Part => {
  const events = parseEvents(text, {});
  const ends = new Int32Array(events.length);
  const documents: number[] = [];
  const open: number[] = [];
  for (const [index, { type }] of events.entries()) {
    ends[index] = index;
    if (type === EVENT_ID.POP) ends[open.pop() ?? index] = index;
    else if (type !== EVENT_ID.SCALAR && type !== EVENT_ID.ALIAS) open.push(index);
    if (type === EVENT_ID.DOCUMENT) documents.push(index);
  }
  return { text, offset, events, ends, documents };
};

/** Each value of a JSON stream by itself, or the whole text. Throws if it is neither: then no document was parsed. */
const partsOf = (parser: YamlParser, text: string): readonly Part[] => {
  try {
    return [toPart(parser, text, 0)];
  } catch (error) {
    const values = splitJsonStream(text);
    if (values === undefined) throw error;
    let at = 0;
    return values.map((value) => {
      const offset = text.indexOf(value, at);
      at = offset + value.length;
      return toPart(parser, value, offset);
    });
  }
};

const offsetOf = (event: Event | undefined): number => {
  if (event === undefined) return -1;
  if ('start' in event) return event.start;
  if ('valueStart' in event) return event.valueStart;
  return 'anchorStart' in event ? event.anchorStart : -1;
};

/** The rest of a path after a member `key`; undefined if it does not begin with it. */
const afterKey = (path: string, key: string): string | undefined => {
  const quotedKey = `["${key}"]`;
  if (path.startsWith(quotedKey)) return path.slice(quotedKey.length).replace(/^\./, '');
  if (!path.startsWith(key)) return undefined;
  const rest = path.slice(key.length);
  return rest === '' || /^[.[]/.test(rest) ? rest.replace(/^\./, '') : undefined;
};

/** A value on the way to a path, and what is left of the path. */
interface Step {
  readonly index: number;
  readonly rest: string;
  /** Where the value begins, or its key if it is empty. */
  readonly at: number;
}

const createWalk = ({ EVENT_ID, getScalarValue }: YamlParser, { text, events, ends }: Part) => {
  const next = (index: number): number => (ends[index] ?? index) + 1;
  const isEnd = (index: number): boolean => {
    const event = events[index];
    return event === undefined || event.type === EVENT_ID.POP;
  };
  /** A key with dots is a longer match than its first word. */
  const inMapping = (start: number, path: string): Step | undefined => {
    let found: Step | undefined;
    for (let key = start + 1; !isEnd(key); key = next(next(key))) {
      const event = events[key];
      if (event?.type !== EVENT_ID.SCALAR) continue;
      const rest = afterKey(path, getScalarValue(text, event));
      if (rest === undefined || (found !== undefined && found.rest.length <= rest.length)) continue;
      const value = offsetOf(events[next(key)]);
      found = { index: next(key), rest, at: value === -1 ? event.valueStart : value };
    }
    return found;
  };
  const inSequence = (start: number, path: string): Step | undefined => {
    const [whole = '', digits = ''] = /^\[(\d+)\]\.?/.exec(path) ?? [];
    if (whole === '') return undefined;
    let item = start + 1;
    for (let left = Number(digits); left > 0 && !isEnd(item); left -= 1) item = next(item);
    return isEnd(item)
      ? undefined
      : { index: item, rest: path.slice(whole.length), at: offsetOf(events[item]) };
  };
  return (index: number, path: string): Step | undefined => {
    const type = events[index]?.type;
    if (type === EVENT_ID.MAPPING) return inMapping(index, path);
    return type === EVENT_ID.SEQUENCE ? inSequence(index, path) : undefined;
  };
};

const createLineOf = (text: string): ((offset: number) => number) => {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let [low, high] = [0, starts.length];
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
};

/** Creates the search for lines in a text whose documents were parsed. An alias is as far as a path is followed. */
export const createFindLine = async (text: string): Promise<FindLine> => {
  const parser = await import('js-yaml');
  const documents = partsOf(parser, text).flatMap((part) => {
    const walk = createWalk(parser, part);
    return part.documents.map((index) => ({ part, walk, root: index + 1 }));
  });
  const lineOf = createLineOf(text);
  return (number, path) => {
    const document = documents[number];
    if (document === undefined) return 1;
    const { part, walk, root } = document;
    let offset = offsetOf(part.events[root]);
    for (let step = walk(root, path); step !== undefined; step = walk(step.index, step.rest)) {
      if (step.at !== -1) offset = step.at;
      if (step.rest === '') break;
    }
    return lineOf(part.offset + Math.max(offset, 0));
  };
};
