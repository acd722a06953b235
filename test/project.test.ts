/** The rules of the project that a compiler does not hold: who may import whom, what is generated, what is pinned. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FAILURES } from '../src/errors.js';
import { finished, ROOT, RUN, start } from './support/cli.js';

interface Source {
  /** From the root of the project. */
  readonly path: string;
  readonly text: string;
  /** Files of the project that it imports, from the root. */
  readonly own: readonly string[];
  /** Packages, and modules of Node, that it imports. */
  readonly packages: readonly string[];
}

const DIALECTS = ['sqlite', 'postgresql', 'mysql', 'mssql'];

async function filesLike(pattern: string): Promise<string[]> {
  const files: string[] = [];
  for await (const path of glob(pattern, { cwd: ROOT })) files.push(path);
  return files.sort();
}

async function sources(): Promise<Source[]> {
  return (await filesLike('{src,migrations}/**/*.ts')).map((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8');
    const from = [...text.matchAll(/(?:(?<!-)\bfrom|(?<!')\bimport\(?)\s*'([^'\n]+)'/g)].map(
      ([, target = '']) => target,
    );
    const own = from.filter((target) => target.startsWith('.'));
    return {
      path,
      text,
      own: own.map((target) => relative(ROOT, resolve(ROOT, dirname(path), target)).replace(/\.js$/, '.ts')),
      packages: from.filter((target) => !target.startsWith('.')),
    };
  });
}

const inFolder = (path: string, ...folders: readonly string[]) => folders.some((each) => path.startsWith(`${each}/`));
/** What every part may use: it uses nothing itself but its like. */
const COMMON = /^src\/(?:config|errors|secrets|uri)\.ts$/;

/** What the stores share, and all that is known of a store outside: the contract, its records, errors and limits, and search. */
const STORE = /^src\/store\/(?:[^/]+(?<!\/open)|search\/index)\.ts$/;

/** Reading a file store from end to end, changing single values, and writing records of one, without the store. */
const FILES = /^src\/store\/file\/(?:reader|edit|writer)\.ts$/;

/** What commands are made of, beside the upgrade. */
const USE_CASES = /^src\/(?:server|backup|history|downgrade|gc|transfer|rows|probe)\//;

/** All of src/dialect but the choice of one. */
const CONTRACT = /^src\/dialect\/(?!index\.ts)[^/]+\.ts$/;

/** Each part of the project by what it may import of the others; see the layout in README.md. */
const MAY_IMPORT: readonly { readonly part: RegExp; readonly may: readonly RegExp[] }[] = [
  { part: /^migrations\/index\.ts$/, may: [/^migrations\//, /^src\/schema\/operations\.ts$/] },
  // One revision may use what another one declares.
  { part: /^migrations\//, may: [/^migrations\/\d/, /^src\/schema\/operations\.ts$/] },
  { part: COMMON, may: [COMMON] },
  { part: /^src\/schema\/lineage\.ts$/, may: [COMMON, /^src\/schema\//, /^migrations\/index\.ts$/] },
  { part: /^src\/schema\//, may: [COMMON, /^src\/schema\//] },
  { part: /^src\/dialect\/index\.ts$/, may: [COMMON, /^src\/dialect\//] },
  ...DIALECTS.map((name) => ({
    part: new RegExp(`^src/dialect/${name}/`),
    may: [COMMON, /^src\/schema\//, /^src\/dialect\/(?!index\.ts)[^/]+\.ts$/, new RegExp(`^src/dialect/${name}/`)],
  })),
  { part: /^src\/dialect\//, may: [COMMON, /^src\/schema\//, /^src\/dialect\/(?!index\.ts)[^/]+\.ts$/] },
  {
    part: /^src\/upgrade\//,
    may: [COMMON, /^src\/schema\//, /^src\/dialect\/(?!index\.ts)[^/]+\.ts$/, /^src\/upgrade\//],
  },
  { part: /^src\/store\/search\//, may: [COMMON, /^src\/store\/errors\.ts$/, /^src\/store\/search\//] },
  { part: /^src\/store\/file\//, may: [COMMON, STORE, /^src\/store\/file\//] },
  {
    part: /^src\/store\/database\//,
    may: [COMMON, STORE, /^src\/store\/database\//, /^src\/schema\//, /^src\/dialect\/(?!index\.ts)[^/]+\.ts$/],
  },
  {
    part: /^src\/store\/open\.ts$/,
    may: [COMMON, STORE, /^src\/store\/(?:file|database)\/index\.ts$/, /^src\/dialect\/[^/]+\.ts$/, /^src\/upgrade\//],
  },
  { part: STORE, may: [COMMON, STORE] },
  { part: /^src\/artifacts\//, may: [COMMON, /^src\/store\/(?:errors|validate)\.ts$/, /^src\/artifacts\//] },
  { part: /^src\/server\//, may: [COMMON, STORE, /^src\/artifacts\//, /^src\/server\//] },
  { part: /^src\/rows\//, may: [COMMON, /^src\/schema\//, CONTRACT, /^src\/rows\//] },
  { part: /^src\/history\//, may: [COMMON, CONTRACT, /^src\/backup\/(?:canonical|shape)\.ts$/, /^src\/history\//] },
  {
    part: /^src\/backup\//,
    may: [COMMON, /^src\/schema\//, CONTRACT, /^src\/upgrade\//, /^src\/rows\//, /^src\/artifacts\//, /^src\/backup\//],
  },
  {
    part: /^src\/downgrade\//,
    may: [COMMON, /^src\/schema\//, CONTRACT, /^src\/upgrade\//, /^src\/rows\//, /^src\/downgrade\//],
  },
  {
    part: /^src\/probe\//,
    may: [COMMON, /^src\/schema\//, CONTRACT, /^src\/upgrade\//, /^src\/rows\//, /^src\/probe\//],
  },
  {
    part: /^src\/gc\//,
    may: [
      COMMON,
      STORE,
      /^src\/store\/file\/reader\.ts$/,
      FILES,
      /^src\/schema\//,
      CONTRACT,
      /^src\/upgrade\//,
      /^src\/rows\//,
      /^src\/artifacts\//,
      /^src\/gc\//,
    ],
  },
  {
    part: /^src\/transfer\//,
    may: [
      COMMON,
      STORE,
      FILES,
      /^src\/schema\//,
      CONTRACT,
      /^src\/upgrade\//,
      /^src\/rows\//,
      /^src\/artifacts\//,
      /^src\/store\/file\/reader\.ts$/,
      /^src\/transfer\//,
    ],
  },
  {
    part: /^src\/cli\//,
    may: [
      COMMON,
      /^src\/schema\//,
      /^src\/dialect\/[^/]+\.ts$/,
      /^src\/upgrade\//,
      /^src\/cli\//,
      /^src\/store\/[^/]+\.ts$/,
      USE_CASES,
      /^src\/artifacts\//,
    ],
  },
  {
    part: /^src\/commands\//,
    may: [
      COMMON,
      /^src\/cli\//,
      /^src\/upgrade\//,
      /^src\/schema\//,
      /^src\/dialect\/dialect\.ts$/,
      /^src\/store\/[^/]+\.ts$/,
      USE_CASES,
    ],
  },
];

const all = await sources();
const core = all.filter(({ path }) => !inFolder(path, 'src/cli', 'src/commands'));

describe('imports', () => {
  test('each file imports only what its part may', () => {
    const wrong = all.flatMap(({ path, own }) => {
      const rule = MAY_IMPORT.find(({ part }) => part.test(path));
      if (!rule) return [`${path} belongs to no part`];
      return own
        .filter((target) => !rule.may.some((may) => may.test(target)))
        .map((target) => `${path} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  test('every file is imported, or started', () => {
    const used = new Set(all.flatMap(({ own }) => own));
    // These are being built: until a command joins them, nothing imports their beginnings.
    const started = /^src\/(?:commands\/|cli\/main\.ts|store\/|artifacts\/|server\/|rows\/|backup\/|gc\/|transfer\/)/;
    expect(all.map(({ path }) => path).filter((path) => !used.has(path) && !started.test(path))).toEqual([]);
  });

  test('the core neither prints nor asks, and does not read the environment or end the process', () => {
    const words = /\b(?:console\.|process\.(?:env|argv|exit|exitCode|stdout|stderr|stdin)\b)/;
    const packages = /^(?:@oclif\/|@inquirer\/|listr2)/;
    const wrong = core.filter((file) => words.test(file.text) || file.packages.some((name) => packages.test(name)));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  test('a dialect is known by its name in src/dialect only', () => {
    const quoted = /['"`](?:sqlite|postgresql|postgres|mysql|mariadb|mssql)['"`]/i;
    const elsewhere = all.filter(({ path }) => !inFolder(path, 'src/dialect'));
    expect(elsewhere.filter(({ text }) => quoted.test(text)).map(({ path }) => path)).toEqual([]);
  });
});

describe('what is generated', () => {
  test('the manifest of commands is what the build writes', () => {
    execFileSync(process.execPath, [join(ROOT, 'scripts/build.js'), '--check'], { stdio: 'pipe' });
  });

  test('docs/exit-codes.md names every failure with its exit status', () => {
    const text = readFileSync(join(ROOT, 'docs/exit-codes.md'), 'utf8');
    const missing = Object.entries(FAILURES).filter(
      ([code, { exit }]) => !new RegExp(`^\\|\\s*${exit}\\s*\\|[^\\n]*\`${code}\``, 'm').test(text),
    );
    expect(missing).toEqual([]);
  });

  test('links in the documents lead somewhere', async () => {
    const documents = ['README.md', 'CHANGELOG.md', ...(await filesLike('{docs,bench,test}/**/*.md'))];
    const broken = documents.flatMap((path) =>
      [...readFileSync(join(ROOT, path), 'utf8').matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !existsSync(resolve(ROOT, dirname(path), target)))
        .map((target) => `${path}: ${target}`),
    );
    expect(broken).toEqual([]);
  });
});

describe('packages', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };

  test('MikroORM is of one version, exactly', () => {
    const versions = Object.entries(manifest.dependencies ?? {}).filter(([name]) => name.startsWith('@mikro-orm/'));
    expect(new Set(versions.map(([, version]) => version))).toEqual(new Set(['7.2.1']));
  });

  test('what is imported is declared', () => {
    const declared = new Set(Object.keys(manifest.dependencies ?? {}));
    const name = (target: string) =>
      target
        .split('/')
        .slice(0, target.startsWith('@') ? 2 : 1)
        .join('/');
    const undeclared = all.flatMap(({ path, packages }) =>
      packages
        .filter((target) => !target.startsWith('node:') && !declared.has(name(target)))
        .map((target) => `${path}: ${target}`),
    );
    expect(undeclared).toEqual([]);
  });

  // npm leaves them out where the registry does not have them, and `npm ci` then refuses the lock file.
  test('the lock file knows the packages of every platform', () => {
    const known = new Set(Object.keys(lock.packages));
    const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !known.has(`node_modules/${name}`) && !known.has(`${path}/node_modules/${name}`),
      ),
    );
    expect(missing).toEqual([]);
  });
});

describe('an old Node', () => {
  const OLD = ['/usr/bin/node', '/usr/local/bin/node'].find(
    (path) => existsSync(path) && Number(execFileSync(path, ['-p', 'process.versions.node.split(".")[0]'])) < 22,
  );
  const title =
    OLD === undefined ? 'NOT RUN, there is none on this machine' : 'is left for the one that was brought along';

  test.skipIf(OLD === undefined)(title, async () => {
    const run = (args: readonly string[]) => finished(start(args, { program: OLD ?? '' }));
    const version = await run(['--version']);
    expect(version.stdout).toMatch(/node-v(?:2[2-9]|[3-9]\d)\./);
    // Status and output are those of the Node that did the work.
    const empty = await run(['db', 'status', 'sqlite:////nowhere/at-all.db', '--json']);
    expect(empty.code).toBe(FAILURES.DATABASE_EMPTY.exit);
    expect(() => JSON.parse(empty.stdout)).not.toThrow();
  });

  describe.skipIf(OLD === undefined)('where none was brought along', () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'mtrack-old-node-'));
      cpSync(dirname(RUN), join(folder, 'bin'), { recursive: true });
      cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
      cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    test('it says what to install', async () => {
      const { code, stderr } = await finished(
        start(['--version'], { program: OLD ?? '', script: join(folder, 'bin/run.js') }),
      );
      expect(code).toBe(1);
      expect(stderr).toMatch(/mtrack needs Node\.js 22\.17 or newer, and this is \d+\.\d+\.\d+\.\n.*npm ci/);
    });
  });
});
