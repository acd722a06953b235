/**
 * The database store on SQL Server, as far as that goes without one: the real driver sends every statement to a server of the
 * protocol, which answers with a row or two, and Microsoft's own parser reads what was sent, as SQL Server 2016 does.
 */
import { describe, expect, test } from 'vitest';
import { HEAD } from '../../../src/schema/lineage.js';
import { TABLES } from '../../../src/store/database/index.js';
import { openStore } from '../../../src/store/open.js';
import type { Store } from '../../../src/store/store.js';
import { parseStoreUri } from '../../../src/uri.js';
import { dialect, lineage } from '../../support/mssql/lineage.js';
import { ModelServer, type ModelTable } from '../../support/mssql/model.js';
import { scriptDom } from '../../support/mssql/scriptdom.js';
import { FakeServer } from '../../support/mssql/server.js';
import type { Answer, TdsRequest } from '../../support/mssql/tds.js';
import { CONNECTION } from '../implementations.js';

const found = scriptDom();
if ('missing' in found && process.env.CI === 'true') throw new Error(found.missing);
if ('missing' in found) console.warn(`skipped: ${found.missing}`);

function modelAtHead(): Map<string, ModelTable> {
  const last = lineage.at(-1);
  const server = ModelServer.from(last?.model ?? new Map());
  for (const statement of [...(last?.statements ?? []), dialect.createVersionTable]) server.run(statement);
  return server.snapshot();
}

const RUN = {
  run_uuid: 'r'.repeat(32),
  name: 'run',
  user_id: 'me',
  status: 'RUNNING',
  start_time: 1_700_000_000_000n,
  end_time: null,
  lifecycle_stage: 'active',
  artifact_uri: '/a',
  experiment_id: 1,
};
const EXPERIMENT = {
  experiment_id: 1,
  name: 'one',
  artifact_location: '/a',
  lifecycle_stage: 'active',
  creation_time: 1_700_000_000_000n,
  last_update_time: null,
};
type Row = Readonly<Record<string, string | number | bigint | boolean | null>>;

/** What a table has in it. */
const ROWS: Readonly<Record<string, Row>> = {
  runs: RUN,
  experiments: EXPERIMENT,
  experiment_tags: { experiment_id: 1, key: 'k', value: 'v' },
  latest_metrics: { run_uuid: RUN.run_uuid, key: 'm', value: 1.5, timestamp: 7n, step: 2n ** 40n, is_nan: false },
  metrics: { value: 1.5, timestamp: 7n, step: 3n, is_nan: false },
  tags: { run_uuid: RUN.run_uuid, key: 'mlflow.runName', value: 'run' },
};

function answerTo(sql: string): Answer {
  if (/^\s*INSERT INTO "experiments" .*OUTPUT/.test(sql)) return { rows: [{ experiment_id: 7 }] };
  if (/^\s*SELECT COUNT\(\*\)/.test(sql)) return { rows: [{ n: 9 }] };
  if (!/^\s*select/i.test(sql)) return { changed: 1 };
  // The default experiment is there, and there is none in another workspace.
  if (/workspace" != /.test(sql)) return { rows: [] };
  const [, table = ''] = /from "(\w+)"/i.exec(sql) ?? [];
  const row = ROWS[table];
  return { rows: row ? [row] : [] };
}

const pair = (key: string, value: string) => ({ key, value });
const dataset = { name: 'd', digest: '1', source_type: 's', source: 's' };

/** Each method of the nouns, and each way that a statement can be put together. */
async function everything({ experiments, runs, metrics }: Store): Promise<void> {
  const id = RUN.run_uuid;
  await experiments.create({ name: 'new', tags: [pair('a', 'b'), pair('c', 'd')] });
  await experiments.create({ name: 'placed', tags: [], artifact_location: 's3://b/p' });
  await experiments.get('1');
  await experiments.getByName('one');
  const filter = "name LIKE 'a%' AND tags.k = 'v' AND tags.k != 'w' AND tags.k ILIKE 'V' AND tags.n IS NULL";
  await experiments.search({ filter, order_by: ['name DESC'], view_type: 'ALL', max_results: 5 });
  await experiments.search({ filter: "experiment_id IN ('1', '2') AND creation_time > 5" });
  await experiments.rename('1', 'renamed');
  await experiments.setTag('1', pair('a', 'b'));
  await experiments.deleteTag('1', 'a');
  await experiments.delete('1');
  await runs.create({ experiment_id: '1', tags: [pair('a', 'b')] });
  await runs.get(id);
  await runs.update(id, { status: 'FINISHED', end_time: 9, run_name: 'other' });
  const point = { key: 'm', value: 1, timestamp: 2, step: 3 };
  await runs.logMetric(id, { ...point, value: Number.NaN });
  await runs.logBatch(id, {
    metrics: Array.from({ length: 900 }, (_, at) => ({ ...point, step: at, model_id: 'm-1' })),
    params: [pair('p', 'v'), pair('q', 'v')],
    tags: [pair('t', 'v'), pair('mlflow.runName', 'x')],
  });
  await runs.logParam(id, pair('p', 'v'));
  await runs.setTag(id, pair('t', 'v'));
  await runs.deleteTag(id, 't');
  await runs.logInputs(id, [{ dataset, tags: [pair('k', 'v')] }], [{ model_id: 'm-1' }]);
  await runs.logOutputs(id, [{ model_id: 'm-1', step: 1 }]);
  await runs.searchDatasets(['1']);
  const search = { experiment_ids: ['1', '2'], max_results: 3 };
  await runs.search({
    ...search,
    order_by: ['metrics.m DESC', 'params.p', 'tags.t', 'end_time'],
    run_view_type: 'ALL',
  });
  await runs.search({
    ...search,
    filter: "metrics.m > 0.5 AND metrics.m != 3 AND params.p = 'a' AND tags.t LIKE 'b%'",
  });
  await runs.search({ ...search, filter: "params.p IS NULL AND dataset.name = 'd' AND dataset.context IN ('a', 'b')" });
  await runs.search({
    ...search,
    filter: "run_name ILIKE 'A' AND start_time >= 3 AND user_id != 'x'",
    page_token: 'eyJvZmZzZXQiOiAyfQ==',
  });
  await runs.delete(id);
  await runs.restore(id);
  await metrics.history(id, 'm');
  const page = await metrics.history(id, 'm', { max_results: 1 });
  await metrics.history(id, 'm', { max_results: 1, page_token: page.next_page_token ?? 'eyJvZmZzZXQiOiAyfQ==' });
  await metrics.history(id, 'm', { page_token: 'eyJvZmZzZXQiOiAyfQ==' });
  await metrics.historyBulk([id], 'm', 10);
  await metrics.historyInterval([id], 'm', 1, { start_step: 1, end_step: 5 });
}

describe.skipIf('missing' in found)('on SQL Server', () => {
  test('every statement is T-SQL, and numbers are numbers', async () => {
    const sent = new Set<string>();
    // What the gate asks is answered by the server itself.
    const instead = (request: TdsRequest): Answer | null => {
      if (!('sql' in request) || !TABLES.some((table) => request.sql.includes(`"${table}"`))) return null;
      sent.add(request.sql);
      return answerTo(request.sql);
    };
    await FakeServer.with({ model: modelAtHead(), version: HEAD, instead }, async (tds) => {
      const store = await openStore(parseStoreUri(tds.uri()), { connection: CONNECTION, artifactRoot: '/a' });
      await everything(store);
      const run = await store.runs.get(RUN.run_uuid);
      expect(run.info.start_time).toBe(1_700_000_000_000);
      expect(run.data.metrics).toEqual([{ key: 'm', value: 1.5, timestamp: 7, step: 2 ** 40 }]);
      await store.close();
    });
    const statements = [...sent];
    expect(statements.length).toBeGreaterThan(50);
    if ('missing' in found) return;
    const wrong = found
      .parse(statements)
      .flatMap(({ errors }, at) => errors.map((error) => `${error}: ${statements[at]}`));
    expect(wrong).toEqual([]);
    // sp_executesql takes 2098 values of ours at the most.
    expect(Math.max(...statements.map((statement) => statement.match(/@\d+/g)?.length ?? 0))).toBeLessThanOrEqual(2098);
  });
});
