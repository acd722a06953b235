/**
 * Databases to start an upgrade from: as old as can be, and populated so that every revision that moves rows has rows to
 * move. Small, as they are upgraded hundreds of times.
 */

import { BASE } from '../../src/schema/lineage.js';
import type { SqlWords } from '../../src/schema/operations.js';
import { opened, type Server, type TestDatabase, withDatabase } from './databases.js';
import { run, upgradeTo } from './state.js';

type Value = string | number | boolean | null;
type Row = Readonly<Record<string, Value>>;

/** One INSERT for each 200 rows; all rows have the columns of the first. */
function inserts({ id, literal }: SqlWords, table: string, rows: readonly Row[]): string[] {
  const names = Object.keys(rows[0] ?? {});
  const statements: string[] = [];
  for (let at = 0; at < rows.length; at += 200) {
    const tuples = rows
      .slice(at, at + 200)
      .map((row) => `(${names.map((name) => literal(row[name] ?? null)).join(', ')})`);
    statements.push(`INSERT INTO ${id(table)} (${names.map(id).join(', ')}) VALUES ${tuples.join(', ')}`);
  }
  return statements;
}

const count = (n: number) => Array.from({ length: n }, (_, i) => i);
const hex = (n: number) => n.toString(16).padStart(32, '0');
const AWKWARD = 'Übung "q" \'s\' \\ %_ 漢字 🚀';

/** The five tables of MLflow 0.9, with rows as its clients wrote them. */
function baseRows(words: SqlWords): string[] {
  const runs = count(24);
  const statuses = ['SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING'];
  const sources = ['NOTEBOOK', 'JOB', 'LOCAL', 'UNKNOWN', 'PROJECT'];
  const users = ['alice', 'bob', null, '', `${'u'.repeat(255)}é`, AWKWARD];
  return [
    ...inserts(words, 'experiments', [
      { experiment_id: 1, name: 'Default', artifact_location: './mlruns/0', lifecycle_stage: 'active' },
      { experiment_id: 2, name: AWKWARD, artifact_location: 's3://bucket/2', lifecycle_stage: 'active' },
      { experiment_id: 3, name: 'n'.repeat(256), artifact_location: null, lifecycle_stage: 'deleted' },
    ]),
    ...inserts(
      words,
      'runs',
      runs.map((i) => ({
        run_uuid: hex(i),
        name: i % 5 === 0 ? '' : `run ${i}`,
        source_type: sources[i % sources.length] ?? null,
        source_name: i % 3 === 0 ? 'train.py' : null,
        entry_point_name: 'main',
        user_id: users[i % users.length] ?? null,
        status: statuses[i % statuses.length] ?? null,
        start_time: 1_550_000_000_000 + i,
        end_time: i % 4 === 3 ? null : 1_550_000_060_000 + i,
        source_version: 'abcdef0123',
        lifecycle_stage: i % 7 === 6 ? 'deleted' : 'active',
        artifact_uri: `./mlruns/${i}`,
        experiment_id: 1 + (i % 3),
      })),
    ),
    ...inserts(
      words,
      'tags',
      runs.flatMap((i) => [
        { key: 'mlflow.source', value: AWKWARD, run_uuid: hex(i) },
        { key: 'k'.repeat(250), value: 'v'.repeat(250), run_uuid: hex(i) },
        ...(i % 4 === 0 ? [{ key: 'mlflow.user', value: 'set by hand', run_uuid: hex(i) }] : []),
      ]),
    ),
    ...inserts(
      words,
      'params',
      runs.flatMap((i) => [
        { key: 'lr', value: '0.1', run_uuid: hex(i) },
        { key: 'empty', value: '', run_uuid: hex(i) },
        { key: 'p'.repeat(250), value: 'é'.repeat(250), run_uuid: hex(i) },
      ]),
    ),
    ...inserts(
      words,
      'metrics',
      runs.flatMap((i) =>
        count(12)
          .map((j) => ({
            key: ['loss', 'accuracy', 'a/b c'][j % 3] ?? '',
            value: [0.1, -1.5, 1e30, 0, 1 / 3][(i + j) % 5] ?? 0,
            timestamp: j === 11 ? 0 : 1_550_000_000 + Math.floor(j / 6),
            run_uuid: hex(i),
          }))
          .filter(
            ({ key, timestamp }, j, all) =>
              all.findIndex((each) => each.key === key && each.timestamp === timestamp) === j,
          ),
      ),
    ),
  ];
}

/** What MLflow 3.17 would have written before `75868b020152`: traces with spans, jobs, issues, MCP servers. */
function lateRows(words: SqlWords): string[] {
  const traces = count(40);
  const trace = (i: number) => `tr-${hex(i)}`;
  const spans = traces.flatMap((i) => count(2).map((j) => ({ i, j })));
  return [
    ...inserts(
      words,
      'trace_info',
      traces.map((i) => ({
        request_id: trace(i),
        experiment_id: 1,
        timestamp_ms: 1_750_000_000_000 + i,
        execution_time_ms: i,
        status: 'OK',
      })),
    ),
    ...inserts(
      words,
      'trace_tags',
      traces.flatMap((i) => [
        { key: 'mlflow.traceName', value: i % 9 === 0 ? 'n'.repeat(5000) : `trace ${AWKWARD}`, request_id: trace(i) },
        { key: 'other', value: 'stays', request_id: trace(i) },
      ]),
    ),
    ...inserts(
      words,
      'trace_request_metadata',
      traces.flatMap((i) => [
        { key: 'mlflow.trace.session', value: `session ${i % 5}`, request_id: trace(i) },
        {
          key: 'mlflow.trace.tokenUsage',
          value: i % 6 === 0 ? 'no json' : `{"input_tokens": ${i}, "output_tokens": "7", "total_tokens": 1.5}`,
          request_id: trace(i),
        },
        {
          key: 'mlflow.trace.cost',
          value: '{"input_cost": 0.1, "output_cost": 1e-7, "total_cost": 0.3}',
          request_id: trace(i),
        },
        ...(i % 10 === 0 ? [{ key: 'mlflow.gateway.endpointId', value: 'e', request_id: trace(i) }] : []),
      ]),
    ),
    ...inserts(
      words,
      'trace_metrics',
      traces
        .filter((i) => i % 2 === 0)
        .flatMap((i) => [
          { request_id: trace(i), key: 'input_tokens', value: i + 1000 },
          { request_id: trace(i), key: 'mine', value: 0.25 },
        ]),
    ),
    ...inserts(
      words,
      'spans',
      spans.map(({ i, j }) => ({
        trace_id: trace(i),
        experiment_id: 1,
        span_id: `s${j}`,
        name: `span ${j}`,
        type: 'LLM',
        status: 'OK',
        start_time_unix_nano: `175000000000000000${j}`,
        end_time_unix_nano: `1750000001000000${j}00`,
        content: '{}',
        dimension_attributes:
          i % 3 === 0 ? null : `{"mlflow.llm.model": "m${i % 4}", "mlflow.llm.provider": ${j === 0 ? '"p"' : 'null'}}`,
      })),
    ),
    ...inserts(
      words,
      'span_metrics',
      spans.flatMap(({ i, j }) => [
        { trace_id: trace(i), span_id: `s${j}`, key: 'total_cost', value: 0.001 * (i + 1) },
        { trace_id: trace(i), span_id: `s${j}`, key: 'latency', value: 5 },
      ]),
    ),
    ...inserts(
      words,
      'assessments',
      traces.map((i) => ({
        assessment_id: `a-${i}`,
        trace_id: trace(i),
        name: 'quality',
        assessment_type: 'feedback',
        value: ['1', '0.5', 'true', 'false', '"yes"', 'No', 'null', '{"a": 1}'][i % 8] ?? '',
        created_timestamp: 1,
        last_updated_timestamp: 2,
        source_type: 'HUMAN',
        valid: i % 2 === 0,
      })),
    ),
    ...inserts(
      words,
      'jobs',
      count(6).map((i) => ({
        id: `job-${i}`,
        creation_time: i,
        job_name: 'work',
        params: '{}',
        status: i,
        retry_count: 0,
        last_update_time: 1_750_000_000_000,
      })),
    ),
    // More than one chunk of the derivation of their categories.
    ...inserts(
      words,
      'issues',
      count(510).map((i) => ({
        issue_id: `issue-${String(i).padStart(5, '0')}`,
        experiment_id: 1,
        name: `issue ${i}`,
        description: AWKWARD,
        status: 'pending',
        categories: i % 8 < 5 ? null : JSON.stringify(['Latency', ' latency ', `Ünique ${i}`].slice(0, (i % 8) - 4)),
        created_timestamp: i,
        last_updated_timestamp: i + 1,
      })),
    ),
    ...inserts(words, 'mcp_servers', [{ name: 'server', created_at: 1, last_updated_at: 1 }]),
    ...inserts(
      words,
      'mcp_server_versions',
      count(2).map((i) => ({
        name: 'server',
        version: `1.0.${i}-Beta`,
        version_major: 1,
        version_minor: 0,
        version_patch: i,
        version_prerelease_sort_key: 'beta',
        server_json: '{}',
        created_at: 1,
        last_updated_at: 1,
      })),
    ),
    ...inserts(words, 'mcp_server_version_tags', [{ name: 'server', version: '1.0.0-Beta', key: 'k', value: 'v' }]),
    ...inserts(words, 'mcp_server_aliases', [{ name: 'server', alias: 'latest', version: '1.0.1-Beta' }]),
    ...inserts(words, 'mcp_access_endpoints', [
      {
        id: 'endpoint',
        server_name: 'server',
        server_version: '1.0.1-Beta',
        url: 'https://example.org',
        created_at: 1,
        last_updated_at: 1,
      },
    ]),
  ];
}

/** Before `75868b020152`, the revision that moves the most. */
export const LATE = 'b7e2c1a4d9f3';

async function fill(database: TestDatabase, rows: (words: SqlWords) => readonly string[]): Promise<TestDatabase> {
  const { dialect } = await opened(database);
  await run(database, ...rows(dialect.words));
  return database;
}

/** The tables of MLflow 0.9, populated. */
export async function oldest(server: Server): Promise<TestDatabase> {
  const database = await server.empty();
  await upgradeTo(database, BASE);
  await fill(database, baseRows);
  // MLflow 0.9 had no way to say NaN, and PostgreSQL took it all the same.
  const nan = "INSERT INTO metrics (key, value, timestamp, run_uuid) SELECT 'nan', 'NaN', 1, run_uuid FROM runs";
  if (server.dialect === 'postgresql') await run(database, nan);
  return database;
}

/** The same, as a copy of which every other copy is equal: a dump of MariaDB's rounds numbers of single precision. */
export async function oldestCopied(server: Server): Promise<TestDatabase> {
  return withDatabase(
    () => oldest(server),
    (database) => server.copy(database),
  );
}

/** The fixture of 3.0.1 at `LATE`, with rows in the tables that came since. */
export async function late(server: Server): Promise<TestDatabase> {
  const database = await server.load('3.0.1');
  await upgradeTo(database, LATE);
  return fill(database, lateRows);
}
