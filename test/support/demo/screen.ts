import { styleText } from 'node:util';

/** One line of the demo's table, and one below it for the reason. */
export interface Row {
  readonly image: string;
  readonly verdict: string;
  readonly why: string;
  readonly milliseconds: number;
  readonly requests: number;
}

type Colour = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

/** Columns of the narrowest terminal that is usual. */
const COLUMNS = 80;

const WIDTHS = { image: 48, verdict: 8, milliseconds: 8, requests: 8 } as const;

const paint = (colour: Colour, text: string): string => styleText(colour, text, { stream: process.stdout });

const print = (line = ''): void => console.log(line);

/** Breaks a text at blanks, and a word that is longer than a line where the line ends. */
const wrap = (text: string, indent: string): readonly string[] => {
  const width = COLUMNS - indent.length;
  const words = text.split(' ').flatMap((word) => word.match(new RegExp(`.{1,${width}}`, 'gu')) ?? ['']);
  const lines: string[] = [];
  for (const word of words) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.map((line) => `${indent}${line}`);
};

const printWrapped = (text: string, indent: string, colour?: Colour): void => {
  for (const line of wrap(text, indent)) print(colour === undefined ? line : paint(colour, line));
};

const colourOf = (verdict: string): Colour => {
  if (verdict === 'refused') return 'red';
  return verdict === 'warned' || verdict === 'audited' ? 'yellow' : 'green';
};

const line = (image: string, verdict: string, milliseconds: string, requests: string): string =>
  `  ${image} ${verdict} ${milliseconds} ${requests}`;

/** Prints to standard output in 80 columns, with colours only on a terminal. */
export const screen = {
  title: (text: string): void => printWrapped(text, '', 'bold'),
  step: (text: string): void => {
    print();
    printWrapped(text, '', 'cyan');
  },
  text: (text: string): void => printWrapped(text, ''),
  /** A label above what it names. */
  label: (text: string): void => {
    print();
    printWrapped(text, '  ');
  },
  quote: (text: string): void => printWrapped(text, '    ', 'dim'),
  head: (): void =>
    print(
      paint(
        'dim',
        line(
          'image in the pod, and why'.padEnd(WIDTHS.image),
          'verdict'.padEnd(WIDTHS.verdict),
          'ms'.padStart(WIDTHS.milliseconds),
          'requests'.padStart(WIDTHS.requests),
        ),
      ),
    ),
  row: ({ image, verdict, why, milliseconds, requests }: Row): void => {
    print(
      line(
        image.padEnd(WIDTHS.image),
        paint(colourOf(verdict), verdict.padEnd(WIDTHS.verdict)),
        milliseconds.toFixed(1).padStart(WIDTHS.milliseconds),
        String(requests).padStart(WIDTHS.requests),
      ),
    );
    printWrapped(why, '      ', 'dim');
  },
};
