import type { ReportError } from '../base/index.ts';
import {
  type EvidenceEntry,
  type LayoutWriter,
  laterResolution,
  type SharedEvidence,
  signatureEntry,
  startEntry,
  type TagTable,
} from '../registry/index.ts';
import type { StartProof } from './configuration/image-start.ts';
import type { VerifierDependencies } from './dependencies.ts';
import type { SignatureProof } from './signature-proof.ts';

/** A place where evidence is stored as it is found. */
export interface EvidenceStore {
  readonly storeProofs: NonNullable<VerifierDependencies['storeProofs']>;
  readonly tagTable: Pick<TagTable, 'last' | 'add' | 'update'>;
  load(): Promise<void>;
  close(): Promise<void>;
}

/** The start of an image comes first: where room is short, signatures without it would prove less than they did. */
const entriesOf = (
  proofs: readonly SignatureProof[],
  start: StartProof | undefined,
): readonly EvidenceEntry[] => [
  ...(start === undefined ? [] : [startEntry(start)]),
  ...proofs.map(signatureEntry),
];

/** Stores evidence in the objects that replicas share. */
export const createSharedStore = (shared: SharedEvidence): EvidenceStore => ({
  ...shared,
  storeProofs(proofs, repository, start) {
    const digest = proofs[0]?.digest ?? start?.manifest.digest;
    if (digest !== undefined) shared.add(digest, repository, entriesOf(proofs, start));
  },
});

/** Stores evidence in an image layout, with the table of tags beside it. Failures are reported; `onWrite` is told of every write. */
export const createDiskStore = (
  writer: LayoutWriter,
  tagTable: TagTable,
  report: ReportError,
  onWrite: (result: 'written' | 'failed') => void = () => {},
): EvidenceStore => {
  let lastWrite: Promise<unknown> = Promise.resolve();
  const write = async (entries: readonly EvidenceEntry[]): Promise<void> => {
    try {
      await writer.add(entries);
      onWrite('written');
    } catch (error) {
      onWrite('failed');
      report(error);
    }
  };
  return {
    storeProofs: (proofs, _, start) => void (lastWrite = write(entriesOf(proofs, start))),
    tagTable,
    load: tagTable.load,
    async close() {
      await lastWrite;
      await tagTable.close();
    },
  };
};

/** Stores evidence in every place. Of the resolutions of a tag, the latest counts. */
export const storeEverywhere = (
  stores: readonly EvidenceStore[],
): Required<Pick<VerifierDependencies, 'storeProofs' | 'tagTable'>> => ({
  storeProofs(...args) {
    for (const store of stores) store.storeProofs(...args);
  },
  tagTable: {
    last: (repository, tag) =>
      stores.map(({ tagTable }) => tagTable.last(repository, tag)).reduce(laterResolution, undefined),
    add(repository, tag, resolution) {
      for (const { tagTable } of stores) tagTable.add(repository, tag, resolution);
    },
    update(repository, tag, resolution) {
      for (const { tagTable } of stores) tagTable.update(repository, tag, resolution);
    },
  },
});
