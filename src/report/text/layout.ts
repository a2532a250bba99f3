import { oneLine } from '../../base/index.ts';

/** Colours a text, or returns it as it is. */
export type Paint = (text: string, style: 'green' | 'red' | 'yellow' | 'bold') => string;

/** The page that a text report is written for. */
export interface Page {
  /** Columns of the terminal. */
  readonly columns: number;
  readonly paint: Paint;
}

/** Columns past which prose is hard to read. */
const MAX_PROSE = 110;

/** UTF-16 code units of a text in the details. */
const MAX_TEXT = 2_000;

const PLAIN = /^[\x20-\x7e]*$/;
/** Characters that take two columns of a terminal, nearly all of them: East Asian scripts, full-width forms, emoji. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/gu;
/** Characters that take at least one: all but combining marks. */
const SPACING = /\P{M}/gu;

/** The columns that a printable line takes on a terminal. */
export const columnsOf = (line: string): number =>
  PLAIN.test(line) ? line.length : (line.match(SPACING)?.length ?? 0) + (line.match(WIDE)?.length ?? 0);

/** Returns an untrusted text as one printable line of at most `columns`, without its middle if it is longer. */
export const fit = (text: string, columns: number): string => {
  let limit = Math.max(columns, 4);
  let line = oneLine(text, limit);
  while (columnsOf(line) > columns && limit > 4) {
    limit -= 1;
    line = oneLine(text, limit);
  }
  return line;
};

export const pad = (text: string, columns: number): string =>
  `${text}${' '.repeat(Math.max(0, columns - columnsOf(text)))}`;

const padStart = (text: string, columns: number): string =>
  `${' '.repeat(Math.max(0, columns - columnsOf(text)))}${text}`;

/** Returns an untrusted text as one printable line, whose length is bounded and which is not broken: commands, references. */
export const whole = (text: string): string => oneLine(text, MAX_TEXT);

/**
 * Breaks an untrusted text into printable lines at its spaces. The first begins with `head`, the others are indented as
 * much. A word that is longer than a line, such as an image reference, is not broken, so that it can be copied.
 */
export const wrap = (text: string, head: string, { columns }: Page): readonly string[] => {
  const indent = ' '.repeat(columnsOf(head));
  const width = Math.min(columns, MAX_PROSE);
  const lines: string[] = [];
  let line = head;
  let isEmpty = true;
  for (const word of whole(text).split(' ')) {
    if (!isEmpty && columnsOf(line) + 1 + columnsOf(word) > width) {
      lines.push(line);
      [line, isEmpty] = [indent, true];
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line].map((one) => one.trimEnd());
};

/** Lines behind an aligned label: `  runs in  shop Deployment/cart`. */
export const labelled = (label: string, lines: readonly string[], width: number): readonly string[] =>
  lines.map((line, index) => `  ${pad(index === 0 ? label : '', width)}${line}`);

/** Returns at most `most` items, as `toLines` writes them, and a line that counts the others. */
export const within = <T>(
  items: readonly T[],
  most: number,
  toLines: (item: T, index: number) => readonly string[],
  { more = 0, indent = '  ' }: { readonly more?: number; readonly indent?: string } = {},
): readonly string[] => {
  const rest = Math.max(0, items.length - most) + more;
  const lines = items.slice(0, most).flatMap(toLines);
  return rest === 0 ? lines : [...lines, `${indent}… and ${rest} more: use --output json`];
};

export interface Column {
  readonly title: string;
  /** Numbers stand to the right. */
  readonly isNumber?: boolean;
}

/** Returns a table of untrusted cells with a line of titles. The last column is not padded, and no cell is broken. */
export const table = (
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): readonly string[] => {
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => row.map(whole))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => columnsOf(line[index] ?? ''))));
  return lines.map((line) =>
    `  ${line
      .map((cell, index) => {
        const width = widths[index] ?? 0;
        return columns[index]?.isNumber === true ? padStart(cell, width) : pad(cell, width);
      })
      .join('  ')}`.trimEnd(),
  );
};
