/** Another program in the database: its own client, with a transaction that is open until it is told to end it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Server, TestDatabase } from './databases.js';

/** Shown by PostgreSQL to whoever asks who is there. */
export const PROGRAM = 'a notebook';

const CLIENTS = {
  sqlite: {
    command: 'sqlite3',
    args: (name: string) => ['-bail', name],
    begin: 'BEGIN IMMEDIATE',
    whoAmI: null,
  },
  postgresql: {
    command: 'psql',
    args: (name: string) => ['-h', '127.0.0.1', '-U', 'postgres', '-qAt', '-d', name],
    begin: 'BEGIN',
    whoAmI: 'SELECT pg_backend_pid()',
  },
  mysql: {
    command: 'mariadb',
    args: (name: string) => ['-h', '127.0.0.1', '-u', 'root', '-N', '-n', name],
    begin: 'START TRANSACTION',
    whoAmI: 'SELECT CONNECTION_ID()',
  },
} as const;

export interface OtherSession {
  /** As its database calls it: process, backend or thread. */
  readonly id: number;
  /** `COMMIT` or `ROLLBACK`, and away. */
  end(how: 'COMMIT' | 'ROLLBACK'): Promise<void>;
}

/** Opens a transaction, runs the statements in it, and leaves it open. */
export async function otherSession(
  { dialect }: Server,
  { name }: TestDatabase,
  ...statements: readonly string[]
): Promise<OtherSession> {
  const { command, args, begin, whoAmI } = CLIENTS[dialect];
  const child = spawn(command, args(name), {
    env: { ...process.env, PGAPPNAME: PROGRAM },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const DONE = 'statements done';
  const asked = [begin, ...statements, ...(whoAmI ? [whoAmI] : []), `SELECT '${DONE}'`];
  child.stdin.write(`${asked.join(';\n')};\n`);
  const said = await saidBy(child, DONE);
  return {
    id: whoAmI ? Number(/^\d+$/m.exec(said)?.[0]) : (child.pid ?? 0),
    end: async (how) => {
      if (child.exitCode !== null) return;
      const ended = once(child, 'close');
      child.stdin.end(`${how};\n`);
      await ended;
    },
  };
}

function saidBy(child: ChildProcess, last: string): Promise<string> {
  let said = '';
  return new Promise((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes(last)) resolve(said);
    });
    child.on('error', reject);
    child.on('close', () => reject(new Error(`the other session ended: ${said}`)));
  });
}
