import { createHash } from 'node:crypto';
import { messageOf } from '../../base/index.ts';
import type { KeyEvent } from './key-event.ts';
import type { KeySpec } from './key-spec.ts';
import { type ParsedKey, type ParsedKeys, parseKeys } from './parse-keys.ts';

/** The keys that one entry of the configuration currently contributes to the key ring. */
interface EntryState {
  readonly keys: readonly ParsedKey[];
  /** The reason that there are no keys; undefined if there are. */
  readonly problem: string | undefined;
  /** True if the problem is that a URL was not fetched. */
  readonly unfetched?: true;
}

/** The dependencies of the reader of key entries. */
export interface KeyReaderOptions {
  /** Fetches the https document at a URL. Rejects with a one-line message. */
  readonly fetchDocument: (
    url: string,
    options: { readonly bytes: number; readonly signal: AbortSignal },
  ) => Promise<Uint8Array>;
  /** Reads at most `bytes + 1` bytes of a file. Rejects with `code` `ENOENT` if there is no file. */
  readonly readFile: (path: string, bytes: number) => Promise<Uint8Array>;
  /** The size limit of a key document, in bytes. */
  readonly keyBytes: number;
  readonly requirePinned: boolean;
  readonly onEvent: (event: KeyEvent) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** One entry of the configuration. `read` reads its location once and updates `state`; it never rejects. */
export interface KeyEntry {
  readonly spec: KeySpec;
  readonly source: string;
  readonly state: () => EntryState;
  readonly read: (signal: AbortSignal) => Promise<void>;
  /** Present for a location that is read again and again: the time of the last good read, and if it serves another key now. */
  readonly health?: () => EntryHealth;
}

interface EntryHealth {
  readonly changed: boolean;
  /** Milliseconds since the epoch. */
  readonly readAt: number | undefined;
}

/** Returns the name of an entry for people. */
const sourceOf = ({ location }: KeySpec): string => {
  if (location.kind === 'file') return location.path;
  return location.kind === 'url' ? location.url : location.name;
};

const UNREAD: EntryState = { keys: [], problem: 'not read yet' };

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

const isMissingFile = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(String(codeOf(error)));

const describeReadError = (error: unknown): string =>
  codeOf(error) === 'EISDIR' ? 'is a directory: name the file in it' : `cannot be read: ${messageOf(error)}`;

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

const sortedIdsOf = (keys: readonly ParsedKey[]): string =>
  keys
    .map(({ keyId }) => keyId)
    .toSorted()
    .join();

const parseDocument = async (bytes: Uint8Array, maxBytes: number): Promise<ParsedKeys> =>
  bytes.length > maxBytes ? { ok: false, problem: `is longer than ${maxBytes} bytes` } : parseKeys(bytes);

/** Creates an entry whose text is in the program or the configuration. Only the first call of `read` parses it. */
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

/**
 * Creates an entry for a file. New content replaces its keys at once; if the file is deleted, its keys leave the key
 * ring. If it cannot be read or parsed, its last valid keys stay.
 */
const createFileEntry = (spec: KeySpec, path: string, options: KeyReaderOptions): KeyEntry => {
  let state = UNREAD;
  /** The hash of the last content, or the problem of reading it. */
  let lastRead: string | undefined;
  let readAt: number | undefined;
  let isValid = false;
  const report = (code: KeyEvent['code'], detail: string) => options.onEvent({ code, source: path, detail });

  const removeKeys = (problem: string) => {
    if (state.problem !== problem) report('key-missing', problem);
    state = { keys: [], problem };
    lastRead = undefined;
  };
  const keepLastValid = (problem: string) => {
    report('key-file-invalid', problem);
    if (state.keys.length === 0) state = { keys: [], problem };
  };
  const keepUnreadable = (problem: string) => {
    if (lastRead === problem) return;
    lastRead = problem;
    keepLastValid(problem);
  };
  const take = async (bytes: Uint8Array) => {
    const hash = createHash('sha256').update(bytes).digest('hex');
    if (hash !== lastRead) {
      lastRead = hash;
      const parsed = await parseDocument(bytes, options.keyBytes);
      isValid = parsed.ok;
      if (!parsed.ok) return keepLastValid(parsed.problem);
      state = { keys: parsed.keys, problem: undefined };
      report('key-loaded', idsOf(parsed.keys));
    }
    if (isValid) readAt = options.now();
  };
  return {
    spec,
    source: path,
    health: () => ({ changed: false, readAt }),
    state: () => state,
    read: async () => {
      const { bytes, error } = await attempt(() => options.readFile(path, options.keyBytes));
      if (bytes !== undefined) await take(bytes);
      else if (isMissingFile(error)) removeKeys('file not found');
      else keepUnreadable(describeReadError(error));
    },
  };
};

/** Returns only the pinned key of a document, or every key if no pin is given. */
const applyPin = (parsed: ParsedKeys, pin: string | undefined): ParsedKeys => {
  if (!parsed.ok || pin === undefined) return parsed;
  const [pinned] = parsed.keys.filter(({ spkiSha256 }) => spkiSha256 === pin.toLowerCase());
  if (pinned !== undefined) return { ok: true, keys: [pinned] };
  return { ok: false, problem: `does not match the pin: its sha256 is ${parsed.keys[0].spkiSha256}` };
};

const describeServed = (served: ParsedKeys): string =>
  served.ok ? `the URL now serves ${idsOf(served.keys)}` : `the key that it serves now ${served.problem}`;

/**
 * Creates an entry for a URL. The keys it serves first stay until the process ends: an attacker who takes over the host
 * later cannot replace them.
 */
const createUrlEntry = (
  spec: KeySpec,
  { url, spkiSha256, offline }: Extract<KeySpec['location'], { kind: 'url' }>,
  options: KeyReaderOptions,
): KeyEntry => {
  let state = UNREAD;
  let health: EntryHealth = { changed: false, readAt: undefined };
  const report = (code: KeyEvent['code'], detail: string) => options.onEvent({ code, source: url, detail });

  const fail = (problem: string, more: Pick<EntryState, 'unfetched'> = {}) => {
    if (state.keys.length > 0) return;
    if (state.problem !== problem) report('key-missing', problem);
    state = { keys: [], problem, ...more };
  };
  const take = (served: ParsedKeys) => {
    if (!served.ok) return fail(`the key that it serves ${served.problem}`);
    state = { keys: served.keys, problem: undefined };
    health = { changed: false, readAt: options.now() };
    report('key-loaded', idsOf(served.keys));
  };
  const compare = (served: ParsedKeys) => {
    const changed = !served.ok || sortedIdsOf(served.keys) !== sortedIdsOf(state.keys);
    health = { changed, readAt: options.now() };
    if (changed) report('key-url-changed', describeServed(served));
  };
  const fetch = async (signal: AbortSignal) => {
    const { bytes, error } = await attempt(() =>
      options.fetchDocument(url, { bytes: options.keyBytes, signal }),
    );
    if (bytes === undefined) return fail(`cannot be fetched: ${messageOf(error)}`, { unfetched: true });
    const served = applyPin(await parseDocument(bytes, options.keyBytes), spkiSha256);
    return state.keys.length > 0 ? compare(served) : take(served);
  };
  const failWithoutPin = async () => fail('has no pin, which requirePinnedKeys requires');
  const failOffline = async () => fail('is not fetched offline', { unfetched: true });
  if (offline === true) return { spec, source: url, state: () => state, read: failOffline };
  const isUnpinned = options.requirePinned && spkiSha256 === undefined;
  const read = isUnpinned ? failWithoutPin : fetch;
  return { spec, source: url, state: () => state, read, health: () => health };
};

/** Creates an entry of the configuration without reading it. */
export const createKeyEntry = (spec: KeySpec, options: KeyReaderOptions): KeyEntry => {
  const { location } = spec;
  if (location.kind === 'file') return createFileEntry(spec, location.path, options);
  if (location.kind === 'url') return createUrlEntry(spec, location, options);
  return createTextEntry(spec, location.text);
};
