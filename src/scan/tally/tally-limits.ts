/**
 * Bounds the memory and the length of a result, whatever the cluster holds. Each that leaves
 * out an image or an owner has its sentence in `coverage.cut`; a cut result removes no report, so nobody's pod may make one alone.
 */
export interface TallyLimits {
  /** Images that are listed. */
  readonly images: number;
  /** Uses that are listed, of all images. */
  readonly uses: number;
  readonly usesPerImage: number;
  /** Owners with findings that are listed. */
  readonly owners: number;
  /** Names of pods that are listed, of all owners. */
  readonly podNames: number;
  readonly podNamesPerOwner: number;
  readonly findingsPerOwner: number;
}

export const defaultTallyLimits: TallyLimits = {
  images: 20_000,
  uses: 100_000,
  usesPerImage: 2000,
  owners: 20_000,
  podNames: 50_000,
  podNamesPerOwner: 200,
  findingsPerOwner: 64,
};

/** UTF-16 units of a text of the cluster that is kept. Valid references and names are shorter. */
const MAX_TEXT = 1024;

/** Returns a text as it is, or its beginning and its end if it is too long to be kept. Characters are not replaced. */
export const boundedText = (text: string): string =>
  text.length <= MAX_TEXT ? text : `${text.slice(0, 700)}…${text.slice(-300)}`;
