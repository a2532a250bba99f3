import type { BaseImages } from './base-images.ts';
import type { Project } from './project.ts';

/** A setting that a release needs and therefore has. */
export type SetProject = { readonly [Field in keyof Project]: NonNullable<Project[Field]> };

/** One release: what it is made of, and where its parts are written. */
export interface Release {
  readonly version: string;
  /** The tag of the commit: `v1.2.3`. */
  readonly tag: string;
  readonly commit: string;
  /** The time of the commit, which is the time of everything in the release: seconds since the epoch. */
  readonly epoch: number;
  readonly project: SetProject;
  readonly bases: BaseImages;
  /** The section of the changelog. */
  readonly notes: string;
  /** The directory that everything is written into. */
  readonly out: string;
}

/** Where things are in the directory of a release. */
export const places = (out: string) => ({
  /** The files that people download. */
  files: `${out}/files`,
  /** Image layouts. */
  image: `${out}/image`,
  chart: `${out}/chart`,
  /** Signed statements on the image and the chart. */
  attestations: `${out}/attestations`,
  notes: `${out}/notes.md`,
  summary: `${out}/release.json`,
  /** Files that are needed only while the release is made. */
  work: `${out}/work`,
});

/** An image or chart in its layout, and where it will be. */
export interface Artifact {
  readonly layout: string;
  /** Without tag and digest. */
  readonly repository: string;
  readonly digest: string;
  /** The manifests of an index, by platform; empty if it is none. */
  readonly platforms: readonly { readonly platform: string; readonly digest: string }[];
}

/** Returns a time as OCI annotations and in-toto have it. */
export const timestampOf = (epoch: number): string =>
  new Date(epoch * 1000).toISOString().replace('.000', '');

/** Returns true for a registry of this machine, which is spoken to in plain HTTP as the other tools do. */
export const isLoopback = (repository: string): boolean =>
  /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/.test(repository.split('/')[0] ?? '');
