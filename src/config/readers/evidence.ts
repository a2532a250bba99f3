import type { EvidenceSettings } from '../config.ts';
import type { AllRead, ReadContext, SoundFile } from './read-context.ts';

/** Reads the directories of evidence. They need not exist yet: a volume may be mounted or filled later. */
export const readEvidence = (file: SoundFile['evidence'], { note }: ReadContext): EvidenceSettings => {
  const { read = [], write, ...unread } = file ?? {};
  unread satisfies AllRead;
  const duplicate = read.findIndex((directory, index) => read.indexOf(directory) !== index);
  if (duplicate !== -1) note(`evidence.read[${duplicate}]`, 'must be listed once');
  if (write !== undefined && read.includes(write))
    note('evidence.write', 'is read too: remove it from evidence.read');
  return { read, ...(write === undefined ? {} : { write }) };
};
