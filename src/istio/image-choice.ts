import { memberOf } from '../base/index.ts';

/** An image that a configuration of Istio names. */
export interface NamedImage {
  readonly image: string;
  /** The setting that decides it: `data.values.global.hub`. */
  readonly path: string;
  /** The container that will have it. */
  readonly container: string;
}

/** The images that a document makes Istio inject or install, and what it leaves to others. */
export interface ConfiguredImages {
  readonly images: readonly NamedImage[];
  /** Sentences about images that the document causes but does not name. */
  readonly unknown: readonly string[];
}

/** What one section of a configuration says of an image; each may be absent. */
export interface Choice {
  readonly hub?: string | undefined;
  readonly tag?: string | undefined;
  readonly variant?: string | undefined;
  /** A name below the hub, or a whole reference. */
  readonly image?: string | undefined;
  readonly path?: string;
}

/** The member `name` as text, as Istio prints it: a tag may be a number. Undefined if it is absent or empty. */
export const scalarAt = (from: unknown, name: string): string | undefined => {
  const value = memberOf(from, name);
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
};

const VARIANTS = ['distroless', 'debug'];

/** Puts the variant at the end of a tag, in place of another one (istio/istio `updateImageTypeIfPresent`). */
const withVariant = (tag: string, variant: string | undefined): string => {
  if (variant === undefined) return tag;
  const known = VARIANTS.find((name) => tag.endsWith(`-${name}`));
  const bare = known === undefined ? tag : tag.slice(0, -known.length - 1);
  return variant === 'default' ? bare : `${bare}-${variant}`;
};

/** The path of the setting that decides: that of the most specific section, and in one section its hub. */
const deciderOf = (choices: readonly Choice[], hub: Choice, tag: Choice): string => {
  const setting = choices.find((choice) => choice === hub || choice === tag) === hub ? 'hub' : 'tag';
  return `${(setting === 'hub' ? hub : tag).path ?? ''}.${setting}`;
};

/**
 * Puts an image together from the sections that may set it, the first that does counts. `name` is its name if none does.
 * Returns the name of a setting that is missing.
 */
export const imageOf = (
  container: string,
  name: string,
  choices: readonly Choice[],
): NamedImage | 'hub' | 'tag' => {
  const decider = (setting: 'hub' | 'tag' | 'variant' | 'image') =>
    choices.find((choice) => choice[setting] !== undefined);
  const [hub, tag, image] = [decider('hub'), decider('tag'), decider('image')];
  const last = image?.image ?? name;
  // A name with a slash is a whole reference (the charts of istio/istio, `contains "/"`).
  if (last.includes('/')) return { image: last, path: `${image?.path ?? ''}.image`, container };
  if (hub?.hub === undefined) return 'hub';
  if (tag?.tag === undefined) return 'tag';
  const suffixed = withVariant(tag.tag, decider('variant')?.variant);
  return { image: `${hub.hub}/${last}:${suffixed}`, path: deciderOf(choices, hub, tag), container };
};
