import { X509Certificate } from 'node:crypto';

/** Neither label nor dashes of one marker are scanned again for another: a scan takes time in proportion to the text. */
const MARKER = /-----(BEGIN|END) ([A-Z0-9 ]+)(?=-----)/g;
const DASHES = 5;

interface Block {
  readonly label: string;
  /** With its first and last line. */
  readonly text: string;
}

interface Marker {
  readonly label: string;
  readonly start: number;
  readonly end: number;
}

const markersIn = (
  text: string,
): { readonly begins: readonly Marker[]; readonly ends: readonly Marker[] } => {
  const [begins, ends]: [Marker[], Marker[]] = [[], []];
  for (const { 0: found, 1: kind, 2: label = '', index: start } of text.matchAll(MARKER))
    (kind === 'BEGIN' ? begins : ends).push({ label, start, end: start + found.length + DASHES });
  return { begins, ends };
};

/** Finds PEM blocks, each from its first line to the next last line of the same label. A first line without one is passed over. */
const blocksIn = (text: string): readonly Block[] => {
  const { begins, ends } = markersIn(text);
  const open = Map.groupBy(ends.toReversed(), ({ label }) => label);
  const blocks: Block[] = [];
  let from = 0;
  for (const { label, start, end } of begins) {
    if (start < from) continue;
    const candidates = open.get(label) ?? [];
    while ((candidates.at(-1)?.start ?? end) < end) candidates.pop();
    const last = candidates.at(-1);
    if (last === undefined) continue;
    from = last.end;
    blocks.push({ label, text: text.slice(start, from) });
  }
  return blocks;
};

const isCertificate = (block: string): boolean => {
  try {
    void new X509Certificate(block);
    return true;
  } catch {
    return false;
  }
};

/** Returns why a text is not PEM certificates and nothing else; undefined: it is. Quotes nothing of it. */
export const certificatesProblem = (text: string): string | undefined => {
  const blocks = blocksIn(text);
  if (blocks.length === 0) return 'no PEM certificate found';
  const invalid = blocks.findIndex((block) => !isCertificate(block.text));
  if (invalid === -1) return undefined;
  const label = blocks[invalid]?.label ?? '';
  return label === 'CERTIFICATE'
    ? `certificate ${invalid + 1} is malformed`
    : `expected certificates only, got a ${label}`;
};

/** The text of a PEM block without its whitespace: equal for equal certificates. */
export const contentOf = (block: string): string => block.replaceAll(/\s/g, '');

/**
 * Returns the certificates in a text that are not among `known`, each once, and adds them. Whatever else is in the text, and
 * what cannot be read, is passed over.
 */
export const newCertificatesIn = (text: string, known: Set<string>): readonly string[] =>
  blocksIn(text).flatMap(({ text: block, label }) => {
    const content = contentOf(block);
    if (label !== 'CERTIFICATE' || known.has(content)) return [];
    known.add(content);
    return isCertificate(block) ? [block] : [];
  });
