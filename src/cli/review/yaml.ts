import { CommandError } from '../command-line/command.ts';

/** The number of the document that a line stands in, both from 1 and 0 as people and parsers count. */
const documentAt = (text: string, line: number): number => {
  const before = text.split('\n').slice(0, line + 1);
  const isSeparator = (one: string): boolean => /^---(?:\s|$)/.test(one);
  const first = before.findIndex(isSeparator);
  const content = before.slice(0, first === -1 ? undefined : first);
  // A separator at the very beginning, comments aside, separates nothing.
  const leading = first !== -1 && content.every((one) => /^\s*(?:#|%|$)/.test(one));
  return before.filter(isSeparator).length + (leading ? 0 : 1);
};

/** Every document of a text, JSON being YAML. Rejects with `CommandError`, which says document and line. */
export const parseDocuments = async (text: string, name: string): Promise<readonly unknown[]> => {
  const { loadAll, YAMLException } = await import('js-yaml');
  try {
    return loadAll(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const { reason, mark } = error;
    const where =
      mark === undefined ? '' : `document ${documentAt(text, mark.line)}, line ${mark.line + 1}: `;
    throw new CommandError(`${name}: ${where}not YAML: ${reason}`);
  }
};
