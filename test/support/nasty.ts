/**
 * A file store with everything that is known to go wrong with one (facts/operators-need.md, section 5): written by hand, as
 * no release of MLflow would, with a list of what is wrong and a count of what there is.
 */
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Wrong {
  /** From the root of the store. */
  readonly path: string;
  readonly line?: number;
  readonly reason: RegExp;
}

export interface Nasty {
  readonly wrong: readonly Wrong[];
  /** Records that were written, good or bad, by the table that they belong to; of metrics each line. */
  readonly records: Readonly<Record<string, number>>;
  /** Lines that say what another one has said. */
  readonly repeated: Readonly<Record<string, number>>;
}

/** Long ago: nobody is writing these files. */
const THEN = new Date('2024-01-01T00:00:00Z');

export function writeNasty(root: string): Nasty {
  const wrong: Wrong[] = [];
  const records: Record<string, number> = {};
  const count = (table: string, n = 1) => {
    records[table] = (records[table] ?? 0) + n;
  };
  const file = (path: string, content: string | Buffer) => {
    const place = join(root, path);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, content);
    utimesSync(place, THEN, THEN);
  };
  const bad = (path: string, reason: RegExp, line?: number) => wrong.push({ path, reason, ...(line && { line }) });

  const experiment = (id: string, meta: Record<string, string | number> = {}) => {
    count('experiments');
    const fields = {
      artifact_location: `/cluster/scratch/me/mlruns/${id}`,
      experiment_id: `'${id}'`,
      lifecycle_stage: 'active',
      name: `experiment ${id}`,
      ...meta,
    };
    file(`${id}/meta.yaml`, yaml(fields));
  };
  const run = (experiment: string, id: string, meta: Record<string, string | number> = {}) => {
    count('runs');
    const fields = {
      artifact_uri: `/cluster/scratch/me/mlruns/${experiment}/${id}/artifacts`,
      end_time: 1700000001000,
      experiment_id: `'${experiment}'`,
      lifecycle_stage: 'active',
      run_id: `'${id}'`,
      run_uuid: `'${id}'`,
      start_time: 1700000000000,
      status: 3,
      user_id: 'me',
      ...meta,
    };
    file(`${experiment}/${id}/meta.yaml`, yaml(fields));
  };
  const value = (kind: 'params' | 'tags', path: string, text: string | Buffer) => {
    count(kind);
    file(path.replace('*', kind), text);
  };
  const metric = (path: string, lines: string, n = lines.split('\n').length - 1) => {
    count('metrics', n);
    file(path, lines);
  };

  // ---------------------------------------------------------------- a good run, of an old release, with what can be awkward
  const big = '123456789012345678';
  experiment(big, { name: 'of 18 digits' });
  const good = id(1);
  run(big, good, {
    source_type: 1,
    source_name: 'train.py',
    name: "''",
    entry_point_name: 'main',
    source_version: 'abc',
  });
  value('params', `${big}/${good}/*/lr`, '0.1');
  value('params', `${big}/${good}/*/deep/er/key`, 'with a slash');
  value('tags', `${big}/${good}/*/empty`, '');
  value('tags', `${big}/${good}/*/mlflow.runName`, 'a name ✓');
  metric(`${big}/${good}/metrics/old`, '1700000000000 0.5\n1700000000001 0.25\n');
  metric(
    `${big}/${good}/metrics/odd`,
    '1 nan 0\n2 inf 1\n3 -inf 2\n4 1e-320 3\n5 -0.0 4\n6 1.7976931348623157e+308 5\n',
  );

  // ---------------------------------------------------------------- metric files
  const lines = id(2);
  run(big, lines);
  const metrics = `${big}/${lines}/metrics`;
  metric(`${metrics}/twice`, '1 0.5 0\n1 0.5 0\n2 0.5 1\n2 nan 1\n2 nan 1\n1 0.5 0\n');
  const repeated = { metrics: 3 };
  metric(`${metrics}/blank`, '1 0.5 0\n\n3 0.5 2\n');
  bad(`${metrics}/blank`, /is blank/, 2);
  metric(`${metrics}/short`, '1 0.5 0\n1700\n');
  bad(`${metrics}/short`, /holds 1 fields/, 2);
  metric(`${metrics}/cut`, '1 0.5 0\n2 0.5 1\n3 0.', 3);
  bad(`${metrics}/cut`, /has no end/, 3);
  metric(`${metrics}/text`, '1 0.5 0\n1 abc 1\n');
  bad(`${metrics}/text`, /holds "abc" where the value/, 2);
  metric(`${metrics}/bytes`, '1 0.5 0\n2 0.5 1\n');
  file(`${metrics}/bytes`, Buffer.concat([Buffer.from('1 0.5 0\n2 '), Buffer.from([0xff, 0xfe]), Buffer.from('\n')]));
  bad(`${metrics}/bytes`, /is not UTF-8/);
  metric(`${metrics}/nothing`, '', 0);
  bad(`${metrics}/nothing`, /is empty/);

  // ---------------------------------------------------------------- params and tags
  const values = id(3);
  run(big, values);
  value('params', `${big}/${values}/*/fine`, 'fine');
  value('params', `${big}/${values}/*/latin1`, Buffer.from([0x63, 0x61, 0x66, 0xe9]));
  bad(`${big}/${values}/params/latin1`, /is not UTF-8/);
  value('tags', `${big}/${values}/*/fine`, 'fine');
  value('tags', `${big}/${values}/*/bytes`, Buffer.from([0x80]));
  bad(`${big}/${values}/tags/bytes`, /is not UTF-8/);

  // ---------------------------------------------------------------- runs
  const without = (n: number, meta: string | null, reason: RegExp, line?: number) => {
    const folder = `${big}/${id(n)}`;
    count('runs');
    value('params', `${folder}/*/a`, '1');
    value('tags', `${folder}/*/b`, '2');
    metric(`${folder}/metrics/c`, '1 1 1\n2 2 2\n');
    if (meta !== null) file(`${folder}/meta.yaml`, meta);
    bad(`${folder}/meta.yaml`, reason, line);
  };
  without(10, '', /is empty/);
  without(11, 'run_id: [', /is no YAML/, 1);
  without(12, 'lifecycle_stage: active\n', /has no run_/);
  without(13, null, /is missing/);
  without(14, yaml({ run_id: id(99), experiment_id: `'${big}'` }), /belongs to run/);
  without(15, yaml({ run_id: id(15), experiment_id: "'7'" }), /belongs to a run of experiment 7/);
  without(16, yaml({ run_id: id(16), experiment_id: `'${big}'`, status: 77 }), /holds the status 77/);

  // ---------------------------------------------------------------- experiments
  experiment('1');
  run('1', id(20));
  value('params', `1/${id(20)}/*/a`, '1');
  file('1/meta.yaml', 'experiment_id: "1\nname: broken');
  bad('1/meta.yaml', /is no YAML/, 2);
  experiment('2', { name: 'of 18 digits' });
  run('2', id(21));
  experiment('no-number', { name: 'not a number' });
  run('no-number', id(22));
  // Artifacts, or what somebody put there: no experiment, and no word about it.
  file('notes.txt', 'hello');

  // ---------------------------------------------------------------- datasets, logged models, traces
  const links = id(30);
  run(big, links);
  count('inputs');
  file(
    `${big}/${links}/inputs/d1/meta.yaml`,
    yaml({ source_type: 'DATASET', source_id: 'gone', destination_id: links }),
  );
  bad(`${big}/${links}/inputs/d1/meta.yaml`, /names a dataset that is missing/);
  const model = `${big}/models/m-1`;
  count('logged_models');
  file(
    `${model}/meta.yaml`,
    yaml({ model_id: 'm-1', experiment_id: `'${big}'`, name: 'model', status: 2, artifact_location: '/a' }),
  );
  count('logged_model_metrics', 4);
  file(`${model}/metrics/loss`, `1 0.5 0 ${good}\n1 0.5 0 ${good}\n1 0.75 0 ${good}\n1 0.5 0 ${id(98)}\n`);
  bad(`${model}/metrics/loss`, /has a line of run .*, which is not there/);
  bad(`${model}/metrics/loss`, /has a line with another value/);
  count('logged_models');
  count('logged_model_params');
  file(`${big}/models/m-2/params/a`, '1');
  bad(`${big}/models/m-2/meta.yaml`, /is missing/);
  count('trace_info');
  count('trace_tags');
  file(`${big}/traces/tr-1/trace_info.yaml`, 'trace_id: tr-1\nstate: LOST\n');
  file(`${big}/traces/tr-1/tags/a`, '1');
  bad(`${big}/traces/tr-1/trace_info.yaml`, /./);

  // ---------------------------------------------------------------- the registry
  count('registered_models');
  file('models/model/meta.yaml', yaml({ name: 'model', creation_timestamp: 1 }));
  for (const [number, meta] of [
    [1, yaml({ name: 'model', version: 1, source: '/a' })],
    [3, ''],
    [7, yaml({ name: 'model', version: 7 })],
  ] as const) {
    count('model_versions');
    file(`models/model/version-${number}/meta.yaml`, meta);
  }
  bad('models/model/version-3/meta.yaml', /is empty/);
  count('registered_model_aliases', 2);
  file('models/model/aliases/good', '7');
  file('models/model/aliases/bad', 'latest');
  bad('models/model/aliases/bad', /holds "latest", which is no version/);

  return { wrong, records, repeated: { ...repeated, logged_model_metrics: 1 } };
}

const id = (n: number) => `a${String(n).padStart(31, '0')}`;

const yaml = (fields: Record<string, string | number>) =>
  Object.entries(fields)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('');
