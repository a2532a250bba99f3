/** One place in a document that is not what it must be. */
interface BadPath {
  /** `request.object.spec.containers[0].image`. */
  readonly path: string;
  /** `must be a string`. */
  readonly problem: string;
}

/** More than this many are not collected: the document is the sender's, and so would be the size of the answer. */
const MAX_BAD_PATHS = 20;

/** What a body that is no AdmissionReview gets: HTTP 400, with every bad path in it. */
export class MalformedReview extends Error {
  readonly problems: readonly BadPath[];

  constructor(problems: readonly BadPath[]) {
    super(
      `not a valid AdmissionReview: ${problems.map(({ path, problem }) => `${path} ${problem}`).join('; ')}`,
    );
    this.name = 'MalformedReview';
    this.problems = problems;
  }
}

/** Called for each bad path that is found. */
export type Note = (path: string, problem: string) => void;

/** Collects bad paths; `check` throws `MalformedReview` with all of them where there is one. */
export const createProblems = (): { readonly note: Note; readonly check: () => void } => {
  const problems: BadPath[] = [];
  return {
    note: (path, problem) => {
      if (problems.length < MAX_BAD_PATHS) problems.push({ path, problem });
    },
    check: () => {
      if (problems.length > 0) throw new MalformedReview(problems);
    },
  };
};
