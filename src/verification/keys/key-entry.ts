import { createHash } from 'node:crypto';
import { messageOf } from '../../base/index.ts';
import type { KeyEvent } from './key-event.ts';
import type { KeySpec } from './key-spec.ts';
import { type ParsedKey, type ParsedKeys, parseKeys } from './parse-keys.ts';

/** What one entry of the configuration gives the ring at one moment. */
interface EntryState {
  readonly keys: readonly ParsedKey[];
  /** Why there are none; undefined where there are. */
  readonly problem: string | undefined;
}

/** Where the documents of entries come from. */
export interface KeyReaderOptions {
  /** The https document at a URL. Rejects with a one-line message. */
  readonly fetchDocument: (
    url: string,
    options: { readonly bytes: number; readonly signal: AbortSignal },
  ) => Promise<Uint8Array>;
  /** At most `bytes + 1` bytes of a file. Rejects with `code` `ENOENT` where it is not there. */
  readonly readFile: (path: string, bytes: number) => Promise<Uint8Array>;
  /** Bytes a key document may have. */
  readonly keyBytes: number;
  readonly requirePinned: boolean;
  readonly onEvent: (event: KeyEvent) => void;
}

/** One entry: `read` looks at its place once and moves `state`. Never rejects. */
export interface KeyEntry {
  readonly spec: KeySpec;
  readonly source: string;
  readonly state: () => EntryState;
  readonly read: (signal: AbortSignal) => Promise<void>;
}

/** How an entry is named to people. */
const sourceOf = ({ location: place }: KeySpec): string => {
  if (place.kind === 'file') return place.path;
  return place.kind === 'url' ? place.url : place.name;
};

const UNREAD: EntryState = { keys: [], problem: 'not read yet' };

const isGone = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');

const attempt = async (
  read: () => Promise<Uint8Array>,
): Promise<{ readonly bytes?: Uint8Array; readonly error?: unknown }> => {
  try {
    return { bytes: await read() };
  } catch (error) {
    return { error };
  }
};

const idsOf = (keys: readonly ParsedKey[]): string => keys.map(({ keyId }) => keyId).join(', ');

const isSame = (one: readonly ParsedKey[], other: readonly ParsedKey[]): boolean =>
  one
    .map(({ keyId }) => keyId)
    .toSorted()
    .join() ===
  other
    .map(({ keyId }) => keyId)
    .toSorted()
    .join();

const parseDocument = async (bytes: Uint8Array, most: number): Promise<ParsedKeys> =>
  bytes.length > most
    ? { ok: false, problem: `is longer than ${most} bytes` }
    : parseKeys(Buffer.from(bytes).toString('utf8'));

/** An entry whose text is in the program or the configuration: read once, by a first call. */
const createTextEntry = (spec: KeySpec, text: string): KeyEntry => {
  let state = UNREAD;
  return {
    spec,
    source: sourceOf(spec),
    state: () => state,
    read: async () => {
      if (state !== UNREAD) return;
      const parsed = await parseKeys(text);
      state = parsed.ok ? { keys: parsed.keys, problem: undefined } : { keys: [], problem: parsed.problem };
    },
  };
};

/** A file is its owner's word: new content replaces its keys at once, its going takes them out. */
const createFileEntry = (spec: KeySpec, path: string, reading: KeyReaderOptions): KeyEntry => {
  let state = UNREAD;
  let seen: string | undefined;
  const tell = (code: KeyEvent['code'], detail: string) => reading.onEvent({ code, source: path, detail });

  const lose = (problem: string) => {
    if (state.problem !== problem) tell('key-missing', problem);
    state = { keys: [], problem };
    seen = undefined;
  };
  const keepLastGood = (problem: string) => {
    tell('key-file-invalid', problem);
    if (state.keys.length === 0) state = { keys: [], problem };
  };
  const keepUnread = (message: string) => {
    if (seen === message) return;
    seen = message;
    keepLastGood(`cannot be read: ${message}`);
  };
  const take = async (bytes: Uint8Array) => {
    const hash = createHash('sha256').update(bytes).digest('hex');
    if (hash === seen) return;
    seen = hash;
    const parsed = await parseDocument(bytes, reading.keyBytes);
    if (!parsed.ok) return keepLastGood(parsed.problem);
    state = { keys: parsed.keys, problem: undefined };
    tell('key-loaded', idsOf(parsed.keys));
  };
  return {
    spec,
    source: path,
    state: () => state,
    read: async () => {
      const { bytes, error } = await attempt(() => reading.readFile(path, reading.keyBytes));
      if (bytes !== undefined) await take(bytes);
      else if (isGone(error)) lose('file not found');
      else keepUnread(messageOf(error));
    },
  };
};

/** Of the keys in a document, the pinned one alone; all where no pin is given. */
const applyPin = (parsed: ParsedKeys, pin: string | undefined): ParsedKeys => {
  if (!parsed.ok || pin === undefined) return parsed;
  const [pinned] = parsed.keys.filter(({ spkiSha256 }) => spkiSha256 === pin.toLowerCase());
  if (pinned !== undefined) return { ok: true, keys: [pinned] };
  return { ok: false, problem: `does not match the pin: its sha256 is ${parsed.keys[0].spkiSha256}` };
};

const describe = (served: ParsedKeys): string =>
  served.ok ? `it now serves ${idsOf(served.keys)}` : `the key that it serves now ${served.problem}`;

/** What a URL served first counts for the life of the process: whoever takes the host over later changes nothing. */
const createUrlEntry = (
  spec: KeySpec,
  { url, spkiSha256 }: { readonly url: string; readonly spkiSha256?: string },
  reading: KeyReaderOptions,
): KeyEntry => {
  let state = UNREAD;
  const tell = (code: KeyEvent['code'], detail: string) => reading.onEvent({ code, source: url, detail });

  const fail = (problem: string) => {
    if (state.keys.length > 0) return;
    if (state.problem !== problem) tell('key-missing', problem);
    state = { keys: [], problem };
  };
  const take = (served: ParsedKeys) => {
    if (!served.ok) return fail(`the key that it serves ${served.problem}`);
    state = { keys: served.keys, problem: undefined };
    tell('key-loaded', idsOf(served.keys));
  };
  const compare = (served: ParsedKeys) => {
    if (!served.ok || !isSame(served.keys, state.keys)) tell('key-url-changed', describe(served));
  };
  const fetch = async (signal: AbortSignal) => {
    const { bytes, error } = await attempt(() =>
      reading.fetchDocument(url, { bytes: reading.keyBytes, signal }),
    );
    if (bytes === undefined) return fail(`cannot be fetched: ${messageOf(error)}`);
    const served = applyPin(await parseDocument(bytes, reading.keyBytes), spkiSha256);
    return state.keys.length > 0 ? compare(served) : take(served);
  };
  const refuse = async () => fail('has no pin, which requirePinnedKeys requires');
  const refused = reading.requirePinned && spkiSha256 === undefined;
  return { spec, source: url, state: () => state, read: refused ? refuse : fetch };
};

/** An entry of the configuration, not read yet. */
export const createKeyEntry = (spec: KeySpec, reading: KeyReaderOptions): KeyEntry => {
  const { location: place } = spec;
  if (place.kind === 'file') return createFileEntry(spec, place.path, reading);
  if (place.kind === 'url') return createUrlEntry(spec, place, reading);
  return createTextEntry(spec, place.text);
};
