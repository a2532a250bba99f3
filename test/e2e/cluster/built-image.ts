import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Image } from '../control-plane/kubelet/container.ts';
import { runOrThrow } from '../tools.ts';

/*
 * An image that was built from the Dockerfile, by `.ci/image` if nothing else is said, read from its OCI layout (OCI Image Format
 * Specification: index, manifest, config, layers).
 */

/** The configuration of an image, limited to what tests read. */
export interface ImageConfig {
  readonly architecture: string;
  readonly config: {
    readonly User?: string;
    readonly Env?: readonly string[];
    readonly Entrypoint?: readonly string[];
    readonly Cmd?: readonly string[];
    readonly Labels?: Readonly<Record<string, string>>;
    readonly ExposedPorts?: object;
    readonly Volumes?: object;
  };
  readonly rootfs: { readonly diff_ids: readonly string[] };
}

/** A layer: its digest, its size as it is pulled, and the path of its blob. */
export interface Layer {
  readonly digest: string;
  readonly size: number;
  readonly path: string;
}

export interface BuiltImage {
  readonly config: ImageConfig;
  /** From the lowest to the highest. */
  readonly layers: readonly Layer[];
}

/** One entry of a layer's archive. */
export interface LayerEntry {
  /** As `ls -l` has it: `drwxr-xr-x`. */
  readonly mode: string;
  /** User and group by number: `0/0`. */
  readonly owner: string;
  /** Bytes, unpacked. */
  readonly size: number;
  /** Without a slash before or after it. */
  readonly path: string;
}

interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Returns the directory that `.ci/image` printed. Throws if SAILMARK_IMAGE is not set. */
export const homeOfImage = (): string => {
  const home = process.env['SAILMARK_IMAGE'];
  if (home === undefined || home === '')
    throw new Error('set SAILMARK_IMAGE to what .ci/image prints, or run .ci/control-plane, which does');
  return home;
};

/** Reads an image by its name in a layout, by default in that of `.ci/image`. */
export const readImage = async (
  name: string,
  layout: string = join(homeOfImage(), 'layout'),
): Promise<BuiltImage> => {
  const blob = ({ digest }: Descriptor): string => join(layout, 'blobs', ...digest.split(':'));
  const read = async <Content>(path: string): Promise<Content> =>
    JSON.parse(await readFile(path, 'utf8')) as Content;
  const { manifests } = await read<{ readonly manifests: readonly Descriptor[] }>(join(layout, 'index.json'));
  const named = manifests.find(
    ({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] === name,
  );
  if (named === undefined) throw new Error(`no image ${name} in ${layout}`);
  const manifest = await read<{ readonly config: Descriptor; readonly layers: readonly Descriptor[] }>(
    blob(named),
  );
  return {
    config: await read<ImageConfig>(blob(manifest.config)),
    layers: manifest.layers.map((layer) => ({ ...layer, path: blob(layer) })),
  };
};

const ENTRY = /^(\S+) (\d+\/\d+) +(\d+) \S+ \S+ (.*?)\/?$/;

/** Lists the entries of a layer, in the order of its archive. */
export const entriesOf = async ({ path }: Layer): Promise<readonly LayerEntry[]> => {
  const listed = await runOrThrow('tar', ['--list', '--verbose', '--numeric-owner', '--file', path]);
  return listed.split('\n').map((line) => {
    const [, mode = '', owner = '', size, name = ''] = ENTRY.exec(line) ?? [];
    return { mode, owner, size: Number(size), path: name };
  });
};

/** Returns the directory of the root file system of `sailmark`. */
export const rootOfImage = (): string => join(homeOfImage(), 'rootfs');

/** A file or link in the root file system, by its path within. */
export interface RootEntry {
  readonly path: string;
  /** True for a regular file; otherwise it is mostly a link. */
  readonly isFile: boolean;
}

/** Lists everything in the root file system except directories. */
export const entriesOfRoot = async (): Promise<readonly RootEntry[]> => {
  const root = rootOfImage();
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => ({
      path: join(entry.parentPath, entry.name).slice(root.length),
      isFile: entry.isFile(),
    }));
};

/** Returns the image for the simulated kubelet, with the entry point, environment and user of its config. */
export const runnable = ({ config: { config } }: BuiltImage, root: string = rootOfImage()): Image => {
  const pairs = (config.Env ?? []).map((pair) => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  return {
    entrypoint: config.Entrypoint ?? [],
    root,
    env: Object.fromEntries(pairs),
    user: Number.parseInt(config.User ?? '0', 10),
  };
};
