/** What the dialect makes of each revision, compiled one after the other as a script without a database does. */
import { mssqlDialect } from '../../../src/dialect/mssql/index.js';
import { BASE, initial, revisions } from '../../../src/schema/lineage.js';
import { EMPTY_SCHEMA, type Schema } from '../../../src/schema/model.js';
import type { Operation } from '../../../src/schema/operations.js';
import { ModelServer, type ModelTable } from './model.js';

export const dialect = mssqlDialect(null);

export interface Compiled {
  readonly id: string;
  /** The DDL of the revision. */
  readonly statements: readonly string[];
  /** The schema before it, as the dialect foretells it. */
  readonly before: Schema;
  /** The same as the model of a server has it, having run all before. */
  readonly model: Map<string, ModelTable>;
}

/** Every revision with the base before the first; made once. */
export const lineage: readonly Compiled[] = compileAll();

function compileAll(): Compiled[] {
  const server = new ModelServer();
  let schema = EMPTY_SCHEMA;
  const all: { id: string; operations: readonly Operation[] }[] = [{ id: BASE, operations: initial }, ...revisions];
  return all.map(({ id, operations }) => {
    const before = schema;
    const model = server.snapshot();
    const statements = operations.flatMap((operation) => {
      const compiled = dialect.compile(operation, schema);
      schema = compiled.after;
      return compiled.statements.map(({ sql }) => sql);
    });
    for (const sql of statements) server.run(sql);
    return { id, statements, before, model };
  });
}
