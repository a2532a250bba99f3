import { load, YAMLException } from 'js-yaml';
import { ConfigError } from './problem.ts';

const whereOf = ({ mark }: YAMLException): string =>
  mark === undefined ? '' : ` (line ${mark.line + 1}, column ${mark.column + 1})`;

/**
 * Reads the one document of a YAML 1.2 or JSON text. Duplicate keys, further documents and tags are refused; so are
 * aliases, with which a short text says much and a list can hold itself. A date stays text, as the core schema has none.
 * Throws `ConfigError`.
 */
export const parseYaml = (text: string): unknown => {
  try {
    return load(text.replace(/^\uFEFF/, ''), { maxAliases: 0 });
  } catch (error) {
    const reason = error instanceof YAMLException ? `${error.reason}${whereOf(error)}` : String(error);
    throw new ConfigError([{ path: '', message: `it is not YAML: ${reason}` }]);
  }
};
