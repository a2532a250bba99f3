import { messageOf } from '../../base/index.ts';
import { defaultLimits } from '../../config/index.ts';
import { type LayoutImage, openLayout } from '../../registry/index.ts';
import { parseChoice } from '../command-line/arguments.ts';
import { type Command, CommandError, type Flags, type Io, UsageError } from '../command-line/command.ts';
import { printablePath } from '../shared/input.ts';
import { archiveProblem } from '../shared/layout-problem.ts';

const OUTPUTS = ['text', 'json'] as const;

const countOf = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const toText = ({ digest, names, kind, signatures, referrers }: LayoutImage): string =>
  [
    names.length === 0 ? digest : names.join(', '),
    ...(names.length === 0 ? [] : [`  ${digest}`]),
    `  ${kind ?? 'no image manifest'}, ${countOf(signatures, 'signature manifest')}, ${countOf(referrers, 'referrer')}`,
  ].join('\n');

const toJson = (images: readonly LayoutImage[]): string => {
  const listed = images.map((image) => ({ ...image, kind: image.kind ?? null }));
  return `${JSON.stringify({ schema: 'sailmark.dev/evidence/v1', images: listed }, null, 2)}\n`;
};

const list = async (flags: Flags, [directory]: readonly string[], io: Io): Promise<number> => {
  const output = parseChoice(flags, 'output', OUTPUTS);
  if (directory === undefined) throw new UsageError('no directory given: sailmark evidence list DIR');
  const problem = await archiveProblem(directory);
  if (problem !== undefined) throw new CommandError(`${printablePath(directory)} ${problem}`);
  const images = await openLayout(directory, defaultLimits)
    .images()
    .catch((error: unknown) => {
      throw new CommandError(messageOf(error));
    });
  if (output === 'json') {
    io.stdout.write(toJson(images));
    return 0;
  }
  for (const image of images) io.stdout.write(`${toText(image)}\n`);
  io.stderr.write(
    `${countOf(images.length, 'image')}, not verified: run sailmark verify --offline --evidence ${directory} IMAGE to verify one\n`,
  );
  return 0;
};

export const command: Command = {
  usage: 'evidence list [flags] DIR',
  description:
    'Lists the images in an evidence directory (an OCI image layout), with the number of signature manifests and referrers of each. Verifies nothing.',
  flags: [
    { name: 'output', short: 'o', value: OUTPUTS.join('|'), help: 'human-readable text (default), or json' },
  ],
  examples: ['sailmark evidence list evidence'],
  maxOperands: 1,
  run: list,
};
