import { backfill, revision, rowsIn, type SqlWords } from '../src/schema/operations.js';

/** Blanks alone are equal to nothing in some databases, and U+0000 counts for nothing in others. */
const hasUser = (sql: SqlWords) => {
  const user = sql.id('user_id');
  return `(${user} <> ${sql.literal('')} OR ${sql.characters(user)} > 0)`;
};

export default revision('90e64c465722', {
  parent: '451aebb31d03',
  title: 'runs: the user becomes the tag mlflow.user',
  irreversible: {
    because: 'a tag that was made here cannot be told from one that a user set (runs.user_id itself stays)',
    counts: [rowsIn('runs', 'runs with a user', hasUser)],
  },
  operations: [
    // MLflow's own script gives the tag to one run of each experiment only (docs/differences.md): here every run gets it.
    // A tag's value holds 250 characters at this revision, and a user 256.
    backfill({
      title: 'copy runs.user_id to tags',
      over: { table: 'runs', key: 'run_uuid' },
      writes: ['tags'],
      statements: (sql) => {
        const { id, literal } = sql;
        return [
          `INSERT INTO ${id('tags')} (${id('key')}, ${id('value')}, ${id('run_uuid')})
SELECT ${literal('mlflow.user')}, ${sql.left(id('user_id'), 250)}, ${id('run_uuid')}
FROM ${id('runs')}
WHERE ${sql.range('run_uuid')} AND ${hasUser(sql)}
  AND NOT EXISTS (SELECT 1 FROM ${id('tags')} t WHERE t.${id('run_uuid')} = ${id('runs')}.${id('run_uuid')} AND t.${id('key')} = ${literal('mlflow.user')})`,
        ];
      },
    }),
  ],
});
