/** A file that is broken is not upgraded: what a broken index or page hides would be left out of a copy of its table. */
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { mtrack } from '../../support/cli.js';
import { SERVERS, withDatabase } from '../../support/databases.js';
import { upgradeArgs } from '../../support/kill.js';

/** Takes the last entry out of the first page of an index, as a write that was lost would. */
function loseAnEntry(file: string, index: string): void {
  const database = new DatabaseSync(file, { readOnly: true });
  const { page_size } = database.prepare('PRAGMA page_size').get() as { page_size: number };
  const { rootpage } = database.prepare('SELECT rootpage FROM sqlite_master WHERE name = ?').get(index) as {
    rootpage: number;
  };
  database.close();
  const bytes = readFileSync(file);
  // https://www.sqlite.org/fileformat.html#b_tree_pages: the number of cells is two bytes at offset 3 of a page.
  const at = (rootpage - 1) * page_size + 3;
  bytes.writeUInt16BE(bytes.readUInt16BE(at) - 1, at);
  writeFileSync(file, bytes);
}

test('an index that lacks rows: the upgrade is refused with what SQLite finds, and the file stays as it is', async () => {
  await withDatabase(
    () => SERVERS.sqlite.load('2.9.2'),
    async (database) => {
      loseAnEntry(database.name, 'sqlite_autoindex_tags_1');
      const before = readFileSync(database.name);
      for (const args of [upgradeArgs(database.uri), ['db', 'upgrade', database.uri, '--dry-run']]) {
        const { code, stdout, stderr } = await mtrack(args);
        expect(code).toBe(8);
        expect(stdout + stderr).toMatch(/missing from index sqlite_autoindex_tags_1/);
        expect(stdout + stderr).toMatch(/sqlite3 \S+ "VACUUM INTO 'whole\.db'" && sqlite3 whole\.db REINDEX/);
        expect(readFileSync(database.name).equals(before)).toBe(true);
      }
      // What is proposed helps.
      const whole = `${database.name}.whole`;
      const reader = new DatabaseSync(database.name);
      reader.exec(`VACUUM INTO '${whole}'`);
      reader.close();
      const writer = new DatabaseSync(whole);
      writer.exec('REINDEX');
      writer.close();
      const { code, stderr } = await mtrack(upgradeArgs(`sqlite:///${whole}`));
      expect({ code, stderr }).toMatchObject({ code: 0 });
    },
  );
});

test('a file that was cut off: said to be broken, not to be out of reach', async () => {
  await withDatabase(
    () => SERVERS.sqlite.load('2.9.2'),
    async (database) => {
      truncateSync(database.name, 100_000);
      for (const args of [upgradeArgs(database.uri), ['db', 'status', database.uri]]) {
        const { code, stderr } = await mtrack(args);
        expect(code).toBe(46);
        expect(stderr).toMatch(/^Error DATABASE_DAMAGED: /);
        expect(stderr).toContain('restore a backup');
        expect(stderr).not.toMatch(/^\s+at /m);
      }
    },
  );
});
