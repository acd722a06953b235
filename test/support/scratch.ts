/** The databases that are made for a restored backup, or to try something, and are to be dropped. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Server } from './databases.js';

const exec = promisify(execFile);

/** Scratch databases that are there now. Other tests have theirs at the same time: those are not left over. @param folder where those of SQLite are */
export async function scratchOf({ dialect }: Server, folder: string, { inUse = false } = {}): Promise<string[]> {
  switch (dialect) {
    case 'sqlite':
      return readdirSync(folder).filter((name) => name.startsWith('mtrack_scratch_'));
    case 'postgresql': {
      const psql = async (sql: string) =>
        (await exec('psql', ['-h', '127.0.0.1', '-U', 'postgres', '-Atc', sql])).stdout.split('\n').filter(Boolean);
      const names = await psql("SELECT datname FROM pg_database WHERE datname LIKE 'mtrack\\_scratch\\_%'");
      const held = await psql("SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND classid = x'6d7453'::int");
      const lockOf = (name: string) => createHash('sha256').update(name).digest().readUInt32BE(0);
      return names.filter((name) => inUse || !held.includes(String(lockOf(name))));
    }
    case 'mysql': {
      const sql = `SELECT SCHEMA_NAME FROM information_schema.SCHEMATA
        WHERE LEFT(SCHEMA_NAME, 15) = 'mtrack_scratch_' ${inUse ? '' : 'AND IS_FREE_LOCK(SCHEMA_NAME)'}`;
      const { stdout } = await exec('mariadb', ['-h', '127.0.0.1', '-u', 'root', '-Ne', sql]);
      return stdout.split('\n').filter((line) => line !== '');
    }
  }
}
