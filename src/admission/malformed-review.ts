/** A field of an AdmissionReview that is not valid. */
interface BadPath {
  /** `request.object.spec.containers[0].image`. */
  readonly path: string;
  /** `must be a string`. */
  readonly problem: string;
}

/** Bounds the response: the sender chooses how many fields are bad. */
const MAX_BAD_PATHS = 20;

/** A body that is not a valid AdmissionReview; the server responds with HTTP 400 and every bad path. */
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

/** Notes a bad path. */
export type Note = (path: string, problem: string) => void;

/** Collects bad paths; `check` throws `MalformedReview` with all of them if there is one. */
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
