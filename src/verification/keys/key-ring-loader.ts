import { readFirstBytes, UserError } from '../../base/index.ts';
import { createKeyEntry, type KeyEntry, type KeyReaderOptions } from './key-entry.ts';
import type { KeyRing, MissingKey, TrustedKey } from './key-ring.ts';
import { healthOf, type KeyRingHealth } from './key-ring-health.ts';
import type { KeySpec } from './key-spec.ts';

interface KeyLimits {
  /** The size limit of a key document, in bytes. */
  readonly keyBytes: number;
  /** Milliseconds between two fetches of a URL. */
  readonly keyRefresh: number;
}

/** Calls `run` once after `milliseconds`. Returns a function that cancels the call. */
type Schedule = (milliseconds: number, run: () => void) => () => void;

export interface KeyRingOptions extends Omit<KeyReaderOptions, 'keyBytes' | 'readFile' | 'now'> {
  readonly specs: readonly KeySpec[];
  readonly limits: KeyLimits;
  /** By default, reads from the file system. */
  readonly readFile?: KeyReaderOptions['readFile'];
  /** Milliseconds since the epoch; by default of the system's clock. */
  readonly now?: () => number;
  /** By default, an unreferenced timer. */
  readonly schedule?: Schedule;
}

export interface KeyRingLoader {
  /**
   * Reads every entry for the first time and begins to watch them. Rejects with {@link InvalidKeysError} if a key in
   * the configuration itself is invalid. An entry that cannot be fetched or read is `missing` in the key ring.
   */
  load(): Promise<void>;
  /** Reads every entry again. */
  refresh(): Promise<void>;
  /** Returns the current key ring; the same object until it changes. */
  current(): KeyRing;
  /** Tells how its locations do. */
  health(): KeyRingHealth;
  stop(): void;
}

/** Keys in the configuration are invalid; `problems` names each. */
export class InvalidKeysError extends UserError {
  override readonly name = 'InvalidKeysError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/**
 * The interval of polling a file. Not a watch: Kubernetes swaps symbolic links above the file, which a watch misses.
 */
const FILE_POLL_MS = 3_000;
/** The first interval of retrying a URL that served no key; doubled each time, up to `keyRefresh`. */
const FIRST_RETRY_MS = 5_000;
const FETCH_TIMEOUT_MS = 20_000;

const isInConfiguration = ({ spec }: KeyEntry): boolean =>
  spec.location.kind === 'inline' || spec.location.kind === 'built-in';

const isPinned = ({ location }: KeySpec): boolean =>
  location.kind !== 'url' || location.spkiSha256 !== undefined;

/** Merges the same key from two entries: it may sign for whatever one of them allows. */
const mergeKeys = (first: TrustedKey, second: TrustedKey): TrustedKey => ({
  ...first,
  source: first.source === second.source ? first.source : `${first.source}, ${second.source}`,
  pinned: first.pinned || second.pinned,
  for: first.for && second.for && [...new Set([...first.for, ...second.for])],
  covers: first.covers ?? second.covers,
});

const buildRing = (entries: readonly KeyEntry[]): KeyRing => {
  const keys = new Map<string, TrustedKey>();
  const missing: MissingKey[] = [];
  for (const { spec, source, state } of entries) {
    const { keys: parsed, problem, unfetched } = state();
    if (problem !== undefined)
      missing.push({ source, problem, ...(unfetched === undefined ? {} : { unfetched }) });
    for (const key of parsed) {
      const trusted = { ...key, source, pinned: isPinned(spec), for: spec.for, covers: spec.covers };
      const existing = keys.get(key.keyId);
      keys.set(key.keyId, existing === undefined ? trusted : mergeKeys(existing, trusted));
    }
  }
  return { keys, missing };
};

/** Returns everything that can differ between two key rings, as text. */
const fingerprint = ({ keys, missing }: KeyRing): string =>
  JSON.stringify([[...keys.values()].map((key) => ({ ...key, publicKey: key.spkiSha256 })), missing]);

/** Reads at most `bytes + 1` bytes of a key file. */
const readKeyFile: KeyReaderOptions['readFile'] = (path, bytes) =>
  readFirstBytes(path, bytes, { fromShell: true });

const startTimer: Schedule = (milliseconds, run) => {
  const timer = setTimeout(run, milliseconds);
  timer.unref();
  return () => clearTimeout(timer);
};

/** Returns the milliseconds until an entry is read again; undefined: never. */
const nextReadMs = (
  { spec, state }: KeyEntry,
  failures: number,
  { keyRefresh }: KeyLimits,
): number | undefined => {
  if (spec.location.kind === 'file') return FILE_POLL_MS;
  if (spec.location.kind !== 'url') return undefined;
  return state().problem === undefined
    ? keyRefresh
    : Math.min(keyRefresh, FIRST_RETRY_MS * 2 ** (failures - 1));
};

/** Reads one entry repeatedly. Returns a function that stops it. */
const watchEntry = (
  entry: KeyEntry,
  read: (entry: KeyEntry) => Promise<void>,
  { limits, schedule = startTimer }: KeyRingOptions,
): (() => void) => {
  let stopped = false;
  let failures = 1;
  let cancel: (() => void) | undefined;
  const scheduleNext = () => {
    const waitMs = stopped ? undefined : nextReadMs(entry, failures, limits);
    cancel = waitMs === undefined ? undefined : schedule(waitMs, () => void readAgain());
  };
  const readAgain = async () => {
    await read(entry);
    failures = entry.state().problem === undefined ? 1 : failures + 1;
    scheduleNext();
  };
  scheduleNext();
  return () => {
    stopped = true;
    cancel?.();
  };
};

/**
 * Creates the key ring of a configuration and keeps it current (src/README.md, "Keys"). An entry that fails never removes
 * the keys of another.
 */
export const createKeyRing = (options: KeyRingOptions): KeyRingLoader => {
  const { specs, limits, readFile = readKeyFile, now = Date.now } = options;
  const entries = specs.map((spec) =>
    createKeyEntry(spec, { ...options, readFile, now, keyBytes: limits.keyBytes }),
  );
  const stopped = new AbortController();
  const reads = new Map<KeyEntry, Promise<void>>();
  let ring = buildRing(entries);
  let watches: readonly (() => void)[] = [];

  const updateRing = () => {
    const next = buildRing(entries);
    if (fingerprint(next) !== fingerprint(ring)) ring = next;
  };
  const readOnce = async (entry: KeyEntry) => {
    await entry.read(AbortSignal.any([stopped.signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)]));
    reads.delete(entry);
    if (!stopped.signal.aborted) updateRing();
  };
  /** Reads an entry, or joins the read that is under way. */
  const read = (entry: KeyEntry): Promise<void> => {
    const running = reads.get(entry) ?? readOnce(entry);
    reads.set(entry, running);
    return running;
  };
  const refresh = async () => void (await Promise.all(entries.map(read)));

  return {
    refresh,
    current: () => ring,
    health: () => healthOf(entries),
    async load() {
      await refresh();
      const invalid = entries.filter(
        (entry) => isInConfiguration(entry) && entry.state().problem !== undefined,
      );
      if (invalid.length > 0)
        throw new InvalidKeysError(
          invalid.map(({ source, state }) => `${source}: the key ${state().problem}`),
        );
      watches = entries.map((entry) => watchEntry(entry, read, options));
    },
    stop() {
      stopped.abort();
      for (const stop of watches) stop();
    },
  };
};
