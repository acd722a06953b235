// Writes the parts of docs/ that say again what the code says: commands, exit codes, revisions. `--check` fails when a
// file in the repository is not the one that would be written. Needs a build.
import { readFileSync, writeFileSync } from 'node:fs';
import { FAILURES } from '../dist/src/errors.js';
import { BASE, releasesOf, revisions } from '../dist/src/schema/lineage.js';
import { RULES } from '../dist/src/upgrade/rules.js';

const root = new URL('..', import.meta.url).pathname;
const check = process.argv.includes('--check');
const manifest = JSON.parse(readFileSync(`${root}oclif.manifest.json`, 'utf8'));

const files = {
  'docs/commands.md': commands(),
  'docs/exit-codes.md': exitCodes(),
  'docs/revisions.md': revisionList(),
  'docs/rules.md': ruleList(),
};
for (const [name, text] of Object.entries(files)) {
  if (!check) writeFileSync(root + name, text);
  else if (readFileSync(root + name, 'utf8') !== text) {
    console.error(`${name} is not current: run \`npm run build\` and commit it`);
    process.exitCode = 1;
  }
}

function table(head, rows) {
  const line = (cells) =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function exitCodes() {
  const byStatus = Object.entries(FAILURES).sort(([, a], [, b]) => a.exit - b.exit);
  return `# Exit codes

The exit status of every command, and the \`code\` that an error has in the output of \`--json\`. They do not change
between releases. An unknown status must be taken for a failure.

${table(
  ['status', 'code', 'means'],
  [
    ['0', '', 'done; nothing to do; at the head (`db status`)'],
    ['1', 'FAULT', 'a fault of mtrack itself: please report it'],
    ...byStatus.map(([code, { exit, means }]) => [exit, `\`${code}\``, means]),
  ],
)}

\`db status\` ends with 10 to 16 by what it found. \`db upgrade --dry-run\` ends with 8 when the preflight would refuse the
upgrade. A process that was killed by a signal has no status of these; run \`db upgrade\` again.
`;
}

function revisionList() {
  return `# Revisions

MLflow's lineage, as declared in \`migrations/\`: what \`--to\` takes, beside \`head\` and \`mlflow==X.Y\`. A revision marked
with ! cannot be undone; \`db upgrade\` asks for an agreement of its own when that concerns rows of the database at hand.

${table(
  ['#', 'revision', 'head of MLflow', 'what', ''],
  [
    ['0', `\`${BASE}\``, '', 'the five tables of MLflow 0.9', ''],
    ...revisions.map(({ id, title, irreversible }, i) => [
      i + 1,
      `\`${id}\``,
      releasesOf(id) ?? '',
      title,
      irreversible ? `! ${irreversible.because}` : '',
    ]),
  ],
)}
`;
}

function ruleList() {
  return `# Rules

What \`mtrack db plan\` and \`mtrack db check\` report; \`mtrack explain MTK001\` shows one of them. The ids stay. On a database
whose tables are small a finding can be less severe than its rule.

${Object.entries(RULES)
  .map(
    ([id, { name, severity, means, todo }]) => `## ${id} ${name}

Severity: ${severity}. ${means}

What to do: ${todo}`,
  )
  .join('\n\n')}
`;
}

function commands() {
  const entries = Object.entries(manifest.commands).sort(([a], [b]) => (a < b ? -1 : 1));
  return `# Commands

${entries.map(([id, command]) => commandText(id.replaceAll(':', ' '), command)).join('\n\n')}

## Environment

${table(
  ['variable', 'means'],
  [
    ['`MLFLOW_BACKEND_STORE_URI`', 'the store, where none is given on the command line'],
    ['`MLFLOW_TRACKING_URI`', 'the same, where it names a database and the one above is not set'],
    [
      '`MLFLOW_SQLALCHEMYSTORE_POOL_SIZE`, `_MAX_OVERFLOW`, `_POOL_RECYCLE`, `_POOLCLASS`',
      "the pool of connections, with SQLAlchemy's meaning",
    ],
    ['`MLFLOW_SQLALCHEMYSTORE_ECHO`', 'each statement is shown on stderr before it is sent'],
    ['`MLFLOW_MYSQL_SSL_CA`, `_CERT`, `_KEY`', 'certificate files for MySQL'],
    ['`PGPASSWORD`, `PGSSLMODE` and the other `PG…`', 'as for psql'],
    ['`NO_COLOR`, `CI`', 'no colours; no questions'],
  ],
)}
`;
}

function commandText(id, command) {
  const flags = Object.values(command.flags).sort((a, b) => (a.name < b.name ? -1 : 1));
  const shown = (flag) => {
    const value = flag.type === 'boolean' ? '' : ` ${flag.helpValue ?? 'VALUE'}`;
    return `\`${flag.char ? `-${flag.char}, ` : ''}--${flag.name}${value}\``;
  };
  const examples = (command.examples ?? []).map((example) => (typeof example === 'string' ? example : example.command));
  return `## mtrack ${id}

${command.summary}

${command.description}

${table(
  ['argument or flag', ''],
  [
    ...Object.values(command.args).map((arg) => [`\`${arg.name.toUpperCase()}\``, arg.description]),
    ...flags.map((flag) => [shown(flag), flag.description ?? '']),
  ],
)}

\`\`\`sh
${examples.map((example) => example.replaceAll('<%= config.bin %>', 'mtrack').replaceAll('<%= command.id %>', id)).join('\n')}
\`\`\``;
}
