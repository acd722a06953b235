/**
 * The ways in which databases differ that change what a revision of MLflow *leaves behind* (not merely how it is
 * written): facts about a dialect, by name, so that neither the migrations nor the fold ask for a dialect.
 */
export interface Traits {
  /** Has no real boolean, so that SQLAlchemy checks columns that stand for one: `CHECK (x IN (0, 1))`. */
  readonly checksBooleans: boolean;
  /** Changing a column means restating it whole: what a revision did not restate (its default, NOT NULL) is lost. */
  readonly restatesColumns: boolean;
  /** Alembic drops the check that came with a column's old type when it changes the type. */
  readonly dropsCheckOfOldType: boolean;
  /** The usual collation compares text without regard to case, so that columns must be told where case matters. */
  readonly foldsCase: boolean;
  /** The catalog does not tell a unique index from a unique constraint. */
  readonly uniqueIndexIsConstraint: boolean;
  /** A unique constraint on the columns of the primary key of the same CREATE TABLE is left out by the server. */
  readonly mergesUniqueIntoPrimaryKey: boolean;
  /** Has covering (`INCLUDE`) and partial (`WHERE`) indexes as MLflow uses them. */
  readonly coveringIndexes: boolean;
  /** Indexes a prefix of a long column, and must, for the key to fit. */
  readonly prefixIndexes: boolean;
}

export type Trait = keyof Traits;
