/** Backups that are damaged, wrong or old: each is refused, and for the right reason. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Asked,
  changed,
  check,
  cut,
  edited,
  flipped,
  gzipped,
  mysqlDump,
  pgDump,
  sqliteDump,
  takenBackup,
  verdict,
  zstandard,
} from '../support/backups.js';
import { SERVERS, type Server, type TestDatabase } from '../support/databases.js';
import { insertRows } from '../support/rows.js';
import { query, run, upgradeTo } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';
import { inTemporaryFolder } from '../support/temporary.js';

/** The databases of a suite: the one that backups are checked against, and others. */
interface Databases {
  readonly source: TestDatabase;
  /** Another server's, with other runs. */
  readonly other: TestDatabase;
  /** A copy of the source that went on by itself. */
  readonly clone: TestDatabase;
}

interface Case {
  readonly what: string;
  readonly is: RegExp;
  readonly asked?: Asked;
  make(databases: Databases, folder: string): Promise<string> | string;
}

const bad = (what: string, is: RegExp, make: Case['make'], asked: Asked = {}): Case => ({ what, is, make, asked });

/** A parameter, of a plain name, that a run logged before it ended. */
async function endedParam(source: TestDatabase): Promise<{ name: string; id: string }> {
  const rows = await query<{ name: string; id: string }>(
    source,
    `SELECT p.key AS name, p.run_uuid AS id FROM params p JOIN runs r ON r.run_uuid = p.run_uuid
     WHERE r.status = 'FINISHED' AND r.end_time IS NOT NULL ORDER BY p.run_uuid, p.key`,
  );
  const row = rows.find(({ name }) => /^\w+$/.test(name));
  if (!row) throw new Error('no run that ended has a parameter');
  return row;
}

/** How much of a file is left when so much of it is cut away. */
const CUTS = [0.001, 0.1, 0.5, 0.9, 0.999];
const sizeOf = (path: string) => statSync(path).size;

/** What is the same of every format: a plain backup by the tool, of whichever database. */
type Dump = (database: TestDatabase, folder: string, ...args: string[]) => Promise<string>;

function packedCases(dump: Dump): Case[] {
  const packers = { gzip: gzipped, zstd: zstandard };
  return Object.entries(packers).flatMap(([name, pack]) => {
    const made = async ({ source }: Databases, folder: string) => pack(await dump(source, folder));
    return [
      bad(`${name}, cut off in the middle`, /^BACKUP_TRUNCATED: .* ends in the middle/, async (databases, folder) => {
        const path = await made(databases, folder);
        return changed(path, 'cut', cut(Math.floor(sizeOf(path) / 2)));
      }),
      bad(`${name}, without its last bytes`, /^BACKUP_TRUNCATED: .* ends in the middle/, async (databases, folder) => {
        const path = await made(databases, folder);
        return changed(path, 'cut', cut(sizeOf(path) - 3));
      }),
      // Where the byte is of a length, the file is too short for it.
      bad(`${name}, a byte changed`, /^BACKUP_(?:DAMAGED|TRUNCATED): /, async (databases, folder) => {
        const path = await made(databases, folder);
        return changed(path, 'flip', flipped(Math.floor(sizeOf(path) / 2)));
      }),
      bad(`${name}, with something behind its end`, /^BACKUP_DAMAGED: /, async (databases, folder) => {
        const path = await made(databases, folder);
        appendFileSync(path, 'something else');
        return path;
      }),
    ];
  });
}

/** Whatever the database. */
function commonCases(server: Server, dump: Dump): Case[] {
  const old = Date.now() / 1000 - 3 * 86_400;
  return [
    bad('nothing at all', /^BACKUP_UNKNOWN: .*ENOENT/, (_, folder) => join(folder, 'nowhere')),
    bad('an empty file', /^BACKUP_EMPTY: .* is empty/, (_, folder) => {
      writeFileSync(join(folder, 'empty'), '');
      return join(folder, 'empty');
    }),
    bad('an empty folder', /^BACKUP_EMPTY: .* is empty/, (_, folder) => {
      mkdirSync(join(folder, 'folder'));
      return join(folder, 'folder');
    }),
    bad('no backup at all', /^BACKUP_UNKNOWN: .* is no backup of a kind/, (_, folder) => {
      writeFileSync(join(folder, 'notes.txt'), 'these are my notes\n'.repeat(100));
      return join(folder, 'notes.txt');
    }),
    bad('of another database', /^BACKUP_OF_ANOTHER: (none of the runs|experiment \d+)/, ({ other }, folder) =>
      dump(other, folder),
    ),
    bad('of a copy that went on by itself', /^BACKUP_OF_ANOTHER: .*a copy of it that went on/, ({ clone }, folder) =>
      dump(clone, folder),
    ),
    bad(
      'from before the last upgrade',
      /^BACKUP_REVISION: .*acf3f17fdcc7.*bda7b8c39065/,
      async ({ source }, folder) => {
        const path = await dump(source, folder);
        return path;
      },
    ),
    bad(
      'older than is wanted',
      /^BACKUP_STALE: .*3 days ago/,
      async ({ source }, folder) => {
        const path = await dump(source, folder);
        if (server.dialect === 'mysql') {
          const then = new Date(old * 1000).toLocaleString('sv');
          return changed(path, 'old', edited(/Dump completed on [-\d]+ +[:\d]+/, `Dump completed on ${then}`));
        }
        utimesSync(path, old, old);
        return path;
      },
      { maxAge: 86_400_000 },
    ),
    bad('by mtrack, a byte changed', /^BACKUP_DAMAGED: .*SHA-256 is another one/, async ({ source }, folder) => {
      const path = await takenBackup(source, join(folder, 'backup'));
      writeFileSync(path, flipped(Math.floor(sizeOf(path) / 3), 1)(readFileSync(path)));
      return path;
    }),
    bad('by mtrack, cut off', /^BACKUP_TRUNCATED: .*bytes, and had/, async ({ source }, folder) => {
      const path = await takenBackup(source, join(folder, 'backup'));
      truncateSync(path, sizeOf(path) - 1);
      return path;
    }),
    bad(
      'by mtrack, its manifest edited',
      /^BACKUP_DAMAGED: .*manifest\.json was changed/,
      async ({ source }, folder) => {
        const path = await takenBackup(source, join(folder, 'backup'));
        const manifest = `${path}.manifest.json`;
        writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(/"runs": 31/, '"runs": 30'));
        return path;
      },
    ),
    bad('other than its .sha256 says', /^BACKUP_DAMAGED: .*sha256 says/, async ({ source }, folder) => {
      const path = await dump(source, folder);
      writeFileSync(`${path}.sha256`, `${'ab'.repeat(32)}  backup\n`);
      return path;
    }),
  ];
}

// ---------------------------------------------------------------- SQLite

const sqliteCopy: Dump = async (database, folder) => {
  const path = join(folder, 'backup');
  copyFileSync(database.name, path);
  return path;
};
const sqliteText: Dump = async (database, folder) => {
  const path = join(folder, 'backup.sql');
  await sqliteDump(database, path);
  return path;
};
const onCopy = async ({ source }: Databases, folder: string, ...statements: string[]) => {
  const path = await sqliteCopy(source, folder);
  execFileSync('sqlite3', [path, ...statements]);
  return path;
};

const SQLITE: readonly Case[] = [
  ...commonCases(SERVERS.sqlite, sqliteCopy),
  ...packedCases(sqliteCopy),
  ...CUTS.map((part) =>
    bad(`a file, cut to ${part}`, /^BACKUP_TRUNCATED: /, async ({ source }, folder) => {
      const path = await sqliteCopy(source, folder);
      return changed(path, 'cut', cut(Math.floor(sizeOf(path) * part)));
    }),
  ),
  ...[0.3, 0.6].map((part) =>
    bad(`a page of zeros at ${part}`, /^BACKUP_DAMAGED: .*(integrity check|malformed)/, async ({ source }, folder) => {
      const path = await sqliteCopy(source, folder);
      return changed(path, 'zeros', (content) => {
        const page = Math.floor((content.length * part) / 4096) * 4096;
        return Buffer.concat([content.subarray(0, page), Buffer.alloc(4096), content.subarray(page + 4096)]);
      });
    }),
  ),
  bad(
    'a row changed in its table, and not in its index',
    /^BACKUP_DAMAGED: .*integrity check/,
    async ({ source }, folder) => {
      const [row] = await query<{ id: string }>(source, 'SELECT MAX(run_uuid) AS id FROM runs');
      const path = await sqliteCopy(source, folder);
      return changed(path, 'flip', (content) => flipped(content.indexOf(row?.id ?? '') + 5, 1)(content));
    },
  ),
  bad('without a table', /^BACKUP_INCOMPLETE: .* has no table params/, (databases, folder) =>
    onCopy(databases, folder, 'DROP TABLE params'),
  ),
  bad('without any rows', /^BACKUP_EMPTY: .*without their rows/, async ({ source }, folder) => {
    const path = join(folder, 'backup');
    const schema = execFileSync('sqlite3', [source.name, '.schema']);
    execFileSync('sqlite3', [path], { input: `${schema};INSERT INTO alembic_version VALUES ('acf3f17fdcc7');` });
    return path;
  }),
  bad('with the tables of something else', /^BACKUP_EMPTY: .*no table of MLflow/, (_, folder) => {
    execFileSync('sqlite3', [join(folder, 'backup'), 'CREATE TABLE other (a); INSERT INTO other VALUES (1)']);
    return join(folder, 'backup');
  }),
  bad('without the rows of a table', /^BACKUP_INCOMPLETE: .* has no rows of metrics/, (databases, folder) =>
    onCopy(databases, folder, 'DELETE FROM metrics'),
  ),
  bad(
    'without a metric of a run that had ended',
    /^BACKUP_INCOMPLETE: 1 row of metrics/,
    (databases, folder) =>
      onCopy(
        databases,
        folder,
        "DELETE FROM metrics WHERE rowid = (SELECT MIN(m.rowid) FROM metrics m JOIN runs r ON r.run_uuid = m.run_uuid WHERE r.status = 'FINISHED' AND m.timestamp BETWEEN 1 AND r.end_time)",
      ),
    { restore: true },
  ),
  bad(
    'with another value of a parameter',
    /^BACKUP_DIFFERS: 1 row of params/,
    (databases, folder) =>
      onCopy(databases, folder, "UPDATE params SET value = value || 'x' WHERE rowid = (SELECT MIN(rowid) FROM params)"),
    { restore: true },
  ),
  bad(
    'without an index',
    /^BACKUP_DIFFERS: .*another schema/,
    (databases, folder) => onCopy(databases, folder, 'DROP INDEX index_params_run_uuid'),
    { restore: true },
  ),
  bad(
    'with another value of a tag, where nothing may have changed',
    /^BACKUP_DIFFERS: tags: 1 row changed/,
    (databases, folder) =>
      onCopy(databases, folder, "UPDATE tags SET value = value || 'x' WHERE rowid = (SELECT MIN(rowid) FROM tags)"),
    { restore: true, exact: true },
  ),
  bad(
    'older than its file, by a run that is not in it',
    /^BACKUP_STALE: .*by a run that began then/,
    async ({ source }, folder) => {
      const path = await sqliteCopy(source, folder);
      execFileSync('sqlite3', [
        path,
        'PRAGMA foreign_keys = OFF; DELETE FROM runs WHERE start_time = (SELECT MAX(start_time) FROM runs WHERE start_time < 1e13)',
      ]);
      return path;
    },
    { maxAge: 60_000 },
  ),
  bad(
    '.dump, cut off',
    /^BACKUP_TRUNCATED: .*ends in the middle|BACKUP_TRUNCATED: .*no last line/,
    async ({ source }, folder) => {
      const path = await sqliteText(source, folder);
      return changed(path, 'cut', cut(Math.floor(sizeOf(path) / 2)));
    },
  ),
  bad('.dump, without its last line', /^BACKUP_TRUNCATED: .*COMMIT/, async ({ source }, folder) => {
    const path = await sqliteText(source, folder);
    return changed(path, 'cut', cut(sizeOf(path) - 8));
  }),
  bad('.dump of a damaged database', /^BACKUP_DAMAGED: .*damaged database/, async ({ source }, folder) =>
    changed(await sqliteText(source, folder), 'rolled-back', edited(/COMMIT;\n$/, 'ROLLBACK; -- due to errors\n')),
  ),
  bad('.dump, a word changed', /^BACKUP_DAMAGED: /, async ({ source }, folder) =>
    changed(await sqliteText(source, folder), 'word', edited('INSERT INTO runs', 'INSEET INTO runs')),
  ),
  bad('.dump that writes elsewhere', /^BACKUP_DAMAGED: no statement of a dump: ATTACH/, async ({ source }, folder) =>
    changed(
      await sqliteText(source, folder),
      'attach',
      edited(/COMMIT;\n$/, "ATTACH '/tmp/mtrack-must-not-be' AS x;\nCOMMIT;\n"),
    ),
  ),
  bad('a dump of PostgreSQL', /^BACKUP_OF_ANOTHER: .*another kind of database/, (_, folder) => {
    const path = join(folder, 'other.sql');
    writeFileSync(path, `${POSTGRESQL_DUMP.padEnd(2000, '-- \n')}\n\n-- PostgreSQL database dump complete\n`);
    return path;
  }),
];

const POSTGRESQL_DUMP = `--
-- PostgreSQL database dump
--
SET client_encoding = 'UTF8';
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
COPY public.alembic_version (version_num) FROM stdin;
acf3f17fdcc7
\\.
`;

// ---------------------------------------------------------------- PostgreSQL

const pgText: Dump = async (database, folder, ...args) => {
  const path = join(folder, 'backup.sql');
  await pgDump(database, path, ...args);
  return path;
};
const pgArchive =
  (format: string): Dump =>
  async (database, folder, ...args) => {
    const path = join(folder, `backup.${format}`);
    await pgDump(database, path, `--format=${format}`, ...args);
    return path;
  };
const inText = (what: string, is: RegExp, change: (content: Buffer) => Buffer, asked: Asked = {}) =>
  bad(
    `plain, ${what}`,
    is,
    async ({ source }, folder) => changed(await pgText(source, folder), 'changed', change),
    asked,
  );
const inFolder = (what: string, is: RegExp, change: (folder: string, names: readonly string[]) => void) =>
  bad(`directory, ${what}`, is, async ({ source }, folder) => {
    const path = await pgArchive('directory')(source, folder);
    change(
      path,
      readdirSync(path)
        .filter((name) => name.endsWith('.dat.gz'))
        .sort((a, b) => sizeOf(join(path, b)) - sizeOf(join(path, a))),
    );
    return path;
  });

const POSTGRESQL: readonly Case[] = [
  ...commonCases(SERVERS.postgresql, pgText),
  ...packedCases(pgText),
  ...CUTS.map((part) =>
    bad(`plain, cut to ${part}`, /^BACKUP_TRUNCATED: /, async ({ source }, folder) => {
      const path = await pgText(source, folder);
      return changed(path, 'cut', cut(Math.floor(sizeOf(path) * part)));
    }),
  ),
  ...CUTS.map((part) =>
    bad(`custom, cut to ${part}`, /^BACKUP_TRUNCATED: /, async ({ source }, folder) => {
      const path = await pgArchive('custom')(source, folder);
      return changed(path, 'cut', cut(Math.floor(sizeOf(path) * part)));
    }),
  ),
  ...[0.3, 0.5, 0.99].map((part) =>
    bad(`tar, cut to ${part}`, /^BACKUP_TRUNCATED: /, async ({ source }, folder) => {
      const path = await pgArchive('tar')(source, folder);
      return changed(path, 'cut', cut(Math.floor((sizeOf(path) - 1024) * part)));
    }),
  ),
  bad(
    'custom, a byte of the rows changed',
    /^BACKUP_DAMAGED: .*(uncompress|data check|compressed)/,
    async ({ source }, folder) => {
      const path = await pgArchive('custom')(source, folder);
      return changed(path, 'flip', flipped(sizeOf(path) - 200));
    },
  ),
  bad('custom, its head changed', /^BACKUP_(DAMAGED|UNKNOWN): /, async ({ source }, folder) => {
    const path = await pgArchive('custom')(source, folder);
    return changed(path, 'flip', flipped(6));
  }),
  inFolder('cut off before its table of contents', /^BACKUP_TRUNCATED: .*no toc\.dat/, (path) =>
    rmSync(join(path, 'toc.dat')),
  ),
  inFolder('a file missing', /^BACKUP_TRUNCATED: /, (path, [largest = '']) => rmSync(join(path, largest))),
  inFolder('a file empty', /^BACKUP_TRUNCATED: .*nothing is in/, (path, [largest = '']) =>
    truncateSync(join(path, largest)),
  ),
  inFolder('a file cut off', /^BACKUP_TRUNCATED: |^BACKUP_DAMAGED: /, (path, [largest = '']) =>
    truncateSync(join(path, largest), 200),
  ),
  inFolder('a byte of a file changed', /^BACKUP_DAMAGED: /, (path, [largest = '']) => {
    writeFileSync(join(path, largest), flipped(300)(readFileSync(join(path, largest))));
  }),
  inFolder('its table of contents cut off', /^BACKUP_TRUNCATED: /, (path) => truncateSync(join(path, 'toc.dat'), 5000)),
  inText('the end written as zeros', /^BACKUP_DAMAGED: .*zero bytes/, (content) =>
    Buffer.concat([content.subarray(0, -4096), Buffer.alloc(4096)]),
  ),
  inText('a letter that is no UTF-8', /^BACKUP_DAMAGED: .*not UTF-8/, edited('\tplain\t', '\tpl\xe1in\t')),
  inText(
    'a word changed',
    /^BACKUP_DAMAGED: no statement/,
    edited('CREATE TABLE public.tags', 'CSEATE TABLE public.tags'),
  ),
  inText(
    'a value too few in a row',
    /^BACKUP_DAMAGED: a row of metrics has 5 values/,
    edited(/(COPY public\.metrics .*\n[^\t\n]+)\t([^\t\n]+)\t/, '$1$2\t'),
  ),
  inText('the rows of a table not ended', /^BACKUP_DAMAGED: a row of /, edited('\n\\.\n', '\n')),
  inText(
    'another metric in a row',
    /^BACKUP_DIFFERS: 1 row of metrics/,
    edited(/(COPY public\.metrics .*\n(?:.*\n){40}[^\t\n]+)(\t.*)/, '$1x$2'),
    { restore: true },
  ),
  inText(
    'another value of a parameter',
    /^BACKUP_DIFFERS: 1 row of params/,
    edited(/(COPY public\.params .*\n[^\t\n]+\t)/, '$1x'),
    { restore: true },
  ),
  bad(
    'plain, without a row of a run that had ended',
    /^BACKUP_INCOMPLETE: 1 row of params/,
    async ({ source }, folder) => {
      const { name, id } = await endedParam(source);
      return changed(await pgText(source, folder), 'less', edited(new RegExp(`^${name}\t.*\t${id}\n`, 'm'), ''));
    },
    { restore: true },
  ),
  inText(
    'without an index',
    /^BACKUP_DIFFERS: .*another schema/,
    edited(/CREATE INDEX index_params_run_uuid .*\n/, ''),
    { restore: true },
  ),
  inText('a broken statement', /^RESTORE_FAILED: /, edited('PRIMARY KEY (run_uuid)', 'PRIMARY KEY (run_uuix)'), {
    restore: true,
  }),
  inText(
    'with a command for psql',
    /^BACKUP_DAMAGED: a command for psql/,
    edited('\nSET client_encoding', '\n\\! touch /tmp/mtrack-must-not-be\nSET client_encoding'),
    { restore: true },
  ),
  inText(
    'with a command inside a statement',
    /^BACKUP_DAMAGED: a backslash/,
    edited('CREATE TABLE public.tags (', 'CREATE TABLE public.tags ( \\! touch /tmp/mtrack-must-not-be\n'),
  ),
  inText(
    'with a statement of no dump',
    /^BACKUP_DAMAGED: a statement that no dump/,
    edited(
      '\nSET client_encoding',
      "\nCOPY (SELECT 1) TO PROGRAM 'touch /tmp/mtrack-must-not-be';\nSET client_encoding",
    ),
    { restore: true },
  ),
  bad('without a table', /^BACKUP_INCOMPLETE: .* has no table tags/, ({ source }, folder) =>
    pgText(source, folder, '--exclude-table=tags'),
  ),
  bad('without the rows of a table', /^BACKUP_INCOMPLETE: .* has no rows of metrics/, ({ source }, folder) =>
    pgArchive('custom')(source, folder, '--exclude-table-data=metrics'),
  ),
  bad('the schema only', /^BACKUP_EMPTY: .*without their rows/, ({ source }, folder) =>
    pgArchive('custom')(source, folder, '--schema-only'),
  ),
  bad('of pg_dumpall', /^BACKUP_UNKNOWN: .*pg_dumpall/, (_, folder) => {
    const path = join(folder, 'all.sql');
    execFileSync('pg_dumpall', ['-h', '127.0.0.1', '-U', 'postgres', '--globals-only', `--file=${path}`]);
    return path;
  }),
  bad(
    'by mtrack, of a copy with the same rows',
    /^BACKUP_OF_ANOTHER: .*whose database was \d+/,
    async ({ source }, folder) => {
      const twin = await SERVERS.postgresql.copy(source);
      return takenBackup(twin, join(folder, 'backup')).finally(() => twin.drop());
    },
  ),
  bad('by mtrack, a directory with a file missing', /^BACKUP_TRUNCATED: .*is not there/, async ({ source }, folder) => {
    const path = await takenBackup(source, join(folder, 'backup'), 'directory');
    rmSync(join(path, readdirSync(path).find((name) => name.endsWith('.gz')) ?? ''));
    return path;
  }),
  bad(
    'by mtrack, a directory with a file more',
    /^BACKUP_DAMAGED: .*not written with it/,
    async ({ source }, folder) => {
      const path = await takenBackup(source, join(folder, 'backup'), 'directory');
      cpSync(join(path, 'toc.dat'), join(path, 'toc.copy'));
      return path;
    },
  ),
];

// ---------------------------------------------------------------- MariaDB

const myText: Dump = async (database, folder, ...args) => {
  const path = join(folder, 'backup.sql');
  await mysqlDump(database, path, ...args);
  return path;
};
const inDump = (what: string, is: RegExp, change: (content: Buffer) => Buffer, asked: Asked = {}) =>
  bad(what, is, async ({ source }, folder) => changed(await myText(source, folder), 'changed', change), asked);

const MYSQL: readonly Case[] = [
  ...commonCases(SERVERS.mysql, myText),
  ...packedCases(myText),
  ...CUTS.map((part) =>
    bad(`cut to ${part}`, /^BACKUP_TRUNCATED: /, async ({ source }, folder) => {
      const path = await myText(source, folder);
      return changed(path, 'cut', cut(Math.floor(sizeOf(path) * part)));
    }),
  ),
  inDump('the end written as zeros', /^BACKUP_DAMAGED: .*zero bytes/, (content) =>
    Buffer.concat([content.subarray(0, -4096), Buffer.alloc(4096)]),
  ),
  inDump('a word changed', /^BACKUP_DAMAGED: no statement/, edited('INSERT INTO `tags`', 'INSEST INTO `tags`')),
  inDump(
    'a value too few in a row',
    /^BACKUP_DAMAGED: a row of \d+ values/,
    edited(/(INSERT INTO `metrics` VALUES\s*\('[^']*'),[^,]*/, '$1'),
  ),
  inDump(
    'a bracket changed',
    /^BACKUP_DAMAGED: an INSERT is broken/,
    edited(/(INSERT INTO `metrics` VALUES\s*)\(/, '$1['),
  ),
  inDump(
    'without the table of some rows',
    /^BACKUP_DAMAGED: rows of tags, and no CREATE TABLE/,
    edited(/CREATE TABLE `tags`[^;]*;/, ''),
  ),
  inDump(
    'another value of a parameter',
    /^BACKUP_DIFFERS: 1 row of params/,
    edited(/(INSERT INTO `params` VALUES\s*\('[^']*',')/, '$1x'),
    { restore: true },
  ),
  inDump(
    'another metric in a row',
    /^BACKUP_DIFFERS: 1 row of metrics/,
    edited(/(INSERT INTO `metrics` VALUES\s*(?:\(.*\),\s*){40}\(')/, '$1x'),
    { restore: true },
  ),
  bad(
    'without a row of a run that had ended',
    /^BACKUP_INCOMPLETE: 1 row of params/,
    async ({ source }, folder) => {
      const { name, id } = await endedParam(source);
      const row = new RegExp(`\\('${name}','[^']*','${id}'\\),\\s?`);
      return changed(await myText(source, folder), 'less', edited(row, ''));
    },
    { restore: true },
  ),
  inDump('a broken statement', /^RESTORE_FAILED: /, edited('PRIMARY KEY (`run_uuid`)', 'PRIMARY KEY (`run_uuix`)'), {
    restore: true,
  }),
  inDump(
    'with a command for the client',
    /^BACKUP_DAMAGED: a backslash/,
    edited('\nCREATE TABLE `tags` (', '\nCREATE TABLE `tags` ( \\! touch /tmp/mtrack-must-not-be\n'),
  ),
  inDump(
    'with rows for another database',
    /^BACKUP_DAMAGED: a statement that no dump of one database/,
    edited('INSERT INTO `tags` VALUES', 'INSERT INTO `elsewhere`.`tags` VALUES'),
    { restore: true },
  ),
  inDump(
    'with a statement of no dump',
    /^BACKUP_DAMAGED: no statement of a dump: GRANT/,
    edited('\nUNLOCK TABLES', '\nGRANT ALL ON *.* TO nobody;\nUNLOCK TABLES'),
  ),
  bad('without a table', /^BACKUP_INCOMPLETE: .* has no table tags/, ({ source }, folder) =>
    myText(source, folder, `--ignore-table=${source.name}.tags`),
  ),
  bad('without the rows of a table', /^BACKUP_INCOMPLETE: .* has no rows of metrics/, ({ source }, folder) =>
    myText(source, folder, `--ignore-table-data=${source.name}.metrics`),
  ),
  bad('without data', /^BACKUP_EMPTY: .*without their rows/, ({ source }, folder) =>
    myText(source, folder, '--no-data'),
  ),
  bad(
    'with no end by which it could be told whether it is whole',
    /^BACKUP_TRUNCATED: .*--compact/,
    ({ source }, folder) => myText(source, folder, '--compact'),
  ),
  bad('of several databases', /^BACKUP_UNKNOWN: .*several databases/, ({ source, other }, folder) =>
    myText(source, folder, '--databases', other.name),
  ),
  bad(
    'by mtrack, of a copy with the same rows',
    /^BACKUP_OF_ANOTHER: .*whose database was mtrack_test_/,
    async ({ source }, folder) => {
      const twin = await SERVERS.mysql.copy(source);
      return takenBackup(twin, join(folder, 'backup')).finally(() => twin.drop());
    },
  ),
];

// ----------------------------------------------------------------

const CASES = { sqlite: SQLITE, postgresql: POSTGRESQL, mysql: MYSQL };

await forEachDialect('backups that are refused', (server) => {
  let databases: Databases;
  let upgraded: TestDatabase;

  beforeAll(async () => {
    const source = await server.load('2.9.2');
    const clone = await server.copy(source);
    await insertRows(clone, {
      runs: Array.from({ length: 20 }, (_, i) => ({
        run_uuid: `c10e${String(i).padStart(28, '0')}`,
        status: 'FINISHED',
        start_time: 4_000_000_000_000 + i,
        lifecycle_stage: 'active',
        experiment_id: 0,
      })),
    });
    // The same release, with other runs and experiments.
    const other = await server.copy(source);
    await run(other, 'UPDATE experiments SET creation_time = creation_time + 1');
    databases = { source, clone, other };
    upgraded = await server.copy(source);
    await upgradeTo(upgraded, 'bda7b8c39065');
  }, 300_000);
  afterAll(async () => {
    for (const each of [...Object.values(databases), upgraded]) await each.drop();
  });

  test.each(CASES[server.dialect])('$what', async ({ what, is, make, asked }) => {
    await inTemporaryFolder(async (folder) => {
      const path = await make(databases, folder);
      const against = /last upgrade/.test(what) ? upgraded : databases.source;
      expect(await verdict(path, against, asked)).toMatch(is);
      expect(existsSync('/tmp/mtrack-must-not-be')).toBe(false);
    });
  });

  test('and a good one beside them is not', async () => {
    await inTemporaryFolder(async (folder) => {
      const path = await takenBackup(databases.source, join(folder, 'backup'));
      expect((await check(path, databases.source, { maxAge: 3_600_000 })).verdict.notes).toEqual([]);
    });
  });
});
