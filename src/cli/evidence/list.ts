import { messageOf } from '../../base/index.ts';
import { defaultLimits } from '../../config/index.ts';
import { type LayoutImage, openLayout } from '../../registry/index.ts';
import { parseChoice } from '../command-line/arguments.ts';
import { type Command, CommandError, type Flags, type Io, UsageError } from '../command-line/command.ts';

const OUTPUTS = ['text', 'json'] as const;

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

const textOf = ({ digest, names, kind, signatures, referrers }: LayoutImage): string =>
  [
    names.length === 0 ? digest : names.join(', '),
    ...(names.length === 0 ? [] : [`  ${digest}`]),
    `  ${kind ?? 'not here itself'}, ${count(signatures, 'signature manifest')}, ${count(referrers, 'referrer')}`,
  ].join('\n');

const list = async (flags: Flags, [directory]: readonly string[], io: Io): Promise<number> => {
  const output = parseChoice(flags, 'output', OUTPUTS);
  if (directory === undefined) throw new UsageError('no directory is named: sailmark evidence list DIR');
  const images = await openLayout(directory, defaultLimits)
    .images()
    .catch((error: unknown) => {
      throw new CommandError(messageOf(error));
    });
  if (output === 'json') {
    const listed = images.map((image) => ({ ...image, kind: image.kind ?? null }));
    io.stdout.write(`${JSON.stringify({ schema: 'sailmark.dev/evidence/v1', images: listed }, null, 2)}\n`);
    return 0;
  }
  io.stdout.write(images.map((image) => `${textOf(image)}\n`).join(''));
  io.stderr.write(
    `${count(images.length, 'image')}. Nothing here was verified: sailmark verify --offline --evidence ${directory} IMAGE does that\n`,
  );
  return 0;
};

export const command: Command = {
  usage: 'evidence list [flags] DIR',
  description:
    'Lists what an OCI image layout holds evidence of: images, and how many manifests of signatures and of what refers to them lie beside each. To list is not to verify.',
  flags: [
    { name: 'output', short: 'o', value: OUTPUTS.join('|'), help: 'text for people (default), or json' },
  ],
  examples: ['sailmark evidence list evidence'],
  maxOperands: 1,
  run: list,
};
