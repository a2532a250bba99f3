import { createReadStream } from 'node:fs';
import { UserError } from '../../base/index.ts';
import { createKeyEntry, type KeyEntry, type KeyReaderOptions } from './key-entry.ts';
import type { KeyRing, MissingKey, TrustedKey } from './key-ring.ts';
import type { KeySpec } from './key-spec.ts';

interface KeyLimits {
  /** Bytes a key document may have. */
  readonly keyBytes: number;
  /** Milliseconds between two readings of a URL. */
  readonly keyRefresh: number;
}

/** Calls `run` once after `milliseconds`; the function returned calls it off. */
type Schedule = (milliseconds: number, run: () => void) => () => void;

export interface KeyRingOptions extends Omit<KeyReaderOptions, 'keyBytes' | 'readFile'> {
  readonly specs: readonly KeySpec[];
  readonly limits: KeyLimits;
  /** Reads the file system where nothing else is given. */
  readonly readFile?: KeyReaderOptions['readFile'];
  /** The clock's timers, which keep no process alive, where nothing else is given. */
  readonly schedule?: Schedule;
}

export interface KeyRingLoader {
  /**
   * Reads every entry for the first time and begins to watch. Rejects with {@link InvalidKeysError} where keys that the
   * configuration itself holds are bad; what cannot be fetched or read is `missing` in the ring.
   */
  load(): Promise<void>;
  /** Reads every entry again, now. */
  refresh(): Promise<void>;
  /** The keys of this moment; another object only where something changed. */
  current(): KeyRing;
  stop(): void;
}

/** Keys of the configuration that are none; `problems` names each. */
export class InvalidKeysError extends UserError {
  override readonly name = 'InvalidKeysError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** Milliseconds between two looks at a file. By content: Kubernetes swaps symbolic links above it, which no watch sees. */
const FILE_POLL = 3_000;
/** Milliseconds until a URL that gave no key is asked again; doubled each time, up to `keyRefresh`. */
const FIRST_RETRY = 5_000;
/** Milliseconds for one reading of a URL. */
const FETCH_DEADLINE = 20_000;

const isInConfiguration = ({ spec }: KeyEntry): boolean =>
  spec.location.kind === 'inline' || spec.location.kind === 'built-in';

const isPinned = ({ location: place }: KeySpec): boolean =>
  place.kind !== 'url' || place.spkiSha256 !== undefined;

/** One key from two entries is one key, with what both allow. */
const joinKeys = (one: TrustedKey, other: TrustedKey): TrustedKey => ({
  ...one,
  source: one.source === other.source ? one.source : `${one.source}, ${other.source}`,
  pinned: one.pinned || other.pinned,
  for: one.for && other.for && [...new Set([...one.for, ...other.for])],
  covers: one.covers ?? other.covers,
});

const buildRing = (entries: readonly KeyEntry[]): KeyRing => {
  const keys = new Map<string, TrustedKey>();
  const missing: MissingKey[] = [];
  for (const { spec, source, state } of entries) {
    const { keys: parsed, problem } = state();
    if (problem !== undefined) missing.push({ source, problem });
    for (const key of parsed) {
      const trusted = { ...key, source, pinned: isPinned(spec), for: spec.for, covers: spec.covers };
      const known = keys.get(key.keyId);
      keys.set(key.keyId, known === undefined ? trusted : joinKeys(known, trusted));
    }
  }
  return { keys, missing };
};

/** Everything of a ring that can differ, as text: two rings of one fingerprint are the same to every reader. */
const fingerprint = ({ keys, missing }: KeyRing): string =>
  JSON.stringify([[...keys.values()].map((key) => ({ ...key, publicKey: key.spkiSha256 })), missing]);

/** At most `bytes + 1` bytes of a file, a pipe included. */
const readStart = async (path: string, bytes: number): Promise<Uint8Array> => {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path, { end: bytes })) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

const startTimer: Schedule = (milliseconds, run) => {
  const timer = setTimeout(run, milliseconds);
  timer.unref();
  return () => clearTimeout(timer);
};

/** How long until an entry is read again; undefined: never. */
const nextReading = (
  { spec, state }: KeyEntry,
  failures: number,
  { keyRefresh }: KeyLimits,
): number | undefined => {
  if (spec.location.kind === 'file') return FILE_POLL;
  if (spec.location.kind !== 'url') return undefined;
  return state().problem === undefined ? keyRefresh : Math.min(keyRefresh, FIRST_RETRY * 2 ** (failures - 1));
};

/** Reads one entry again and again. Returns what ends that. */
const watchEntry = (
  entry: KeyEntry,
  read: (entry: KeyEntry) => Promise<void>,
  { limits, schedule = startTimer }: KeyRingOptions,
): (() => void) => {
  let stopped = false;
  let failures = 1;
  let callOff: (() => void) | undefined;
  const plan = () => {
    const wait = stopped ? undefined : nextReading(entry, failures, limits);
    callOff = wait === undefined ? undefined : schedule(wait, () => void again());
  };
  const again = async () => {
    await read(entry);
    failures = entry.state().problem === undefined ? 1 : failures + 1;
    plan();
  };
  plan();
  return () => {
    stopped = true;
    callOff?.();
  };
};

/** Creates the key ring of a configuration (src/README.md, "Keys"). An entry that fails never removes the keys of another. */
export const createKeyRing = (options: KeyRingOptions): KeyRingLoader => {
  const { specs, limits, readFile = readStart } = options;
  const entries = specs.map((spec) =>
    createKeyEntry(spec, { ...options, readFile, keyBytes: limits.keyBytes }),
  );
  const end = new AbortController();
  const reading = new Map<KeyEntry, Promise<void>>();
  let ring = buildRing(entries);
  let watches: readonly (() => void)[] = [];

  const renew = () => {
    const next = buildRing(entries);
    if (fingerprint(next) !== fingerprint(ring)) ring = next;
  };
  const readOnce = async (entry: KeyEntry) => {
    await entry.read(AbortSignal.any([end.signal, AbortSignal.timeout(FETCH_DEADLINE)]));
    reading.delete(entry);
    if (!end.signal.aborted) renew();
  };
  /** An entry is read by one reader at a time; who comes meanwhile waits for that one. */
  const read = (entry: KeyEntry): Promise<void> => {
    const running = reading.get(entry) ?? readOnce(entry);
    reading.set(entry, running);
    return running;
  };
  const refresh = async () => void (await Promise.all(entries.map(read)));

  return {
    refresh,
    current: () => ring,
    async load() {
      await refresh();
      const bad = entries.filter((entry) => isInConfiguration(entry) && entry.state().problem !== undefined);
      if (bad.length > 0)
        throw new InvalidKeysError(bad.map(({ source, state }) => `${source}: the key ${state().problem}`));
      watches = entries.map((entry) => watchEntry(entry, read, options));
    },
    stop() {
      end.abort();
      for (const stop of watches) stop();
    },
  };
};
