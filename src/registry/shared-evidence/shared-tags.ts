import { HOUR_MS } from '../../base/index.ts';
import type { Digest } from '../../image/index.ts';
import { datedResolution, type TagResolution } from '../layout/tag-rows.ts';
import type { TagTable } from '../layout/tag-table.ts';
import { createSharedTable, type SharedTable, type SharedTableOptions } from './shared-table.ts';
import { createTagKind, type SharedTag, tagKeyOf, tagRow } from './tag-kind.ts';

/** A known tag is written again after this time. A replica that starts may think it this much older than it is. */
const REFRESH_MS = HOUR_MS / 6;
/** Updates that are kept until the object was read for the first time. */
const MAX_UPDATES = 1000;

interface SharedTagsOptions extends Omit<SharedTableOptions<SharedTag>, 'kind'> {
  readonly now: () => number;
  /** Receives the digest of each known tag that was resolved. */
  readonly onUse: (digest: Digest) => void;
}

/** The table of tags that replicas share: as on disk, tags that once resolved to a verified digest. */
export type SharedTags = Pick<TagTable, 'last' | 'add' | 'update'> &
  Pick<SharedTable<SharedTag>, 'load' | 'close' | 'pendingRows'>;

export const createSharedTags = ({ now, onUse, ...options }: SharedTagsOptions): SharedTags => {
  const table = createSharedTable({ ...options, kind: createTagKind(REFRESH_MS, now) });
  let updates: SharedTag[] = [];

  const put = (row: SharedTag): void => {
    table.put(row);
    if (row.resolution.digest !== undefined) onUse(row.resolution.digest);
  };
  /** Applies updates to the tags that the table has, once that is known. */
  const applyUpdates = (): void => {
    if (!table.isRead()) return;
    const known = updates.filter(({ key }) => table.find(key) !== undefined);
    updates = [];
    known.forEach(put);
  };
  const update = (repository: string, tag: string, resolution: TagResolution): void => {
    updates = [...updates, tagRow(repository, tag, resolution)].slice(-MAX_UPDATES);
    applyUpdates();
  };

  return {
    last(repository, tag) {
      const resolution = table.find(tagKeyOf(repository, tag))?.resolution;
      return resolution && datedResolution(resolution, now());
    },
    add: (repository, tag, resolution) => put(tagRow(repository, tag, resolution)),
    update,
    async load() {
      await table.load();
      applyUpdates();
    },
    close: table.close,
    pendingRows: table.pendingRows,
  };
};
