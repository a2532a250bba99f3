import { CommandError } from '../command-line/command.ts';
import { checkAliases } from './aliases.ts';
import { splitJsonStream } from './json-stream.ts';

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

/** Returns the line (from 0) at which a value of a JSON stream begins. */
const lineOf = (text: string, values: readonly string[], index: number): number => {
  let at = 0;
  for (const value of values.slice(0, index)) at = text.indexOf(value, at) + value.length;
  return text.slice(0, text.indexOf(values[index] ?? '', at)).split('\n').length - 1;
};

/**
 * Parses every YAML or JSON document in a text, with aliases and merge keys as kubectl does, or every value of a JSON
 * stream. Rejects with `CommandError`, which names the document and line.
 */
export const parseDocuments = async (text: string, name: string): Promise<readonly unknown[]> => {
  const { CORE_SCHEMA, load, loadAll, mergeTag, YAMLException } = await import('js-yaml');
  const schema = CORE_SCHEMA.withTags(mergeTag);
  const fail = (error: unknown, document: (line: number) => number, firstLine = 0): never => {
    if (!(error instanceof YAMLException)) throw error;
    const { reason, mark } = error;
    const where =
      mark === undefined ? '' : `document ${document(mark.line)}, line ${firstLine + mark.line + 1}: `;
    throw new CommandError(`${name}: ${where}invalid YAML: ${reason}`);
  };
  const parseYaml = (): readonly unknown[] => {
    try {
      return loadAll(text, { schema });
    } catch (error) {
      const values = splitJsonStream(text);
      if (values === undefined) return fail(error, (line) => documentAt(text, line));
      return values.map((value, index) => {
        try {
          return load(value, { schema });
        } catch (problem) {
          return fail(problem, () => index + 1, lineOf(text, values, index));
        }
      });
    }
  };
  const documents = parseYaml();
  checkAliases(documents, text, name);
  return documents;
};
