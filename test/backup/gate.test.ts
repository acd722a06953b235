/** From a backup to a gated upgrade: what passes, and that no link of the chain can be another one. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Sealed, sealed } from '../../src/backup/canonical.js';
import { type GateOptions, passGate } from '../../src/backup/gate.js';
import { type Receipt, readReceipt } from '../../src/backup/receipt.js';
import { writeWhole } from '../../src/backup/take.js';
import { MtrackError } from '../../src/errors.js';
import { HEAD } from '../../src/schema/lineage.js';
import { assess } from '../../src/upgrade/assess.js';
import { stepsOf } from '../../src/upgrade/cost.js';
import { check, flipped, takenBackup } from '../support/backups.js';
import { opened, type TestDatabase } from '../support/databases.js';
import { insertRows } from '../support/rows.js';
import { query, upgradeTo } from '../support/state.js';
import { forEachDialect } from '../support/suites.js';
import { fingerprint } from '../support/untouched.js';

const TARGET = 'bda7b8c39065';
const quiet = { signal: new AbortController().signal, onProgress: () => undefined };

async function planHash(database: TestDatabase, target = TARGET): Promise<string> {
  const db = await opened(database);
  const session = await db.reader(10_000);
  const assessment = await assess(db, target, session).finally(() => session.close());
  return assessment?.plan.hash ?? 'none';
}

await forEachDialect('the gate', (server) => {
  let database: TestDatabase;
  let folder: string;
  let backup: string;
  let receipt: string;
  let hash: string;
  let untouched: string;

  beforeAll(async () => {
    database = await server.load('2.9.2');
    hash = await planHash(database);
    untouched = await fingerprint(server, database);
    folder = mkdtempSync(join(tmpdir(), 'mtrack-test-'));
    backup = await takenBackup(database, join(folder, 'backup'));
    const checked = await check(backup, database, { rehearseTo: TARGET, restore: true, exact: true });
    receipt = `${backup}.receipt.json`;
    await writeWhole(receipt, checked.receipt);
  }, 300_000);
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await database.drop();
  });

  const pass = async (asked: Partial<GateOptions> = {}, on = database) =>
    passGate(await opened(on), {
      ...quiet,
      path: receipt,
      maxAge: null,
      rehearsed: true,
      planHash: hash,
      patience: 10_000,
      now: Date.now(),
      ...asked,
    });

  /** Why it does not open. */
  async function refusal(asked: Partial<GateOptions> = {}, on = database): Promise<string> {
    try {
      await pass(asked, on);
      return 'passed';
    } catch (error) {
      if (error instanceof MtrackError) return `${error.code} ${error.exit}: ${error.failure.found}`;
      throw error;
    }
  }

  /** The receipt with something else in it: sealed again, as by a forger who does not forge all of it. */
  async function forged(change: (receipt: Receipt) => Receipt): Promise<string> {
    const { hash: _, ...body } = readReceipt(receipt);
    const path = join(folder, 'forged.receipt.json');
    const document: Sealed<Receipt> = sealed(change(body));
    await writeWhole(path, document);
    return path;
  }

  test('opens for the receipt of this backup, by its own name, by that of the backup, and by the folder', async () => {
    for (const path of [receipt, backup, folder]) {
      const passed = await pass({ path, maxAge: 3_600_000 });
      expect(passed.path).toBe(receipt);
      expect(passed.lacks).toEqual({});
    }
  });

  test('the rehearsal was of this plan, and has a time for each of its steps', async () => {
    const { rehearsal, restored, source } = readReceipt(receipt);
    const db = await opened(database);
    const session = await db.reader(10_000);
    const assessment = await assess(db, TARGET, session).finally(() => session.close());
    const steps = assessment ? stepsOf(assessment.plan) : [];
    expect(rehearsal).toMatchObject({ from: 'acf3f17fdcc7', to: TARGET, planHash: hash });
    expect(rehearsal?.steps.map(({ revision, title }) => [revision, title])).toEqual(
      steps.map(({ at, title }) => [at, title]),
    );
    expect(rehearsal?.seconds).toBeGreaterThan(0);
    expect(source).toMatchObject({ dialect: db.dialect.name, revision: 'acf3f17fdcc7' });
    expect(Object.keys(source.identity.facts)).not.toEqual([]);
    expect(restored?.tables.length).toBeGreaterThan(15);
  });

  describe('stays shut', () => {
    test('for a receipt that was edited', async () => {
      const path = join(folder, 'edited.json');
      for (const [from, to] of [
        ['"runs": 31', '"runs": 32'],
        [hash, hash.replace(/./, (first) => (first === 'a' ? 'b' : 'a'))],
      ] as const) {
        const text = readFileSync(receipt, 'utf8');
        expect(text).toContain(from);
        writeFileSync(path, text.replace(from, to));
        expect(await refusal({ path })).toMatch(/^GATE_REFUSED 38: .*was changed after it was written/);
      }
      writeFileSync(path, '{}');
      expect(await refusal({ path })).toMatch(/^GATE_REFUSED 38: .*is not "mtrack receipt"/);
      writeFileSync(path, 'no json');
      expect(await refusal({ path })).toMatch(/^GATE_REFUSED 38: /);
      expect(await refusal({ path: join(folder, 'nowhere') })).toMatch(/^GATE_REFUSED 38: .*is not there/);
    });

    test('for a backup that was changed, or is gone, since', async () => {
      const bytes = readFileSync(backup);
      writeFileSync(backup, flipped(Math.floor(bytes.length / 2), 1)(bytes));
      expect(await refusal()).toMatch(/^GATE_REFUSED 38: .*was changed since it was checked/);
      renameSync(backup, `${backup}.away`);
      expect(await refusal()).toMatch(/^GATE_REFUSED 38: .*is not there/);
      rmSync(`${backup}.away`);
      writeFileSync(backup, bytes);
      expect(await refusal()).toBe('passed');
    });

    test('for another database, be it a copy of this one with the same rows', async () => {
      const twin = await server.copy(database);
      try {
        expect(await planHash(twin)).toBe(hash);
        expect(await refusal({}, twin)).toMatch(/^GATE_REFUSED 38: .*whose (database|file|server) was/);
      } finally {
        await twin.drop();
      }
      const path = await forged((body) => ({
        ...body,
        source: {
          ...body.source,
          identity: { ...body.source.identity, facts: { database: 'another', file: 'another' } },
        },
      }));
      expect(await refusal({ path })).toMatch(/^GATE_REFUSED 38: .*was another/);
      const ofOthers = await forged((body) => {
        const content = { ...body.backup.content, runs: ['f'.repeat(32)], newestRuns: [] };
        return { ...body, backup: { ...body.backup, content } };
      });
      expect(await refusal({ path: ofOthers })).toMatch(/^GATE_REFUSED 38: none of the runs/);
    });

    test('for another plan than was rehearsed, and for none', async () => {
      expect(await refusal({ planHash: await planHash(database, HEAD) })).toMatch(
        /^GATE_REFUSED 38: the upgrade to bda7b8c39065 that was rehearsed .*is another one/,
      );
      const path = await forged((body) => ({ ...body, rehearsal: null }));
      expect(await refusal({ path })).toMatch(/^GATE_REFUSED 38: .*no upgrade was rehearsed/);
      expect(await refusal({ path, rehearsed: false })).toBe('passed');
    });

    test('for a backup that was never restored', async () => {
      const path = await forged((body) => ({ ...body, restored: null }));
      expect(await refusal({ path, rehearsed: false })).toMatch(/^GATE_REFUSED 38: .*read, and not restored/);
    });

    test('for a backup that is too old', async () => {
      expect(await refusal({ maxAge: 60_000, now: Date.now() + 3_600_000 })).toMatch(/^BACKUP_STALE 36: .*60 min ago/);
    });

    test('for a folder whose newest receipt is of something else', async () => {
      const other = join(folder, 'others');
      mkdirSync(other);
      copyFileSync(receipt, join(other, 'a.receipt.json'));
      expect(await refusal({ path: other })).toMatch(/^GATE_REFUSED 38: .*is not there/);
      rmSync(join(other, 'a.receipt.json'));
      expect(await refusal({ path: other })).toMatch(/^GATE_REFUSED 38: there is no receipt/);
    });
  });

  test('none of that wrote to the database', async () => {
    expect(await fingerprint(server, database)).toBe(untouched);
  });

  test('rows that came since do not shut it, and are told; an upgrade does', async () => {
    const [row] = await query<{ id: string }>(database, 'SELECT MIN(run_uuid) AS id FROM runs');
    await insertRows(database, { tags: [{ key: 'since', value: 'v', run_uuid: row?.id ?? '' }] });
    expect((await pass()).lacks).toEqual({ tags: 1 });
    await upgradeTo(database, TARGET);
    expect(await refusal({ rehearsed: false })).toMatch(/^GATE_REFUSED 38: .*at revision acf3f17fdcc7/);
  });
});
