/** One element of a glob: any text, or one character that passes a test. */
type Element = 'any' | ((character: string) => boolean);

/** Reads a character of a class, which may be escaped, and where the next one begins; undefined: it is malformed. */
const readInClass = (glob: readonly string[], at: number): readonly [string, number] | undefined => {
  const first = glob[at];
  if (first === undefined || first === '-' || first === ']') return undefined;
  const character = first === '\\' ? glob[at + 1] : first;
  const next = at + (first === '\\' ? 2 : 1);
  return character === undefined || next >= glob.length ? undefined : [character, next];
};

const codeOf = (character: string): number => character.codePointAt(0) ?? 0;

/** Reads a class, `[a-z]` or `[^a-z]`, that begins after its bracket; undefined: it is malformed. */
const readClass = (glob: readonly string[], start: number): readonly [Element, number] | undefined => {
  const isNegated = glob[start] === '^';
  const ranges: (readonly [number, number])[] = [];
  let at = isNegated ? start + 1 : start;
  while (ranges.length === 0 || glob[at] !== ']') {
    const low = readInClass(glob, at);
    const high = low !== undefined && glob[low[1]] === '-' ? readInClass(glob, low[1] + 1) : low;
    if (low === undefined || high === undefined) return undefined;
    ranges.push([codeOf(low[0]), codeOf(high[0])]);
    at = high[1];
  }
  const isIn = (character: string): boolean => {
    const code = codeOf(character);
    return ranges.some(([low, high]) => low <= code && code <= high);
  };
  return [(character) => isIn(character) !== isNegated, at + 1];
};

/** Parses a glob as Go's `path.Match` reads it: `*`, `?`, `[a-z]`, `[^a-z]`, `\` before a character; undefined: malformed. */
const parseGlob = (text: string): readonly Element[] | undefined => {
  const glob = Array.from(text);
  const elements: Element[] = [];
  let at = 0;
  while (at < glob.length) {
    const character = glob[at];
    at += 1;
    if (character === '*') elements.push('any');
    else if (character === '?') elements.push(() => true);
    else if (character === '[') {
      const read = readClass(glob, at);
      if (read === undefined) return undefined;
      elements.push(read[0]);
      at = read[1];
    } else {
      const literal = character === '\\' ? glob[at] : character;
      if (literal === undefined) return undefined;
      if (character === '\\') at += 1;
      elements.push((other) => other === literal);
    }
  }
  return elements;
};

/**
 * Matches one label of a host. A mismatch is retried with a longer match of the last `*` only, so the steps are at most the
 * product of the lengths: a regular expression would try every combination of all `*`, and whoever writes a pull secret
 * chooses the glob.
 */
const matchesLabel = (elements: readonly Element[], label: readonly string[]): boolean => {
  let [at, matched] = [0, 0];
  let star: { readonly at: number; matched: number } | undefined;
  while (matched < label.length) {
    const element = elements[at];
    if (element === 'any') {
      star = { at, matched };
      at += 1;
    } else if (element?.(label[matched] ?? '') === true) {
      at += 1;
      matched += 1;
    } else if (star === undefined) return false;
    else {
      star.matched += 1;
      [at, matched] = [star.at + 1, star.matched];
    }
  }
  while (elements[at] === 'any') at += 1;
  return at === elements.length;
};

/** Brackets with a colon hold an address of IPv6; those of a class stand within one label. */
const IPV6 = /^\[[0-9a-f:.]*:[0-9a-f:.]*\]$/;

/**
 * Returns the test for hosts that a glob stands for, label by label; a malformed glob stands for none. Hosts have no capitals
 * in normal form, so those of the glob count as small letters.
 */
export const createHostTest = (glob: string): ((host: string) => boolean) => {
  const text = glob.toLowerCase();
  if (IPV6.test(text)) return (host) => host === text;
  const labels = text.split('.').map(parseGlob);
  return (host) => {
    const hostLabels = host.toLowerCase().split('.');
    const matchesAt = (label: readonly Element[] | undefined, index: number): boolean =>
      label !== undefined && matchesLabel(label, Array.from(hostLabels[index] ?? ''));
    return hostLabels.length === labels.length && labels.every(matchesAt);
  };
};
