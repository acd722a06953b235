/** What is said to a SQL Server when a backup is taken, by the real driver to a server of the protocol. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openBackup } from '../../../src/dialect/index.js';
import { QUERIES } from '../../../src/dialect/mssql/backups.js';
import { open } from '../../support/mssql/open.js';
import { FakeServer } from '../../support/mssql/server.js';
import type { Answer, TdsRequest } from '../../support/mssql/tds.js';
import { inTemporaryFolder } from '../../support/temporary.js';

const GUID = '5F1B2C3D-0000-4000-8000-0123456789AB';
const quiet = { signal: new AbortController().signal, onProgress: () => undefined };
const PATH = "D:\\Backups\\ml'flow.bak";

/** A server that takes a backup, unless it is told to fail. */
function answering(statements: string[], fails?: string) {
  return (request: TdsRequest): Answer | null => {
    const text = 'sql' in request ? request.sql : '';
    if (text === QUERIES.identity) return { rows: [{ guid: GUID, family: GUID }] };
    if (text === QUERIES.version) return { rows: [{ version: '16.0.4105.2' }] };
    if (text === QUERIES.progress) return { rows: [{ done: 40 }] };
    if (text === QUERIES.exists(PATH)) return { rows: [{ there: fails === 'EXISTS' ? 1 : 0 }] };
    if (!/^(BACKUP|RESTORE)/.test(text)) return null;
    statements.push(text);
    if (fails !== undefined && text.startsWith(fails))
      return {
        errors: [{ number: 3201, message: 'Cannot open backup device. Operating system error 5(Access is denied.).' }],
      };
    return { changed: 0 };
  };
}

test('the database with checksums, beside the chain of other backups, and verified by the server', async () => {
  const statements: string[] = [];
  await FakeServer.with({ instead: answering(statements) }, async (tds) => {
    const database = await open(tds.uri({ database: 'ml]flow' }));
    const backups = await database.backups();
    expect(backups).toMatchObject({ writesHere: false, formats: [{ name: 'bak', extension: '.bak' }] });
    const session = await database.reader(1000);
    expect(await backups.identify(session).finally(() => session.close())).toEqual({
      facts: { database: GUID.toLowerCase(), family: GUID.toLowerCase() },
      firm: true,
    });
    const origin = await backups.take({ ...quiet, path: PATH, format: 'bak', jobs: 1 });
    expect(origin).toMatchObject({ server: '16.0.4105.2', tool: 'SQL Server 16.0.4105.2 BACKUP DATABASE' });
  });
  const device = "N'D:\\Backups\\ml''flow.bak'";
  expect(statements).toEqual([
    expect.stringMatching(/^BACKUP DATABASE \[.*\] TO DISK = /),
    `RESTORE VERIFYONLY FROM DISK = ${device} WITH CHECKSUM`,
  ]);
  expect(statements[0]).toContain(`TO DISK = ${device} WITH CHECKSUM, COPY_ONLY, INIT`);
});

test('what the server says against it is the reason', async () => {
  for (const fails of ['BACKUP', 'RESTORE']) {
    await FakeServer.with({ instead: answering([], fails) }, async (tds) => {
      const backups = await (await open(tds.uri())).backups();
      await expect(backups.take({ ...quiet, path: PATH, format: 'bak', jobs: 1 })).rejects.toMatchObject({
        code: 'BACKUP_FAILED',
        failure: { found: expect.stringContaining('Access is denied') },
      });
      await expect(backups.createScratch()).rejects.toMatchObject({ code: 'RESTORE_FAILED' });
    });
  }
});

test('what is there already is not overwritten', async () => {
  const statements: string[] = [];
  await FakeServer.with({ instead: answering(statements, 'EXISTS') }, async (tds) => {
    const backups = await (await open(tds.uri())).backups();
    await expect(backups.take({ ...quiet, path: PATH, format: 'bak', jobs: 1 })).rejects.toMatchObject({
      code: 'BACKUP_FAILED',
      failure: { found: expect.stringContaining('is there already') },
    });
  });
  expect(statements).toEqual([]);
});

test('a .bak is known for what it is, and not judged', async () => {
  await inTemporaryFolder(async (folder) => {
    for (const magic of ['TAPE', 'MSSQLBAK']) {
      const path = join(folder, `${magic}.bak`);
      writeFileSync(path, Buffer.concat([Buffer.from(magic), Buffer.alloc(8192, 1)]));
      const { dialect, format, reader, file } = await openBackup(path);
      expect([dialect, format]).toEqual(['mssql', 'bak']);
      const sink = { table: () => null, row: () => undefined, rows: () => undefined };
      await expect(reader.read(file, format, sink, { ...quiet, environment: {} })).rejects.toMatchObject({
        code: 'BACKUP_UNKNOWN',
        failure: { fix: expect.arrayContaining([expect.stringContaining('RESTORE VERIFYONLY FROM DISK')]) },
      });
    }
  });
});
