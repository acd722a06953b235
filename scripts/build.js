// Compiles src and migrations to dist, bundles them (bundle.js), and writes oclif.manifest.json, from which the help is
// shown without loading a command. `--check` fails when the manifest in the repository is not the one that would be written.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Plugin } from '@oclif/core';
import { bundle } from './bundle.js';

const root = new URL('..', import.meta.url).pathname;
const manifestPath = `${root}oclif.manifest.json`;

if (!process.argv.includes('--check')) {
  rmSync(`${root}dist`, { recursive: true, force: true });
  execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}tsconfig.build.json`], {
    stdio: 'inherit',
  });
  await bundle(root);
}
const manifest = await currentManifest();
if (process.argv.includes('--check')) {
  if (readFileSync(manifestPath, 'utf8') !== manifest) {
    console.error('oclif.manifest.json is not current: run `npm run build` and commit it');
    process.exitCode = 1;
  }
} else {
  writeFileSync(manifestPath, manifest);
  await import('./docs.js');
}

async function currentManifest() {
  const plugin = new Plugin({ root, type: 'core', ignoreManifest: true, errorOnManifestCreate: true });
  await plugin.load();
  // Paths as they are in the repository, whatever folder it lies in; commands in one order, not in that of the file system.
  const commands = Object.entries(plugin.manifest.commands).sort(([one], [other]) => (one < other ? -1 : 1));
  return `${JSON.stringify({ ...plugin.manifest, commands: Object.fromEntries(commands) }, null, 2)}\n`;
}
