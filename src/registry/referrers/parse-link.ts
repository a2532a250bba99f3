/** The end of a part of a link that may contain separators: a target or a quoted string. */
const CLOSING: Readonly<Record<string, string>> = { '<': '>', '"': '"' };

/**
 * Splits a header into links at commas, and each link into target and parameters at semicolons, except in `<…>` and
 * `"…"`. It reads each character once: a regular expression would backtrack over odd text.
 */
const splitLinks = (header: string): readonly (readonly string[])[] => {
  const links: string[][] = [];
  let parts: string[] = [];
  let start = 0;
  let closing: string | undefined;
  for (let at = 0; at < header.length; at += 1) {
    const character = header.charAt(at);
    if (closing === undefined) closing = CLOSING[character];
    else if (character === '\\' && closing === '"') at += 1;
    else if (character === closing) closing = undefined;
    if (closing !== undefined || (character !== ',' && character !== ';')) continue;
    parts.push(header.slice(start, at));
    start = at + 1;
    if (character === ';') continue;
    links.push(parts);
    parts = [];
  }
  return [...links, [...parts, header.slice(start)]];
};

const isRel = (parameter: string): boolean => parameter.split('=', 1)[0]?.trim().toLowerCase() === 'rel';

/** True if the link leads to the next page. Only the first `rel` of a link counts (RFC 8288 §3.3). */
const isNext = (parameters: readonly string[]): boolean => {
  const rel = parameters.find(isRel) ?? '';
  const relations = rel.slice(rel.indexOf('=') + 1).replaceAll('"', ' ');
  return relations.toLowerCase().split(' ').includes('next');
};

/**
 * Returns the target of the first link with the relation `next` (RFC 8288 §3), or else of the first without any: registries leave
 * it out, and the only link of a list is to its next page. Undefined if there is none.
 */
export const findNextLink = (headers: readonly string[]): string | undefined => {
  const links = headers.flatMap(splitLinks).flatMap(([target = '', ...parameters]) => {
    const text = target.trim();
    return text.startsWith('<') && text.endsWith('>') ? [{ target: text.slice(1, -1), parameters }] : [];
  });
  const next =
    links.find(({ parameters }) => isNext(parameters)) ??
    links.find(({ target, parameters }) => /^[^<>]+$/.test(target) && !parameters.some(isRel));
  return next?.target;
};
