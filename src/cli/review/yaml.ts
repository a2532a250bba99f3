import { CommandError } from '../command-line/command.ts';
import { checkAliases } from './aliases.ts';

/** The number of the document (from 1) that contains a line (from 0). */
const documentAt = (text: string, line: number): number => {
  const before = text.split('\n').slice(0, line + 1);
  const isSeparator = (candidate: string): boolean => /^---(?:\s|$)/.test(candidate);
  const first = before.findIndex(isSeparator);
  const preamble = before.slice(0, first === -1 ? undefined : first);
  // A separator that only comments and directives precede begins the first document.
  const isLeading = first !== -1 && preamble.every((candidate) => /^\s*(?:#|%|$)/.test(candidate));
  return before.filter(isSeparator).length + (isLeading ? 0 : 1);
};

/**
 * Parses every YAML or JSON document in a text, with aliases and merge keys as kubectl does. Rejects with `CommandError`,
 * which names the document and line.
 */
export const parseDocuments = async (text: string, name: string): Promise<readonly unknown[]> => {
  const { CORE_SCHEMA, loadAll, mergeTag, YAMLException } = await import('js-yaml');
  try {
    const documents = loadAll(text.replace(/^\uFEFF/, ''), { schema: CORE_SCHEMA.withTags(mergeTag) });
    checkAliases(documents, text, name);
    return documents;
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const { reason, mark } = error;
    const where =
      mark === undefined ? '' : `document ${documentAt(text, mark.line)}, line ${mark.line + 1}: `;
    throw new CommandError(`${name}: ${where}invalid YAML: ${reason}`);
  }
};
