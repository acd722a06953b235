/** The place in a file of the repository that findings are shown at: where the MLflow version is raised, for instance. */
export interface Annotated {
  /** Relative to the root of the repository, with `/` between names. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
}
