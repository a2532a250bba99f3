import { isDeepStrictEqual } from 'node:util';
import { LRUCache } from 'lru-cache';
import type { Digest } from '../../image/index.ts';
import type { TagResolution, TagTable } from '../../registry/index.ts';
import type { RejectionReason, ValidSignature } from '../verification.ts';

export interface MemoryLimits {
  /** Bytes for *verified*. */
  readonly verifiedBytes: number;
  /** Milliseconds *rejected* is remembered. */
  readonly rejectedMemory: number;
  readonly rejectedEntries: number;
  readonly tagEntries: number;
}

/** *Verified*: the valid signatures of a digest. They do not expire; whether they count is decided at each use. */
export interface VerifiedMemory {
  find(digest: Digest): readonly ValidSignature[];
  /** Adds signatures read from a source, before those held already; the same signature is held once. */
  add(digest: Digest, signatures: readonly ValidSignature[]): readonly ValidSignature[];
}

/** *Rejected*: that one source holds nothing valid for a digest, for a while. */
export interface RejectedMemory {
  find(source: string, digest: Digest): RejectionReason | undefined;
  add(source: string, digest: Digest, reason: RejectionReason): void;
}

export interface TagMemory {
  /** The tag's digest, where it was answered less than `tagMemory` ago. */
  fresh(repository: string, tag: string): Digest | undefined;
  /** The tag's last answer, however old. */
  last(repository: string, tag: string): TagResolution | undefined;
  add(repository: string, tag: string, digest: Digest | undefined): void;
}

/** A clock that was set back must not make a memory last for ever. */
const isRecent = (at: number, now: number, span: number): boolean => now >= at && now - at < span;

/** Two bytes a character, and the objects around them. */
const weigh = (signatures: readonly ValidSignature[]): number =>
  signatures.reduce(
    (sum, { payload, logBundle, signedReference }) =>
      sum + 2 * (payload.length + (logBundle?.length ?? 0) + (signedReference?.length ?? 0)) + 300,
    300,
  );

const isSame = (one: ValidSignature, other: ValidSignature): boolean =>
  one.keyId === other.keyId &&
  one.payload === other.payload &&
  one.logBundle === other.logBundle &&
  isDeepStrictEqual(one.logged, other.logged);

const distinct = (signatures: readonly ValidSignature[]): readonly ValidSignature[] =>
  signatures.filter((one, place) => signatures.findIndex((other) => isSame(one, other)) === place);

export const createVerifiedMemory = ({ verifiedBytes }: MemoryLimits): VerifiedMemory => {
  const held = new LRUCache<Digest, readonly ValidSignature[]>({
    maxSize: verifiedBytes,
    sizeCalculation: weigh,
  });
  const find = (digest: Digest) => held.get(digest) ?? [];
  return {
    find,
    add(digest, signatures) {
      if (signatures.length === 0) return find(digest);
      const all = distinct([...signatures, ...find(digest)]);
      held.set(digest, all);
      return all;
    },
  };
};

export const createRejectedMemory = (
  { rejectedMemory, rejectedEntries }: MemoryLimits,
  now: () => number,
): RejectedMemory => {
  const held = new LRUCache<string, { readonly reason: RejectionReason; readonly at: number }>({
    max: rejectedEntries,
  });
  return {
    find(source, digest) {
      const found = held.get(`${source}@${digest}`);
      return found !== undefined && isRecent(found.at, now(), rejectedMemory) ? found.reason : undefined;
    },
    add: (source, digest, reason) => void held.set(`${source}@${digest}`, { reason, at: now() }),
  };
};

export const createTagMemory = (
  { tagEntries }: MemoryLimits,
  {
    tagMemory,
    now,
    tagTable,
  }: {
    readonly tagMemory: number;
    readonly now: () => number;
    readonly tagTable?: Pick<TagTable, 'last' | 'add'> | undefined;
  },
): TagMemory => {
  const held = new LRUCache<string, TagResolution>({ max: tagEntries });
  const last = (repository: string, tag: string) =>
    held.get(`${repository}:${tag}`) ?? tagTable?.last(repository, tag);
  return {
    last,
    fresh(repository, tag) {
      // What another process was answered stands in for an answer, and never instead of the question.
      const answer = held.get(`${repository}:${tag}`);
      return answer !== undefined && isRecent(answer.at, now(), tagMemory) ? answer.digest : undefined;
    },
    add(repository, tag, digest) {
      const answer = { digest, at: now() };
      held.set(`${repository}:${tag}`, answer);
      tagTable?.add(repository, tag, answer);
    },
  };
};
