import { load, YAMLException } from 'js-yaml';
import { ConfigError } from './problem.ts';

const positionOf = ({ mark }: YAMLException): string =>
  mark === undefined ? '' : ` (line ${mark.line + 1}, column ${mark.column + 1})`;

/**
 * Parses the one document of a YAML 1.2 or JSON text. Refuses duplicate keys, further documents, tags, and aliases: with
 * them a short text expands without bound and a list can contain itself. A date stays a string, because the core schema
 * has no dates. Throws `ConfigError`.
 */
export const parseYaml = (text: string): unknown => {
  try {
    return load(text.replace(/^\uFEFF/, ''), { maxAliases: 0 });
  } catch (error) {
    const reason = error instanceof YAMLException ? `${error.reason}${positionOf(error)}` : String(error);
    throw new ConfigError([{ path: '', message: `the file is not YAML: ${reason}` }]);
  }
};
