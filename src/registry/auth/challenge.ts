/** One challenge of a `WWW-Authenticate` header, with scheme and parameter names in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly params: Readonly<Record<string, string>>;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const SCHEME = new RegExp(`^[\\s,]*(${TOKEN})(?=\\s|,|$)`);
/** A value without quotes ends at a comma or blank: registries write URLs so. */
const PARAMETER = new RegExp(`^[\\s,]*(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s,"]*))(?=\\s|,|$)`);
/** The data of schemes like Negotiate (RFC 9110 §11.2, token68), which may look like the beginning of a parameter. */
const TOKEN68 = /^\s+[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|$))/;
/** What cannot be parsed, to the next comma. */
const UNKNOWN = /^[\s,]*[^,]*(?:,|$)/;

/** Parses challenges, in order (RFC 9110 §11.6.1). What is malformed hides only itself, to the next comma; never throws. */
export const parseChallenges = (headers: readonly string[]): readonly Challenge[] =>
  headers.flatMap(parseHeader);

interface Parsed {
  readonly scheme: string;
  readonly params: Record<string, string>;
}

/** Reads one parameter or scheme into the challenges, or neither. Returns the length of what was read. */
const readNext = (challenges: Parsed[], rest: string): number => {
  const parameter = PARAMETER.exec(rest);
  const current = challenges.at(-1);
  if (parameter !== null && current !== undefined) {
    const [whole, name = '', quoted, bare = ''] = parameter;
    current.params[name.toLowerCase()] = quoted === undefined ? bare : quoted.replaceAll(/\\(.)/g, '$1');
    return whole.length;
  }
  const scheme = SCHEME.exec(rest);
  if (scheme === null) return UNKNOWN.exec(rest)?.[0].length ?? rest.length;
  challenges.push({
    scheme: (scheme[1] ?? '').toLowerCase(),
    params: Object.create(null) as Record<string, string>,
  });
  const [{ length }] = scheme;
  return length + (TOKEN68.exec(rest.slice(length))?.[0].length ?? 0);
};

const parseHeader = (header: string): readonly Challenge[] => {
  const challenges: Parsed[] = [];
  for (let rest = header; rest !== ''; ) rest = rest.slice(Math.max(readNext(challenges, rest), 1));
  return challenges.map(({ scheme, params }) => ({ scheme, params: { ...params } }));
};
