import type { EvidenceSettings } from '../config.ts';
import type { ReadContext } from './read-context.ts';

/** The directories of evidence. That they are there is not asked: a volume may be mounted later, or filled. */
export const readEvidence = ({ part, note }: ReadContext): EvidenceSettings => {
  const { read = [], write } = part('evidence') ?? {};
  const twice = read.findIndex((directory, place) => read.indexOf(directory) !== place);
  if (twice !== -1) note(`evidence.read[${twice}]`, 'must be listed once');
  if (write !== undefined && read.includes(write))
    note('evidence.write', 'is read too, so it must not be listed under evidence.read');
  return { read, ...(write === undefined ? {} : { write }) };
};
