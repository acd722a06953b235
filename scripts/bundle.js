// Puts dist/src and most packages together into few files, dist/bundle, which is what bin/run.js starts: Node needs a
// quarter of a second to find and read the thousand small files of Kysely, MikroORM and oclif, at every start.
import { globSync } from 'node:fs';
import { rolldown } from 'rolldown';

/** What stays a package: native code, what reads files of its own, and SDKs that few ever load. */
const EXTERNAL = [
  'better-sqlite3',
  'pg',
  'pg-copy-streams',
  'mysql2',
  'tedious',
  'fastify',
  'protobufjs',
  '@aws-sdk',
  '@azure',
  '@google-cloud',
];

const isExternal = (id) => EXTERNAL.some((name) => id === name || id.startsWith(`${name}/`));

/** @param root the folder of the project, with a slash at its end; `dist/src` must have been compiled */
export async function bundle(root) {
  const src = `${root}dist/src/`;
  const entries = ['cli/main.js', 'transfer/files/thread.js', ...globSync('commands/**/*.js', { cwd: src })];
  const build = await rolldown({
    input: Object.fromEntries(entries.map((path) => [path.slice(0, -'.js'.length), src + path])),
    platform: 'node',
    external: isExternal,
    logLevel: 'warn',
  });
  await build.write({
    dir: `${root}dist/bundle`,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
  });
  await build.close();
}
