import { messageOf } from '../../base/index.ts';
import type { Config } from '../../config/index.ts';
import { parseImageReference } from '../../image/index.ts';
import { type LayoutImage, openLayout } from '../../registry/index.ts';
import { CommandError } from '../command-line/command.ts';

/** One image to verify: what people call it, and the reference that is judged. */
export interface ImageToVerify {
  readonly name: string;
  readonly image: string;
}

/** Judged by its signature alone: a directory says nothing of where an image comes from. */
const NAMELESS = 'local.invalid/image';

/** The repository an image goes by in its layout, where it has a whole name; so its component can be compared too. */
const repositoryOf = ({ names }: LayoutImage): string => {
  for (const name of names) {
    const parsed = name.includes('/') ? parseImageReference(name) : undefined;
    if (parsed?.ok === true) return parsed.reference.repository.name;
  }
  return NAMELESS;
};

const findOnly = async (directory: string, limits: Config['limits']): Promise<LayoutImage> => {
  const images = await openLayout(directory, limits)
    .images()
    .catch((error: unknown) => {
      throw new CommandError(`--local-image: ${messageOf(error)}`);
    });
  const whole = images.filter(({ kind }) => kind !== undefined);
  const named = whole.filter(({ names }) => names.length > 0);
  // What an index lists may lie beside it, without a name.
  const [only, ...others] = named.length === 1 ? named : whole;
  if (only === undefined)
    throw new CommandError(
      `--local-image: ${directory} holds no image; \`sailmark evidence list\` shows what it holds`,
    );
  if (others.length > 0)
    throw new CommandError(
      `--local-image: ${directory} holds ${others.length + 1} images: name one, sailmark verify --offline --evidence ${directory} IMAGE`,
    );
  return only;
};

/** The image of an OCI layout directory. Rejects with `CommandError` where it holds none, or several. */
export const readLocalImage = async (directory: string, limits: Config['limits']): Promise<ImageToVerify> => {
  const found = await findOnly(directory, limits);
  return { name: directory, image: `${repositoryOf(found)}@${found.digest}` };
};
