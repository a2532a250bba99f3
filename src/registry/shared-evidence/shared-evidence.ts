import { setTimeout as pause } from 'node:timers/promises';
import { SECOND_MS } from '../../base/index.ts';
import type { Digest } from '../../image/index.ts';
import type { EvidenceEntry } from '../layout/layout-writer.ts';
import type { TagTable } from '../layout/tag-table.ts';
import type { Source } from '../source.ts';
import {
  createEvidenceKind,
  type EvidenceRow,
  evidenceRow,
  isStale,
  keyOf,
  usedAt,
} from './evidence-kind.ts';
import { type SharedEvidenceState, sharedEvidenceStateOf } from './shared-evidence-state.ts';
import { openSharedLayout } from './shared-layout.ts';
import type { SharedObject } from './shared-object.ts';
import { createSharedTable, type SharedTable, type SharedTableOptions } from './shared-table.ts';
import { createSharedTags } from './shared-tags.ts';
import type { WriteTimes } from './write-schedule.ts';

/** The objects that replicas share evidence in. */
export interface SharedObjects {
  /** Holds the table of tags. */
  readonly tags: SharedObject;
  /** Hold the evidence of images, each image in one of them. */
  readonly images: readonly SharedObject[];
}

interface SharedEvidenceOptions extends SharedObjects {
  readonly maxBytes: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly report: (error: unknown) => void;
  readonly times?: Partial<WriteTimes>;
  readonly onWrite?: SharedTableOptions<never>['onWrite'] | undefined;
}

/** Evidence that all replicas of a release share. It is verified each time it is read, as evidence on disk is. */
export interface SharedEvidence {
  open(): Source;
  /** Adds the evidence of an image that was proven by this repository. */
  add(image: Digest, repository: string, entries: readonly EvidenceEntry[]): void;
  /** Notes that an image is in use: what is used least recently is removed first. */
  touch(image: Digest): void;
  readonly tagTable: Pick<TagTable, 'last' | 'add' | 'update'>;
  state(): SharedEvidenceState;
  /** Reads the objects, and follows them from then on. Resolves within `LOAD_TIMEOUT_MS`; never rejects. */
  load(): Promise<void>;
  /** Writes what is pending. Never rejects. */
  close(): Promise<void>;
}

/** The longest that a start waits for the objects: what they hold may also come later. */
const LOAD_TIMEOUT_MS = 3 * SECOND_MS;

/** Chooses the object of an image: digests are evenly distributed. */
const shardOf = <T>(shards: readonly T[], key: string): T | undefined =>
  shards[Number.parseInt(key.slice(-8), 16) % shards.length];

export const createSharedEvidence = (options: SharedEvidenceOptions): SharedEvidence => {
  const { tags: tagObject, images: imageObjects, now } = options;
  const evidenceKind = createEvidenceKind(now);
  const shards = imageObjects.map((object) => createSharedTable({ ...options, object, kind: evidenceKind }));

  const find = (image: Digest): EvidenceRow | undefined => shardOf(shards, keyOf(image))?.find(keyOf(image));
  const touch = (image: Digest): void => {
    const row = find(image);
    if (row === undefined || !isStale(row, now())) return;
    const touched = evidenceRow(row.key, { ...row, used: usedAt(now()) });
    if (touched !== undefined) shardOf(shards, touched.key)?.put(touched);
  };
  const tags = createSharedTags({ ...options, object: tagObject, onUse: touch });
  const tables: readonly Pick<SharedTable<never>, 'load' | 'close' | 'pendingRows'>[] = [...shards, tags];
  const entriesOf = (image: Digest): readonly EvidenceEntry[] => {
    touch(image);
    return find(image)?.entries ?? [];
  };
  function* allEntries(): Iterable<EvidenceEntry> {
    for (const shard of shards) for (const row of shard.rows()) yield* row.entries;
  }

  return {
    // The id changes with the content: a verifier remembers what a source has no signature for.
    open: () => {
      const revision = shards.reduce((sum, shard) => sum + shard.revision(), 0);
      return openSharedLayout(`evidence in the cluster, revision ${revision}`, {
        of: entriesOf,
        all: allEntries,
      });
    },
    add(image, repository, entries) {
      const time = usedAt(now());
      const row = evidenceRow(keyOf(image), { repository, used: time, since: time, entries });
      if (row !== undefined) shardOf(shards, row.key)?.put(row);
    },
    touch,
    tagTable: tags,
    state: () =>
      sharedEvidenceStateOf(
        shards.flatMap((shard) => [...shard.rows()]),
        {
          limitBytes: options.maxBytes * shards.length,
          pending: tables.reduce((sum, table) => sum + table.pendingRows(), 0),
        },
      ),
    async load() {
      await Promise.race([
        Promise.all(tables.map((table) => table.load())),
        pause(LOAD_TIMEOUT_MS, undefined, { ref: false }),
      ]);
    },
    async close() {
      await Promise.all(tables.map((table) => table.close()));
    },
  };
};
