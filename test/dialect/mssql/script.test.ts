/** Scripts for sqlcmd: what they do is what the plan does, and they stop at the first error. */
import { describe, expect, test } from 'vitest';
import { mssqlDialect } from '../../../src/dialect/mssql/index.js';
import { HEAD } from '../../../src/schema/lineage.js';
import { EMPTY_SCHEMA } from '../../../src/schema/model.js';
import { planUpgrade } from '../../../src/upgrade/plan.js';
import { planOffline, scriptOf } from '../../../src/upgrade/script.js';
import { lineage } from '../../support/mssql/lineage.js';
import { ModelServer } from '../../support/mssql/model.js';
import { batchesOf } from '../../support/mssql/tsql.js';

const dialect = mssqlDialect(null);
const { script, backupCommand } = dialect;

test('the script of a step: settings, a transaction, the version last', async () => {
  const text = await scriptOf(planOffline('7f2a7d5fae7d', '2d6e25af4d3e', dialect), dialect, null, [
    'written by mtrack',
  ]);
  expect(text).toBe(`-- written by mtrack
:setvar SqlcmdMode "on"
:on error exit
GO
IF N'$(SqlcmdMode)' <> N'on'
BEGIN
  PRINT N'This script is for sqlcmd, or for the SQLCMD mode: nothing was executed.';
  SET NOEXEC ON;
END
GO
SET QUOTED_IDENTIFIER, ANSI_NULLS, ANSI_PADDING, ANSI_WARNINGS, ARITHABORT, CONCAT_NULL_YIELDS_NULL ON;
SET NUMERIC_ROUNDABORT, IMPLICIT_TRANSACTIONS, NOCOUNT OFF;
SET XACT_ABORT ON;
SET LOCK_TIMEOUT 10000;
GO

IF EXISTS (
SELECT 1 AS n FROM (SELECT COUNT(*) AS n FROM [alembic_version] WHERE [version_num] = '7f2a7d5fae7d') v WHERE v.n <> 1
) THROW 50000, N'this script is for a database at revision 7f2a7d5fae7d', 1;
GO

-- 2d6e25af4d3e: params.value: 500 to 8000 characters
-- ! cannot be undone: MLflow's own downgrade of it does nothing, so that an older MLflow put back on this database reads values longer than it allows; and shrinking the column would cut them

BEGIN TRANSACTION;
GO

ALTER TABLE [params] ALTER COLUMN [value] varchar(8000) NOT NULL;
GO

UPDATE [alembic_version] SET [version_num] = '2d6e25af4d3e' WHERE [version_num] = '7f2a7d5fae7d';
GO

COMMIT TRANSACTION;
GO

SET NOEXEC OFF;
GO
`);
});

test('a script from nothing to the head makes what the revisions make one by one', async () => {
  const text = await scriptOf(planUpgrade({ state: 'empty', schema: EMPTY_SCHEMA }, HEAD, dialect), dialect, null, []);
  const server = new ModelServer();
  for (const batch of batchesOf(text.replaceAll(/^:.*$/gm, ''))) {
    if (!/^(IF|PRINT)\b/.test(batch)) server.run(batch);
  }
  const last = lineage.at(-1);
  const expected = ModelServer.from(last?.model ?? new Map());
  for (const sql of last?.statements ?? []) expected.run(sql);
  const tables = (of: ModelServer) => new Map([...of.tables].filter(([name]) => name !== 'alembic_version'));
  expect(tables(server)).toEqual(tables(expected));
});

test('a message can hold quotes, is ASCII, and is not longer than THROW allows', () => {
  expect(script.stopIf('SELECT 1 AS a', "it's")).toBe("IF EXISTS (\nSELECT 1 AS a\n) THROW 50000, N'it''s', 1;\nGO");
  expect(script.stopIf('SELECT 1 AS a', 'Zoë')).toContain("N'Zo?'");
  expect(script.stopIf('SELECT 1 AS a', 'x'.repeat(5000)).length).toBeLessThan(2100);
});

describe('commands', () => {
  const target = { host: 'sql.example', port: 1433, user: 'ml', database: "ml'flow" };

  test('to run a script', () => {
    expect(script.runWith(target)).toBe(`sqlcmd -S sql.example,1433 -U ml -d 'ml'\\''flow' -b -I -i upgrade.sql`);
    expect(script.runWith({ host: 'db\\EXPRESS', port: null, user: null, database: 'mlflow' })).toBe(
      "sqlcmd -S 'db\\EXPRESS' -E -d mlflow -b -I -i upgrade.sql",
    );
  });

  test('to take a backup, checked, beside the chain of other backups, and without a password', () => {
    expect(backupCommand({ ...target, database: 'mlflow' })).toBe(
      "sqlcmd -S sql.example,1433 -U ml -b -Q 'BACKUP DATABASE [mlflow] TO DISK = N'\\''mlflow.bak'\\'' WITH CHECKSUM, COPY_ONLY'",
    );
  });
});
