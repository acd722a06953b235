import { createHash } from 'node:crypto';
import {
  addColumn,
  addIndex,
  alterTable,
  backfill,
  bigint,
  createTable,
  deriveRows,
  foreignKey,
  index,
  optional,
  primaryKey,
  python,
  required,
  revision,
  text,
  varchar,
} from '../src/schema/operations.js';

/** The rows of one issue: a category for each distinct hash of its folded text, in the last spelling. */
export function categoriesOf(
  issueId: string,
  categories: string,
): { category_hash: string; category: string; issue_id: string }[] {
  const list = python.loads(categories);
  // Half a character of UTF-16, which only an escape can write, has no bytes to hash.
  if (!Array.isArray(list) || !list.every((each) => typeof each === 'string' && each.isWellFormed()))
    throw new TypeError(`issues.categories of issue ${issueId} is not a JSON array of strings`);
  const last = new Map(
    list.map((category: string) => [
      createHash('sha256').update(python.strip(category).toLowerCase()).digest('hex'),
      category,
    ]),
  );
  return [...last].map(([category_hash, category]) => ({ issue_id: issueId, category_hash, category }));
}

export default revision('8b6ad64cb8f5', {
  parent: 'e7d1f4b2a9c6',
  title: 'issues: when last seen, by whom updated, and a table of their categories',
  undo: { comesBack: ['issue_categories'] },
  operations: [
    alterTable(
      'issues',
      addColumn(optional('last_seen_timestamp', bigint())),
      addColumn(optional('last_updated_by', varchar(255))),
      addColumn(optional('metadata', text({ atLeast: 'long' }))),
      addIndex('index_issues_experiment_last_seen', ['experiment_id', 'last_seen_timestamp']),
      addIndex('index_issues_experiment_updated', ['experiment_id', 'last_updated_timestamp']),
    ),
    createTable(
      'issue_categories',
      required('issue_id', varchar(36)),
      required('category_hash', varchar(64)),
      required('category', text()),
      primaryKey('issue_categories_pk', 'issue_id', 'category_hash'),
      foreignKey('fk_issue_categories_issue_id', { columns: ['issue_id'], table: 'issues', onDelete: 'cascade' }),
      index('index_issue_categories_hash', ['category_hash']),
    ),
    backfill({
      title: 'take the time an issue was created for when it was last seen',
      over: { table: 'issues', key: 'issue_id' },
      writes: ['issues'],
      statements: ({ id, range }) => [
        `UPDATE ${id('issues')} SET ${id('last_seen_timestamp')} = ${id('created_timestamp')} WHERE ${range('issue_id')}`,
      ],
    }),
    deriveRows({
      title: 'list the categories of each issue',
      over: { table: 'issues', key: 'issue_id' },
      read: ['categories'],
      present: 'categories',
      into: 'issue_categories',
      owner: 'issue_id',
      derive: (row) => categoriesOf(String(row.issue_id), String(row.categories)),
    }),
  ],
});
