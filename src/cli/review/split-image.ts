import type { JsonObject } from '../../base/index.ts';
import { hasHost } from './could-be-istio.ts';

/** An image of which the registry, the repository, the name or the tag stand in fields of their own. */
export interface SplitImage {
  readonly image: string;
  /** The field that ends its name: `repository`. */
  readonly field: string;
}

type Part = 'registry' | 'repository' | 'name' | 'image' | 'newname' | 'tag' | 'digest';
type Parts = ReadonlyMap<Part, readonly [field: string, text: string]>;

/** `registry`, `imageRegistry`, `image_tag`; `newName`, `newTag` (Kustomize). */
const FIELD = /^(?:image[_-]?)?(?:(registry|repository|name|image|newname|digest)|(hub)|(?:new)?(tag))$/i;

const partOf = (field: string): Part | undefined => {
  const [, part, hub, tag] = FIELD.exec(field) ?? [];
  const name = part ?? (hub === undefined ? tag : 'registry');
  return name?.toLowerCase() as Part | undefined;
};

const partsOf = (object: JsonObject): Parts =>
  new Map(
    Object.entries(object).flatMap(([field, value]) => {
      const part = partOf(field);
      const text = typeof value === 'number' ? String(value) : value;
      return part === undefined || typeof text !== 'string' || text === ''
        ? []
        : [[part, [field, text.trim()]] as const];
    }),
  );

/** Joins a registry and a name. A name that has a host itself belongs to no other registry. */
const joined = (before: string | undefined, name: string): string =>
  before === undefined || hasHost(name) ? name : `${before.replace(/\/$/, '')}/${name}`;

const suffixOf = (parts: Parts): string => {
  const [, tag = ''] = parts.get('tag') ?? [];
  const [, digest = /^sha\d+:/.test(tag) ? tag : ''] = parts.get('digest') ?? [];
  if (digest !== '') return `@${digest}`;
  return tag === '' ? '' : `:${tag}`;
};

/**
 * Returns the images that the fields of an object may name together. A name alone, as of a container or an object, names
 * none; a new name does (Kustomize), and stands for the name beside it.
 */
export const splitImages = (object: JsonObject): readonly SplitImage[] => {
  const parts = partsOf(object);
  const suffix = suffixOf(parts);
  const [, registry] = parts.get('registry') ?? [];
  const repository = parts.get('repository');
  const last = parts.get('newname') ?? parts.get('image') ?? parts.get('name');
  const images: SplitImage[] = [];
  if (repository !== undefined) {
    const [field, text] = repository;
    if (registry !== undefined || suffix !== '')
      images.push({ image: joined(registry, text) + suffix, field });
  }
  if (last !== undefined) {
    const [field, text] = last;
    const before = repository === undefined ? registry : joined(registry, repository[1]);
    if (before !== undefined || suffix !== '' || parts.has('newname'))
      images.push({ image: joined(before, text) + suffix, field });
  }
  return images;
};

/** True for a field that is a part of a split image. */
export const isPart = (field: string): boolean => partOf(field) !== undefined;
