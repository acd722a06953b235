/** `mtrack db plan`, `db check` and `explain`: what a user sees, on every dialect, and that looking writes nothing. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { RULES } from '../../../src/upgrade/rules.js';
import { mtrack, ROOT, type RunOptions, upgrade } from '../../support/cli.js';
import { withDatabase } from '../../support/databases.js';
import { releases } from '../../support/fixtures.js';
import { scratchOf } from '../../support/scratch.js';
import { query, run } from '../../support/state.js';
import { forEachDialect } from '../../support/suites.js';
import { fingerprint } from '../../support/untouched.js';

interface Finding {
  readonly rule: string;
  readonly severity: string;
  readonly revision: string | null;
  readonly table: string | null;
  readonly says: string;
  readonly facts: readonly { readonly what: string; readonly value: unknown; readonly basis: string }[];
}

interface PlanJson {
  readonly revisions: readonly { readonly id: string }[];
  readonly hazards: readonly Finding[];
  readonly blocked: readonly {
    readonly table: string | null;
    readonly writesSeconds: number | null;
    readonly readsSeconds: number | null;
  }[];
  readonly probe?: { readonly otherwise: readonly unknown[] };
  readonly error?: { readonly code: string };
}

async function asked<Json>(
  args: readonly string[],
  options: RunOptions = {},
): Promise<{ code: number | null; json: Json }> {
  const { code, stdout } = await mtrack([...args, '--json'], options);
  return { code, json: JSON.parse(stdout) as Json };
}

const OLD = releases('sqlite').includes('1.30.1') ? '1.30.1' : '2.9.2';
const PARAMS = '2d6e25af4d3e';

await forEachDialect('db plan and db check', (server) => {
  test('name the hazards of an old database, with rows, and write nothing', async () => {
    await withDatabase(
      () => server.load(OLD),
      async (database) => {
        const before = await fingerprint(server, database);
        const plan = await asked<PlanJson>(['db', 'plan', database.uri]);
        expect(plan.code).toBe(0);
        const rules = new Set(plan.json.hazards.map(({ rule }) => rule));
        // spans.dimension_attributes is not there yet: servers of that age do not read it.
        expect(rules).toContain('MTK015');
        expect(rules.has('MTK006')).toBe(server.dialect === 'sqlite');
        expect(rules.has('MTK007')).toBe(server.dialect === 'mysql');
        const [{ n: runs } = { n: 0 }] = await query<{ n: number | string }>(
          database,
          'SELECT COUNT(*) AS n FROM experiments',
        );
        const experiments = plan.json.hazards.filter(({ table }) => table === 'experiments');
        expect(experiments.length).toBeGreaterThan(0);
        // What it says of rows is what is there (PostgreSQL and MariaDB: by their statistics).
        for (const { facts } of experiments) {
          for (const { value, basis } of facts.filter(({ what }) => what === 'rows')) {
            if (basis === 'counted') expect(value).toBe(Number(runs));
          }
        }
        const check = await asked<{ code: string; findings: Finding[] }>([
          'db',
          'check',
          database.uri,
          '--fail-on',
          'never',
        ]);
        expect([check.code, check.json.code]).toEqual([10, 'UPGRADE_PENDING']);
        expect(await fingerprint(server, database)).toBe(before);
      },
    );
  });

  test('--probe asks the server, in a scratch database, and leaves this one and nothing else', async () => {
    await withDatabase(
      () => server.load(OLD),
      async (database) => {
        const before = await fingerprint(server, database);
        const folder = mkdtempSync(join(tmpdir(), 'mtrack-test-'));
        const env = { TMPDIR: folder };
        const { code, json } = await asked<PlanJson>(['db', 'plan', database.uri, '--probe'], { env });
        expect(code).toBe(0);
        expect(await fingerprint(server, database)).toBe(before);
        const bases = new Set(
          json.hazards.flatMap(({ facts }) => facts.filter(({ what }) => what === 'lock').map(({ basis }) => basis)),
        );
        const isAsked = server.dialect !== 'sqlite';
        expect(bases.has('probed')).toBe(isAsked);
        expect(json.probe).toEqual(isAsked ? { otherwise: [] } : undefined);
        expect(await scratchOf(server, folder)).toEqual([]);
        rmSync(folder, { recursive: true });
      },
    );
  });

  test('a limit for blocked tables refuses, and names the table', async () => {
    await withDatabase(
      () => server.load(OLD),
      async (database) => {
        const plan = await asked<PlanJson>(['db', 'plan', database.uri]);
        const [longest] = plan.json.blocked;
        // Nothing was timed; of so few rows it is known what no server goes beyond.
        expect(longest).toMatchObject({ writesSeconds: null, atMost: expect.any(Number) });
        const refused = await mtrack(['db', 'plan', database.uri, '--max-blocked', '0ms']);
        expect(refused.code).toBe(25);
        const where = longest?.table ?? 'the whole database';
        expect(refused.stderr).toMatch(
          new RegExp(`Error MAX_BLOCKED: ${where}: how long is not known \\(at most \\d+ s on any server\\)`),
        );
        expect(refused.stderr).toContain(`mtrack db plan ${database.uri} --probe`);
        expect((await mtrack(['db', 'plan', database.uri, '--max-blocked', '1h'])).code).toBe(0);
      },
    );
  });

  test('a database at the head has nothing to report', async () => {
    await withDatabase(
      () => server.empty(),
      async (database) => {
        const empty = await asked<{ code: string; findings: Finding[] }>(['db', 'check', database.uri]);
        expect([empty.code, empty.json.findings.map(({ rule }) => rule)]).toEqual([12, ['MTK103']]);
        await upgrade(database.uri, 'head');
        const check = await mtrack(['db', 'check', database.uri]);
        expect([check.code, check.stdout]).toEqual([
          0,
          'from f4a9b2c7d1e6  (MLflow 3.18) to f4a9b2c7d1e6  (MLflow 3.18): 0 revisions\nnothing to report\n',
        ]);
        const beyond = await asked<{ code: string; findings: Finding[] }>([
          'db',
          'check',
          database.uri,
          '--to',
          'mlflow==3.17',
        ]);
        expect([beyond.code, beyond.json.findings.map(({ rule }) => rule)]).toEqual([13, ['MTK104']]);
        await run(database, 'DROP TABLE latest_metrics');
        const drifted = await asked<{ code: string; findings: Finding[] }>(['db', 'check', database.uri]);
        expect([drifted.code, drifted.json.findings.map(({ rule, table }) => [rule, table])]).toEqual([
          15,
          [['MTK107', 'latest_metrics']],
        ]);
      },
    );
  });
});

const RANGE = ['db', 'check', '--from', 'mlflow==2.2', '--to', 'mlflow==3.18', '--dialect'];

describe('db check of a range of revisions, without a database', () => {
  test.each(['sqlite', 'postgresql', 'mysql', 'mariadb', 'mssql'])('%s', async (scheme) => {
    const { code, json } = await asked<{ code: string; pending: number; findings: Finding[] }>([...RANGE, scheme]);
    expect([code, json.code, json.pending]).toEqual([26, 'HAZARDS', 51]);
    const graves = json.findings.filter(({ rule }) => rule === 'MTK010').map(({ revision }) => revision);
    // facts/migrations.md: those that cannot be undone between 97727af70f4d and the head.
    expect(graves).toEqual([PARAMS, '75868b020152', 'dc11669786a5']);
    expect(json.findings.flatMap(({ facts }) => facts).filter(({ what }) => what === 'seconds')).toEqual([]);
  });

  test('a range without hazards passes, and fails at a lower severity', async () => {
    const range = ['db', 'check', '--from', 'mlflow==3.17', '--to', 'mlflow==3.17', '--dialect', 'postgresql'];
    expect((await mtrack(range)).code).toBe(0);
    const small = ['db', 'check', '--from', '97727af70f4d', '--to', '3500859a5d39', '--dialect', 'postgresql'];
    expect((await mtrack(small)).code).toBe(0);
    expect((await mtrack([...small, '--fail-on', 'note'])).code).toBe(26);
  });

  test('SARIF is valid, and marks the file that was named', async () => {
    const { stdout } = await mtrack([
      ...RANGE,
      'postgresql',
      '--format',
      'sarif',
      '--annotate',
      'deploy/my requirements.txt:12',
    ]);
    const sarif = JSON.parse(stdout) as {
      runs: {
        results: { locations: unknown[]; ruleIndex: number; ruleId: string }[];
        tool: { driver: { rules: { id: string }[] } };
      }[];
    };
    const schema = JSON.parse(readFileSync(join(ROOT, 'test/fixtures/sarif-2.1.0.json'), 'utf8')) as object;
    const validate = new Ajv({ strict: false, unicodeRegExp: false, validateFormats: false, allErrors: true }).compile(
      schema,
    );
    validate(sarif);
    expect(validate.errors).toBeNull();
    const [only] = sarif.runs;
    expect(only?.results.length).toBeGreaterThan(10);
    for (const { ruleId, ruleIndex, locations } of only?.results ?? []) {
      expect(only?.tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
      expect(locations).toMatchObject([
        { physicalLocation: { artifactLocation: { uri: 'deploy/my%20requirements.txt' }, region: { startLine: 12 } } },
      ]);
    }
  });

  test('GitHub reads a line for each finding', async () => {
    const { stdout } = await mtrack([...RANGE, 'mysql', '--format', 'github', '--annotate', 'a,b.txt:3']);
    const lines = stdout.trimEnd().split('\n');
    for (const line of lines)
      expect(line).toMatch(
        /^::(notice|warning|error) file=a%2Cb\.txt,line=3,title=MTK\d{3} [a-z-]+(?: \([0-9a-f]{12,13}\))?::.+$/,
      );
    expect(lines.filter((line) => line.startsWith('::error'))).not.toEqual([]);
  });

  test('JUnit has a test for each rule', async () => {
    const { stdout } = await mtrack([...RANGE, 'postgresql', '--format', 'junit']);
    expect(stdout.match(/<testcase /g)).toHaveLength(Object.keys(RULES).length);
    expect(stdout).toMatch(/failures="[1-9]/);
    expect(stdout).toMatch(/<testcase classname="mtrack" name="MTK010 cannot-be-undone"><failure message="/);
  });

  test.each([
    [['db', 'check', '--from', 'mlflow==2.2'], /--from without --dialect/],
    [['db', 'check', '--from', 'mlflow==2.2', '--dialect', 'oracle'], /--dialect oracle/],
    [['db', 'check', 'sqlite:///x.db', '--from', 'mlflow==2.2', '--dialect', 'sqlite'], /a database and --from/],
    [['db', 'check', 'sqlite:///x.db', '--dialect', 'sqlite'], /--dialect without --from/],
    [['db', 'check', '--from', 'head', '--to', 'mlflow==2.2', '--dialect', 'sqlite'], /comes after/],
    [['db', 'check', '--from', 'base', '--dialect', 'sqlite', '--annotate', 'x:0'], /--annotate x:0/],
  ])('%j is refused with what was expected', async (args, said) => {
    const { code, stderr } = await mtrack(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(said);
  });
});

describe('explain', () => {
  test('every rule is explained, and listed in docs/rules.md', async () => {
    const docs = readFileSync(join(ROOT, 'docs/rules.md'), 'utf8');
    for (const [id, { name, means, todo }] of Object.entries(RULES)) {
      expect(docs).toContain(`## ${id} ${name}`);
      expect(docs).toContain(means);
      expect(docs).toContain(todo);
    }
    const one = await mtrack(['explain', 'mtk014']);
    expect(one.stdout).toContain(RULES.MTK014.means);
    expect((await mtrack(['explain'])).stdout.trimEnd().split('\n')).toHaveLength(Object.keys(RULES).length);
    expect((await mtrack(['explain', 'MTK999'])).code).toBe(2);
  });
});
