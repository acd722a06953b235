/** A store of files with what the databases are filled with. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface History {
  readonly run: string;
  readonly key: string;
  readonly points: number;
}

export function fillFiles(store: string, runs: number, experiments: number, histories: readonly History[]): void {
  mkdirSync(join(store, '.trash'), { recursive: true });
  for (let id = 0; id <= experiments; id++) {
    mkdirSync(join(store, String(id), 'tags'), { recursive: true });
    const name = id === 0 ? 'Default' : `experiment ${id}`;
    const times = { creation_time: 1, last_update_time: id };
    write(join(store, String(id), 'meta.yaml'), {
      ...{
        artifact_location: `s3://bucket/${id}`,
        experiment_id: `'${id}'`,
        lifecycle_stage: 'active',
        name,
        ...times,
      },
    });
    writeFileSync(join(store, String(id), 'tags', 'team'), 'a');
  }
  for (let i = 0; i < runs; i++) makeRun(store, i);
  for (const { run, key, points } of histories) {
    const lines = Array.from(
      { length: points },
      (_, n) => `${1_700_000_000_000 + n} ${((n * 7919) % 10007) / 10007} ${n}\n`,
    );
    writeFileSync(join(store, '0', run, 'metrics', key), lines.join(''));
  }
}

function makeRun(store: string, i: number): void {
  const id = String(i).padStart(32, '0');
  const folder = join(store, '0', id);
  for (const name of ['metrics', 'params', 'tags', 'artifacts']) mkdirSync(join(folder, name), { recursive: true });
  const start = 1_700_000_000_000 + ((i * 7919) % 1_000_003);
  write(join(folder, 'meta.yaml'), {
    artifact_uri: `s3://bucket/0/${id}`,
    end_time: 'null',
    entry_point_name: "''",
    experiment_id: "'0'",
    lifecycle_stage: 'active',
    run_id: `'${id}'`,
    run_name: 'run',
    run_uuid: `'${id}'`,
    source_name: "''",
    source_type: 4,
    source_version: "''",
    start_time: start,
    status: 3,
    tags: '[]',
    user_id: 'me',
  });
  for (const at of [0, 1, 2, 3]) {
    writeFileSync(join(folder, 'metrics', `m${at}`), `1700000000000 ${((i * (7919 + at)) % 10007) / 10007} 9\n`);
    writeFileSync(join(folder, 'params', `p${at}`), `v${i % 10 ** (at + 1)}`);
    writeFileSync(join(folder, 'tags', `t${at}`), `v${i % 10 ** (at + 1)}`);
  }
}

function write(path: string, fields: object): void {
  writeFileSync(
    path,
    Object.entries(fields)
      .map(([key, value]) => `${key}: ${value}\n`)
      .join(''),
  );
}
