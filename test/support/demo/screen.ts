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

const say = (line = ''): void => console.log(line);

const colourOf = (verdict: string): Colour => {
  if (verdict === 'refused') return 'red';
  return verdict === 'warned' || verdict === 'audited' ? 'yellow' : 'green';
};

const line = (image: string, verdict: string, milliseconds: string, requests: string, why: string): string =>
  `  ${image} ${verdict} ${milliseconds} ${requests}   ${why}`;

/** Text on a terminal; no colour where there is none. */
export const screen = {
  title: (text: string): void => say(paint('bold', text)),
  step: (text: string): void => say(`\n${paint('cyan', text)}`),
  text: (text: string): void => say(text),
  quote: (text: string): void => say(`  ${paint('dim', text)}`),
  head: (): void =>
    say(
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
    say(
      line(
        image.padEnd(WIDTHS.image),
        paint(colourOf(verdict), verdict.padEnd(WIDTHS.verdict)),
        milliseconds.toFixed(1).padStart(WIDTHS.milliseconds),
        String(requests).padStart(WIDTHS.requests),
        why,
      ),
    ),
};
