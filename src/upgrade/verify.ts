/** After an upgrade: is the schema what the target declares, and are the rows still there? */
import type { Dialect } from '../dialect/dialect.js';
import type { Session } from '../dialect/session.js';
import { MtrackError } from '../errors.js';
import { type Difference, describeDifference, differences } from '../schema/diff.js';
import { schemaAt } from '../schema/lineage.js';
import { isKnownVariant } from '../schema/variants.js';

/** Exact numbers of rows, by table. */
export type RowCounts = ReadonlyMap<string, number>;

/** Counts the rows of tables that are there. */
export async function countRows(session: Session, dialect: Dialect, tables: readonly string[]): Promise<RowCounts> {
  const counts = new Map<string, number>();
  for (const table of tables) {
    const [row] = await session.rows<{ n: number | string }>(
      `SELECT ${dialect.words.count()} AS n FROM ${dialect.words.id(table)}`,
    );
    counts.set(table, Number(row?.n ?? 0));
  }
  return counts;
}

export interface Verification {
  /** Differences that were there before the upgrade and still are. */
  readonly remaining: readonly Difference[];
  /** References to rows that do not exist, which the upgrade found and left as they were. */
  readonly brokenReferences: readonly string[];
}

/**
 * @param drift the differences before the upgrade, which are not its doing
 * @param counts rows before the upgrade of tables that must not lose any
 * @throws {MtrackError} VERIFY_FAILED
 */
export async function verify(
  session: Session,
  dialect: Dialect,
  target: string,
  drift: readonly Difference[],
  counts: RowCounts,
): Promise<Verification> {
  const live = await dialect.readCatalog(session);
  const now = differences(schemaAt(target, dialect.traits), live, dialect).filter(
    (each) => !isKnownVariant(each, target),
  );
  const before = new Set(drift.map(({ table, element, name }) => `${table} ${element} ${name}`));
  const wasThere = ({ table, element, name }: Difference) => before.has(`${table} ${element} ${name}`);
  const wrong = now.filter((each) => each.weight !== 'harmless' && !wasThere(each)).map(describeDifference);

  const after = await countRows(session, dialect, [...counts.keys()]);
  const lost = [...counts].flatMap(([table, n]) => {
    const left = after.get(table) ?? 0;
    return left < n ? [`${table} had ${n} rows and has ${left}`] : [];
  });
  if (wrong.length + lost.length > 0) {
    throw new MtrackError('VERIFY_FAILED', {
      found: [...wrong, ...lost].join('\n'),
      expected: `the schema of revision ${target}, and every row`,
      fix: [
        'if another program was altering the tables at the same time (`mlflow db upgrade`), run the command again',
        'otherwise put the backup back, and report this with the output of `mtrack db status --json`',
      ],
    });
  }
  return {
    remaining: now.filter((each) => each.weight !== 'harmless' && wasThere(each)),
    brokenReferences: await dialect.brokenReferences(session, [...counts.keys()]),
  };
}
