/** One challenge of a `WWW-Authenticate` header, with scheme and parameter names in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly params: Readonly<Record<string, string>>;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const SCHEME = new RegExp(`^[\\s,]*(${TOKEN})(?=\\s|,|$)`);
const PARAMETER = new RegExp(`^[\\s,]*(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))`);

/** Parses challenges, in order (RFC 9110 §11.6.1). A malformed header yields the challenges before the error; never throws. */
export const parseChallenges = (headers: readonly string[]): readonly Challenge[] =>
  headers.flatMap(parseHeader);

const parseHeader = (header: string): readonly Challenge[] => {
  const challenges: { scheme: string; params: Record<string, string> }[] = [];
  let rest = header;
  while (rest !== '') {
    const parameter = PARAMETER.exec(rest);
    const current = challenges.at(-1);
    if (parameter !== null && current !== undefined) {
      const [, name = '', quoted, bare = ''] = parameter;
      current.params[name.toLowerCase()] = quoted === undefined ? bare : quoted.replaceAll(/\\(.)/g, '$1');
      rest = rest.slice(parameter[0].length);
      continue;
    }
    const scheme = SCHEME.exec(rest);
    if (scheme === null) break;
    challenges.push({
      scheme: (scheme[1] ?? '').toLowerCase(),
      params: Object.create(null) as Record<string, string>,
    });
    rest = rest.slice(scheme[0].length);
  }
  return challenges.map(({ scheme, params }) => ({ scheme, params: { ...params } }));
};
