/** From samples to the whole: what a step takes, and what is said where it is not known. */
import { describe, expect, test } from 'vitest';
import type { TableStats } from '../../src/dialect/dialect.js';
import { offlineDialect } from '../../src/dialect/index.js';
import { scaled, type Trial } from '../../src/probe/scale.js';
import { BASE, HEAD } from '../../src/schema/lineage.js';
import { blockedTables, refuseBlocked, whyUnknown } from '../../src/upgrade/blocked.js';
import { costsOf, stepsOf, workedThrough } from '../../src/upgrade/cost.js';
import type { Step } from '../../src/upgrade/plan.js';
import { planOffline } from '../../src/upgrade/script.js';
import { named } from '../../src/upgrade/watch.js';

const statsOf = (rows: Readonly<Record<string, number>>, bytesPerRow = 300) =>
  new Map(
    Object.entries(rows).map(([table, n]): [string, TableStats] => [
      table,
      { rows: n, exact: true, bytes: n * bytesPerRow },
    ]),
  );

const LARGE = { experiments: 10, runs: 20_000, metrics: 2_000_000, params: 200_000, tags: 100_000 };
const SMALL = { experiments: 3, runs: 20, metrics: 200, params: 60, tags: 40 };

const wholeOf = (memory: number) => ({
  rows: new Map(Object.entries(LARGE)),
  bytes: new Map([...statsOf(LARGE)].map(([table, { bytes }]) => [table, bytes])),
  memory,
});
const PLENTY = 2 ** 40;

/** A sample on which each step took what `seconds` says for so many rows of the largest of its tables. */
function trial(share: number, steps: readonly Step[], seconds: (rows: number) => number): Trial {
  const rows = new Map(Object.entries(LARGE).map(([table, n]) => [table, Math.ceil(n * share)]));
  const times = [...named(steps)].map(([step, name]) => {
    const most = Math.max(0, ...workedThrough(step).map((table) => rows.get(table) ?? 0));
    return [name, seconds(most)] as const;
  });
  return { rows, steps: new Map(times), rest: seconds(rows.get('metrics') ?? 0) };
}

describe.each(['sqlite', 'postgresql', 'mariadb', 'mysql'])('%s', (scheme) => {
  const plan = async (from = BASE, to = HEAD) => {
    const dialect = await offlineDialect(scheme);
    return { dialect, plan: planOffline(from, to, dialect) };
  };

  test('time in proportion to the rows stays so, and what does not grow is not multiplied', async () => {
    const { plan: whole } = await plan();
    const steps = stepsOf(whole);
    const linear = (rows: number) => 0.05 + rows / 100_000;
    const measured = scaled(whole, wholeOf(PLENTY), [trial(1 / 80, steps, linear), trial(1 / 20, steps, linear)]);
    expect(measured.lacks).toBeNull();
    const costs = costsOf({ plan: whole, stats: statsOf(LARGE), measured });
    const found = steps.filter(({ effects }) =>
      effects.some(({ table, work }) => table === 'metrics' && work !== 'none'),
    );
    expect(found.length).toBeGreaterThan(0);
    for (const step of found) {
      const { time } = costs.of(step);
      expect(time.basis).toBe('probed');
      // With what an index takes more than in proportion.
      expect(time.seconds).toBeGreaterThan(linear(LARGE.metrics) * 0.99);
      expect(time.seconds).toBeLessThan(linear(LARGE.metrics) * 1.5);
    }
  });

  test('a sample that is too small a part says nothing', async () => {
    const { plan: whole } = await plan();
    const steps = stepsOf(whole);
    const measured = scaled(whole, wholeOf(PLENTY), [trial(1 / 1000, steps, () => 1)]);
    expect(measured.lacks).toMatch(/sample/);
    expect([...measured.steps.keys()].filter(({ tables }) => tables.includes('metrics'))).toEqual([]);
  });

  test('nor does one that fits into the memory of the server where the table does not', async () => {
    const { plan: whole } = await plan();
    const steps = stepsOf(whole);
    const metrics = 300 * LARGE.metrics;
    const known = (share: number, memory: number) =>
      [...scaled(whole, wholeOf(memory), [trial(share, steps, () => 1)]).steps.keys()].some(({ effects }) =>
        effects.some(({ table, work }) => table === 'metrics' && work !== 'none'),
      );
    expect(known(1 / 10, 2 * metrics)).toBe(true);
    expect(known(1 / 10, metrics / 2)).toBe(false);
    expect(known(1 / 2, metrics / 2)).toBe(true);
  });

  test('without a measurement large tables are not known, and refused whatever the limit', async () => {
    const { dialect, plan: whole } = await plan();
    const blocked = blockedTables({ plan: whole, stats: statsOf(LARGE) }, dialect);
    expect(blocked[0]?.writes).toEqual({ seconds: null, atMost: null, basis: 'unknown' });
    const unknown = whyUnknown({ dialect, named: 'URI' }, undefined);
    expect(() => refuseBlocked(blocked, 86_400, unknown)).toThrow(
      expect.objectContaining({
        code: 'MAX_BLOCKED',
        failure: expect.objectContaining({
          found: expect.stringContaining('how long is not known'),
          fix: expect.arrayContaining([expect.stringContaining('mtrack db plan URI --probe')]),
        }),
      }),
    );
  });

  test('small tables are under a bound that grows with their rows, and tables without rows take nothing', async () => {
    const { dialect, plan: whole } = await plan();
    const bound = (rows: Readonly<Record<string, number>>) =>
      blockedTables({ plan: whole, stats: statsOf(rows) }, dialect)[0]?.writes.atMost ?? null;
    const small = bound(SMALL);
    expect(small).toBeGreaterThan(0);
    expect(bound({ ...SMALL, metrics: 20_000 })).toBeGreaterThan(small ?? 0);
    const none = Object.fromEntries(Object.keys(SMALL).map((table) => [table, 0]));
    expect(blockedTables({ plan: whole, stats: statsOf(none) }, dialect)).toEqual([]);
  });

  test('where only the catalog changes, no number of rows matters', async () => {
    const { dialect, plan: wider } = await plan('7f2a7d5fae7d', '2d6e25af4d3e');
    const blocked = blockedTables({ plan: wider, stats: statsOf({ params: 50_000_000 }) }, dialect);
    // SQLite writes the table again to change the type of a column.
    const isInstant = scheme !== 'sqlite';
    expect(blocked.map(({ writes }) => writes.seconds)).toEqual(blocked.map(() => (isInstant ? 0 : null)));
    const unknown = whyUnknown({ dialect, named: '' }, undefined);
    if (isInstant) refuseBlocked(blocked, 0, unknown);
    else expect(() => refuseBlocked(blocked, 3600, unknown)).toThrow();
  });
});

test('where nothing can be timed, another way is named', async () => {
  const dialect = await offlineDialect('mssql');
  const { command } = whyUnknown({ dialect, named: '' }, undefined);
  expect(command).not.toContain('--probe');
  expect(command).toContain('mtrack db upgrade');
});
