import { styleText } from 'node:util';

/** One line of the demo's table. */
export interface Row {
  readonly image: string;
  readonly verdict: string;
  readonly why: string;
  readonly milliseconds: number;
  readonly requests: number;
}

type Colour = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

const WIDTHS = { image: 43, verdict: 8, milliseconds: 8, requests: 9 } as const;

const paint = (colour: Colour, text: string): string => styleText(colour, text, { stream: process.stdout });

const print = (line = ''): void => console.log(line);

const colourOf = (verdict: string): Colour => {
  if (verdict === 'refused') return 'red';
  return verdict === 'warned' || verdict === 'audited' ? 'yellow' : 'green';
};

const line = (image: string, verdict: string, milliseconds: string, requests: string, why: string): string =>
  `  ${image} ${verdict} ${milliseconds} ${requests}   ${why}`;

/** Prints to standard output, with colours only on a terminal. */
export const screen = {
  title: (text: string): void => print(paint('bold', text)),
  step: (text: string): void => print(`\n${paint('cyan', text)}`),
  text: (text: string): void => print(text),
  quote: (text: string): void => print(`  ${paint('dim', text)}`),
  head: (): void =>
    print(
      paint(
        'dim',
        line(
          'image in the pod'.padEnd(WIDTHS.image),
          'verdict'.padEnd(WIDTHS.verdict),
          'ms'.padStart(WIDTHS.milliseconds),
          'requests'.padStart(WIDTHS.requests),
          'why',
        ),
      ),
    ),
  row: ({ image, verdict, why, milliseconds, requests }: Row): void =>
    print(
      line(
        image.padEnd(WIDTHS.image),
        paint(colourOf(verdict), verdict.padEnd(WIDTHS.verdict)),
        milliseconds.toFixed(1).padStart(WIDTHS.milliseconds),
        String(requests).padStart(WIDTHS.requests),
        why,
      ),
    ),
};
