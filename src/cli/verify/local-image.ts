import { messageOf } from '../../base/index.ts';
import type { Config } from '../../config/index.ts';
import { parseImageReference } from '../../image/index.ts';
import { type LayoutImage, openLayout } from '../../registry/index.ts';
import { CommandError } from '../command-line/command.ts';
import { printablePath } from '../shared/input.ts';
import { archiveProblem } from '../shared/layout-problem.ts';

/** One image to verify. */
export interface ImageToVerify {
  /** The image's name in reports: its reference, or its directory. */
  readonly name: string;
  /** The reference that is judged. */
  readonly image: string;
}

/** The repository of an image without a full name. It is on no hub, so only the signature is judged. */
const UNNAMED_REPOSITORY = 'local.invalid/image';

/** The repository of an image in its layout, if it has a full name: then its component is compared too. */
const repositoryOf = ({ names }: LayoutImage): string => {
  for (const name of names) {
    const parsed = name.includes('/') ? parseImageReference(name) : undefined;
    if (parsed?.ok === true) return parsed.reference.repository.name;
  }
  return UNNAMED_REPOSITORY;
};

const findOnlyImage = async (directory: string, limits: Config['limits']): Promise<LayoutImage> => {
  const problem = await archiveProblem(directory);
  if (problem !== undefined) throw new CommandError(`--local-image: ${printablePath(directory)} ${problem}`);
  const images = await openLayout(directory, limits)
    .images()
    .catch((error: unknown) => {
      throw new CommandError(`--local-image: ${messageOf(error)}`);
    });
  const present = images.filter(({ kind }) => kind !== undefined);
  const named = present.filter(({ names }) => names.length > 0);
  // The images that an index lists may be in the layout too, without names.
  const [only, ...others] = named.length === 1 ? named : present;
  if (only === undefined)
    throw new CommandError(
      `--local-image: no image found in ${directory}; \`sailmark evidence list\` shows its content`,
    );
  if (others.length > 0)
    throw new CommandError(
      `--local-image: expected one image in ${directory}, got ${others.length + 1}; to verify one of them: sailmark verify --offline --evidence ${directory} IMAGE`,
    );
  return only;
};

/** Finds the only image in an OCI image layout. Rejects with `CommandError` if there is none, or several. */
export const readLocalImage = async (directory: string, limits: Config['limits']): Promise<ImageToVerify> => {
  const image = await findOnlyImage(directory, limits);
  return { name: directory, image: `${repositoryOf(image)}@${image.digest}` };
};
